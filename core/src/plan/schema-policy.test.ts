import { Batch, field, type StreamSchema, streamSchema, types } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { planOf } from '../testing/plan-stream.js';
import { type Evolution, type SchemaPolicy, settleSchema } from './schema-policy.js';

const id = field('id', types.int64, { nullable: false });
const note = field('note', types.string);
const known = streamSchema('s', [id, note], ['id']);
const wider = streamSchema('s', [id, note, field('extra', types.int32)], ['id']);
const all = (policy: Evolution): SchemaPolicy => ({ tables: policy, columns: policy, types: policy });

const noCast = () => {
  throw new Error('nothing is cast');
};

const extras = (...values: (number | null)[]) =>
  Batch.ofRows(
    wider,
    values.map((extra, i) => ({ id: BigInt(i), note: 'n', extra })),
  );

async function applied(now: StreamSchema, policy: SchemaPolicy, batch: Batch) {
  const { transforms } = await settleSchema(known, now, policy, noCast);
  return transforms.reduce<readonly Batch[]>((batches, t) => batches.flatMap((b) => t.apply(b)), [batch]);
}

describe('a column that is new', () => {
  it('is taken up', async () => {
    expect((await settleSchema(known, wider, all('evolve'), noCast)).transforms).toEqual([]);
  });

  it('ends the run', async () => {
    await expect(settleSchema(known, wider, all('freeze'), noCast)).rejects.toMatchObject({
      code: 'SLUICE-CORE-0115',
      message: 'stream s has changed: column extra is new',
    });
  });

  it('is left out with its values', async () => {
    const [batch] = await applied(wider, all('discard_value'), extras(1, null));
    expect(batch!.rows()).toEqual([
      { id: 0n, note: 'n' },
      { id: 1n, note: 'n' },
    ]);
    expect(batch!.schema.fields.map(({ name }) => name)).toEqual(['id', 'note']);
  });

  it('refuses the rows that have a value in it, by name of the row', async () => {
    const [kept] = await applied(wider, all('discard_row'), extras(null, null));
    expect(kept!.rowCount).toBe(2);
    await expect(applied(wider, all('discard_row'), extras(null, 5, null))).rejects.toMatchObject({
      code: 'SLUICE-CORE-0116',
      class: 'data',
      details: { stream: 's', column: 'extra', row: 1 },
    });
  });
});

describe('a column that is gone', () => {
  const narrow = streamSchema('s', [id], ['id']);

  it.each<Evolution>(['evolve', 'discard_row', 'discard_value'])(
    'stays in the targets: %s',
    async (policy) => {
      const { transforms, notes } = await settleSchema(known, narrow, all(policy), noCast);
      expect(transforms).toEqual([]);
      expect(notes).toEqual(['column note is gone from the source; new rows leave it empty']);
    },
  );

  it('ends the run where columns are frozen', async () => {
    await expect(settleSchema(known, narrow, all('freeze'), noCast)).rejects.toThrow(/column note is gone/);
  });
});

describe('a column of another type', () => {
  const other = streamSchema('s', [id, field('note', types.int32)], ['id']);

  it.each<[Evolution, string]>([
    ['discard_row', 'fail'],
    ['discard_value', 'null'],
  ])('is cast back: %s', async (policy, unfit) => {
    const cast = { out: known, reads: [], writes: [], rung: 'columns' as const, apply: (b: Batch) => [b] };
    const casts: unknown[] = [];
    const { transforms } = await settleSchema(known, other, all(policy), async (...asked) => {
      casts.push(asked);
      return cast;
    });
    expect(transforms).toEqual([cast]);
    expect(casts).toEqual([[other, { note: 'string' }, unfit]]);
  });

  it('ends the run where types are frozen, and no other time', async () => {
    const frozen = { ...all('evolve'), types: 'freeze' as const };
    await expect(settleSchema(known, other, frozen, noCast)).rejects.toThrow(
      'column note was string and is int32',
    );
    expect((await settleSchema(known, wider, frozen, noCast)).transforms).toEqual([]);
  });
});

describe('a stream that is new', () => {
  const streams = ['a', 'b'].map((name) => ({ schema: streamSchema(name, [id], ['id']), types: [] }));
  const planned = async (tables: Evolution, knownStreams: readonly StreamSchema[]) =>
    (await planOf({ streams, known: knownStreams, schema: { ...all('evolve'), tables } })).streams.map(
      ({ stream }) => stream,
    );

  it('is read by a first run, whatever the policy', async () => {
    expect(await planned('freeze', [])).toEqual(['a', 'b']);
  });

  it('joins, ends the run, or is left out', async () => {
    const a = [streams[0]!.schema];
    expect(await planned('evolve', a)).toEqual(['a', 'b']);
    expect(await planned('discard_row', a)).toEqual(['a']);
    expect(await planned('discard_value', a)).toEqual(['a']);
    await expect(planned('freeze', a)).rejects.toMatchObject({ code: 'SLUICE-CORE-0115' });
  });
});

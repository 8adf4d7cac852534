import {
  Batch,
  type Clear,
  field,
  OPS,
  type Origins,
  type Row,
  streamSchema,
  types,
  UNCHANGED,
} from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { planOf } from '../testing/plan-stream.js';
import { historyRows } from './history-rows.js';
import { softDeletes } from './soft-deletes.js';

const schema = streamSchema(
  'items',
  [field('id', types.int64, { nullable: false }), field('note', types.string)],
  ['id'],
);
const origins: Origins = {
  at: (row) => ({ committedAt: BigInt(row + 100), transaction: '0A', ordinal: row * 2 }),
  shownBy: () => undefined,
};
const old: Row[] = [
  { id: UNCHANGED, note: UNCHANGED },
  { id: UNCHANGED, note: UNCHANGED },
  { id: 2n, note: UNCHANGED },
  { id: 4n, note: 'was' },
];
const rows: Row[] = [
  { id: 1n, note: 'a' },
  { id: 2n, note: UNCHANGED },
  { id: 3n, note: 'c' },
  { id: 4n, note: null },
];
const changes = Batch.ofRows(schema, rows, {
  op: Uint8Array.from(['insert', 'update', 'move', 'delete'], (op) => OPS.indexOf(op as 'insert')),
  before: Batch.ofRows(schema, old),
  origins,
});
const shown = (batch: Batch) => batch.rows().map((row, i) => [batch.opAt(i), ...Object.values(row)]);

describe('deletes that are soft', () => {
  it('leave the row as it is but for their time, and others say that theirs lives', () => {
    const [made] = softDeletes(schema).apply(changes);
    expect(shown(made!)).toEqual([
      ['upsert', 1n, 'a', null],
      ['upsert', 2n, UNCHANGED, null],
      ['update', 2n, UNCHANGED, 102n],
      ['upsert', 3n, 'c', null],
      ['update', 4n, UNCHANGED, 103n],
    ]);
  });

  it('let what is cleared be marked', () => {
    const made = softDeletes(schema).clear!({ kind: 'clear', stream: 'items', origins }) as Clear;
    expect(made.marks).toEqual({ column: '_deleted_at', at: 100n });
  });

  it('are for changes that are written by key, into sinks that can mark rows', async () => {
    const streams = [{ schema, types: [] }];
    const target = () => ({ write: 'upsert' as const, deletes: 'soft' as const });
    const plan = await planOf({ streams, mode: 'cdc', target, sink: { marks: true } });
    expect(plan.streams[0]!.read.once).toBeUndefined();
    for (const refused of [
      planOf({ streams, mode: 'cdc', target }),
      planOf({ streams, mode: 'full', target, sink: { marks: true } }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'SLUICE-CORE-0008' });
    }
  });
});

describe('versions', () => {
  it('say from when on they are, deletes as well', () => {
    const [made] = historyRows(schema).apply(changes);
    expect(shown(made!)).toEqual([
      ['insert', 1n, 'a', 100n, null],
      ['update', 2n, UNCHANGED, 101n, null],
      ['delete', 2n, null, 102n, null],
      ['insert', 3n, 'c', 102n, null],
      ['delete', 4n, 'was', 103n, null],
    ]);
  });

  it('end where the stream is cleared, and those that begin then go', () => {
    const made = historyRows(schema).clear!({ kind: 'clear', stream: 'items', origins }) as Clear;
    expect(made.marks).toEqual({ column: '_valid_to', at: 100n, since: '_valid_from' });
  });

  it('need a key, a log and a sink that keeps them', async () => {
    const streams = [{ schema, types: [] }];
    const target = () => ({ write: 'history' as const });
    const sink = { modes: { history: 'atomic' as const } };
    const plan = await planOf({ streams, mode: 'cdc', once: true, target, sink });
    expect(plan.streams[0]!.read.once).toBe(true);
    const keyless = [{ schema: { ...schema, key: [] }, types: [] }];
    for (const refused of [
      planOf({ streams, mode: 'cdc', once: true, target }),
      planOf({ streams, mode: 'full', target, sink }),
      planOf({ streams: keyless, mode: 'cdc', once: true, target, sink }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'SLUICE-CORE-0008' });
    }
  });
});

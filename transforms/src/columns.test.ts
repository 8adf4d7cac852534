import { Batch, field, streamSchema, types, UNCHANGED } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { applied, bindTransform, errorOf, guarded } from './testing.js';

const schema = streamSchema(
  'shop.customers',
  [field('id', types.int64, { nullable: false }), field('name', types.string), field('born', types.date)],
  ['id'],
);
const rows = [
  { id: 1n, name: 'Ada', born: -56_270 },
  { id: 2n, name: null, born: null },
];
const batch = Batch.ofRows(schema, rows);
const names = (b: { fields: readonly { name: string }[] }) => b.fields.map((f) => f.name);

describe('select', () => {
  it('keeps columns in the order given, and decodes none', async () => {
    const bound = await bindTransform('select', schema, { columns: ['born', 'id'] });
    const made = applied(bound, guarded(batch, []));
    expect(names(made.schema)).toEqual(['born', 'id']);
    expect(made.schema.key).toEqual(['id']);
    expect(applied(bound, batch).rows()).toEqual(rows.map(({ id, born }) => ({ born, id })));
    expect(bound).toMatchObject({ reads: [], writes: [], rung: 'columns' });
  });

  it('does not lose a key by oversight', async () => {
    const error = await errorOf(() => bindTransform('select', schema, { columns: ['name'] }));
    expect(error).toMatchObject({ code: 'SLUICE-TRANSFORM-0003', class: 'config' });
    expect(error.help).toContain('dropKey');
    const bound = await bindTransform('select', schema, { columns: ['name'], dropKey: true });
    expect(bound.out.key).toEqual([]);
  });

  it('refuses unknown and doubled columns', async () => {
    const unknown = await errorOf(() => bindTransform('select', schema, { columns: ['id', 'nmae'] }));
    expect(unknown.message).toBe(
      'select: the stream shop.customers has no column "nmae"; did you mean "name"?',
    );
    const doubled = await errorOf(() => bindTransform('select', schema, { columns: ['id', 'id'] }));
    expect(doubled.code).toBe('SLUICE-TRANSFORM-0002');
  });
});

describe('drop', () => {
  it('leaves columns out, also of before-images', async () => {
    const bound = await bindTransform('drop', schema, { columns: ['name'] });
    const change = Batch.ofRows(schema, [rows[0]!], {
      op: 'move',
      before: Batch.ofRows(schema, [{ ...rows[0]!, id: 9n }]),
    });
    const made = applied(bound, change);
    expect(made.op).toBe('move');
    expect(made.rows()).toEqual([{ id: 1n, born: -56_270 }]);
    expect(made.before?.rows()).toEqual([{ id: 9n, born: -56_270 }]);
  });

  it('refuses to leave nothing', async () => {
    const error = await errorOf(() =>
      bindTransform('drop', schema, { columns: ['id', 'name', 'born'], dropKey: true }),
    );
    expect(error.code).toBe('SLUICE-TRANSFORM-0005');
  });

  it('refuses options that it does not have', async () => {
    await expect(bindTransform('drop', schema, { columns: ['name'], colums: [] })).rejects.toThrow(/colums/);
  });
});

describe('rename', () => {
  it('renames columns and the key', async () => {
    const bound = await bindTransform('rename', schema, { columns: { id: 'customer_id', name: 'id' } });
    const made = applied(bound, batch);
    expect(made.schema.key).toEqual(['customer_id']);
    expect(made.rows()[0]).toEqual({ customer_id: 1n, id: 'Ada', born: -56_270 });
    expect(bound.writes).toEqual(['customer_id', 'id']);
  });

  it('refuses names that are taken', async () => {
    const error = await errorOf(() => bindTransform('rename', schema, { columns: { name: 'born' } }));
    expect(error.code).toBe('SLUICE-TRANSFORM-0002');
  });
});

describe('metadata', () => {
  it('adds the stream, one instant and the op of each row', async () => {
    const options = {
      loadedAt: '2024-02-29T13:45:00+01:00',
      columns: { s: 'stream', t: 'loaded_at', o: 'op', d: 'deleted' },
    };
    const bound = await bindTransform('metadata', schema, options);
    const mixed = Batch.ofRows(schema, rows, { op: Uint8Array.of(1, 2) });
    const made = applied(bound, mixed).rows();
    expect(made.map(({ s, t, o, d }) => [s, t, o, d])).toEqual([
      ['shop.customers', 1_709_210_700_000_000n, 'update', false],
      ['shop.customers', 1_709_210_700_000_000n, 'delete', true],
    ]);
    expect(made[0]).toMatchObject(rows[0]!);
  });

  it('is the same however often it is applied', async () => {
    const bound = await bindTransform('metadata', schema, {});
    const first = applied(bound, batch).rows();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(applied(bound, batch).rows()).toEqual(first);
    expect(first[0]).toMatchObject({ _stream: 'shop.customers', _op: 'insert' });
    expect(typeof first[0]!['_loaded_at']).toBe('bigint');
  });

  it('refuses a name that the stream has, and a time without a zone', async () => {
    expect((await errorOf(() => bindTransform('metadata', schema, { columns: { name: 'op' } }))).code).toBe(
      'SLUICE-TRANSFORM-0002',
    );
    await expect(bindTransform('metadata', schema, { loadedAt: '2024-02-29' })).rejects.toThrow(/offset/);
  });
});

describe('UNCHANGED', () => {
  it('passes through transforms of columns', async () => {
    const bound = await bindTransform('rename', schema, { columns: { name: 'full_name' } });
    const change = Batch.ofRows(schema, [{ id: 1n, name: UNCHANGED, born: 3 }], { op: 'update' });
    expect(applied(bound, change).rows()).toEqual([{ id: 1n, full_name: UNCHANGED, born: 3 }]);
  });
});

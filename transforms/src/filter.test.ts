import { Batch, field, OPS, type Op, type Row, Special, streamSchema, types, UNCHANGED } from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applied, bindTransform, errorOf, guarded } from './testing.js';

const schema = streamSchema(
  'orders',
  [
    field('id', types.int64, { nullable: false }),
    field('total', types.decimal(12, 2)),
    field('note', types.string),
  ],
  ['id'],
);
const keyless = { ...schema, key: [] };
const positive = { where: 'total > 0' };

/** Rows with their ops, for comparison. */
function changes(batch: Batch): [Op, Row][] {
  return batch.rows().map((row, i) => [batch.opAt(i), row]);
}

function batchOf(list: readonly [Op, Row, Row?][], of = schema): Batch {
  const op = Uint8Array.from(list, ([name]) => OPS.indexOf(name));
  const images = list.map(([, , before]) => before);
  const nothing: Row = { id: UNCHANGED, total: UNCHANGED, note: UNCHANGED };
  const before = images.some(Boolean)
    ? {
        before: Batch.ofRows(
          of,
          images.map((image) => image ?? nothing),
        ),
      }
    : {};
  return Batch.ofRows(
    of,
    list.map(([, row]) => row),
    { op, ...before },
  );
}

describe('new rows', () => {
  it('stay when the condition is true: not when it is false, null or special', async () => {
    const bound = await bindTransform('filter', schema, positive);
    const totals = ['1.00', '0.00', null, new Special('NaN'), '0.01'];
    const made = applied(
      bound,
      Batch.ofRows(
        schema,
        totals.map((total, i) => ({ id: BigInt(i), total, note: `n${i}` })),
      ),
    );
    expect(made.rows().map((row) => row['id'])).toEqual([0n, 4n]);
    expect(made.op).toBe('insert');
  });

  it('are selected like Array.filter does, for any number of rows', async () => {
    const bound = await bindTransform('filter', schema, { where: 'id % 3 == 1 || note == "x"' });
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.bigInt(-9n, 9n), note: fc.constantFrom('x', 'y', null) }), {
          maxLength: 40,
        }),
        (list) => {
          const rows = list.map((row) => ({ ...row, total: null }));
          const made = applied(bound, Batch.ofRows(schema, rows));
          expect(made.rows()).toEqual(rows.filter((row) => row.id % 3n === 1n || row.note === 'x'));
        },
      ),
    );
  });

  it('decode only the columns of the condition, and nothing is copied when all stay', async () => {
    const bound = await bindTransform('filter', schema, positive);
    const batch = guarded(Batch.ofRows(schema, [{ id: 1n, total: '1.00', note: 'a' }]), ['total']);
    expect(applied(bound, batch)).toBe(batch);
    expect(bound).toMatchObject({ reads: ['total'], writes: [], out: schema });
  });

  it('without a result stop the batch with the first such row', async () => {
    const bound = await bindTransform('filter', schema, { where: '10 / id > 1' });
    const batch = Batch.ofRows(
      schema,
      [1n, 0n, 0n].map((id) => ({ id, total: null, note: null })),
    );
    const error = await errorOf(() => bound.apply(batch));
    expect(error).toMatchObject({
      code: 'SLUICE-EXPR-0004',
      class: 'data',
      details: { stream: 'orders', row: 1 },
    });
    expect(error.message).toContain('division by zero');
  });
});

describe('changes', () => {
  const yes = (id: bigint) => ({ id, total: '5.00', note: 'yes' });
  const no = (id: bigint) => ({ id, total: '-5.00', note: 'no' });
  /** A row of which no more than the key is known. */
  const keyOf = (id: bigint): Row => ({ id, total: UNCHANGED, note: UNCHANGED });

  it('that stop matching become deletes by key; deletes always pass', async () => {
    const bound = await bindTransform('filter', schema, positive);
    const deleted: Row = { id: 7n, total: null, note: null };
    const made = applied(
      bound,
      batchOf([
        ['insert', yes(1n)],
        ['insert', no(2n)],
        ['update', yes(3n)],
        ['update', no(4n)],
        ['upsert', yes(5n)],
        ['upsert', no(6n)],
        ['delete', deleted],
      ]),
    );
    expect(changes(made)).toEqual([
      ['insert', yes(1n)],
      ['update', yes(3n)],
      ['delete', keyOf(4n)],
      ['upsert', yes(5n)],
      ['delete', keyOf(6n)],
      ['delete', deleted],
    ]);
  });

  it('of one op for the whole batch are treated alike', async () => {
    const bound = await bindTransform('filter', schema, positive);
    const updates = Batch.ofRows(schema, [yes(1n), no(2n)], { op: 'update' });
    expect(changes(applied(bound, updates))).toEqual([
      ['update', yes(1n)],
      ['delete', keyOf(2n)],
    ]);
    const deletes = Batch.ofRows(schema, [no(1n)], { op: 'delete' });
    expect(applied(bound, deletes)).toBe(deletes);
  });

  it('know by the before-image whether the row was ever there', async () => {
    const bound = await bindTransform('filter', schema, positive);
    const made = applied(
      bound,
      batchOf([
        ['update', no(1n), no(1n)],
        ['update', no(2n), yes(2n)],
        ['update', yes(3n), no(3n)],
        ['update', yes(4n), yes(4n)],
      ]),
    );
    expect(changes(made)).toEqual([
      ['delete', yes(2n)],
      ['upsert', yes(3n)],
      ['update', yes(4n)],
    ]);
    expect(made.before?.rows().map((row) => row['id'])).toEqual([2n, 3n, 4n]);
  });

  it('of a row that comes to match carry all its values', async () => {
    const bound = await bindTransform('filter', schema, positive);
    const made = applied(
      bound,
      batchOf([
        ['update', { id: 1n, total: '1.00', note: UNCHANGED }, no(1n)],
        ['update', { id: 2n, total: '1.00', note: UNCHANGED }, yes(2n)],
      ]),
    );
    expect(changes(made)).toEqual([
      ['upsert', { id: 1n, total: '1.00', note: 'no' }],
      ['update', { id: 2n, total: '1.00', note: UNCHANGED }],
    ]);
  });

  it('that move a row out delete it by its old key', async () => {
    const bound = await bindTransform('filter', schema, positive);
    const made = applied(
      bound,
      batchOf([
        ['move', no(11n), keyOf(1n)],
        ['move', yes(12n), keyOf(2n)],
        ['update', no(13n), yes(13n)],
      ]),
    );
    expect(made.rows().map((row, i) => [made.opAt(i), row['id']])).toEqual([
      ['delete', 1n],
      ['move', 12n],
      ['delete', 13n],
    ]);
    expect(made.before?.rows().map((row) => row['id'])).toEqual([1n, 2n, 13n]);
  });

  it('read what was not sent from the before-image, and fail without one', async () => {
    const bound = await bindTransform('filter', schema, { where: 'total > 0' });
    const unsent: Row = { id: 1n, total: UNCHANGED, note: 'new' };
    const made = applied(bound, batchOf([['update', unsent, yes(1n)]]));
    expect(changes(made)).toEqual([['update', unsent]]);
    const error = await errorOf(() => bound.apply(batchOf([['update', unsent]])));
    expect(error).toMatchObject({ code: 'SLUICE-EXPR-0005', class: 'data' });
  });

  it('of a stream without a key are only left out', async () => {
    const bound = await bindTransform('filter', keyless, positive);
    expect(
      changes(
        applied(
          bound,
          batchOf(
            [
              ['update', no(1n)],
              ['upsert', yes(2n)],
            ],
            keyless,
          ),
        ),
      ),
    ).toEqual([['upsert', yes(2n)]]);
  });
});

it('a condition that is none is a config error', async () => {
  expect(await errorOf(() => bindTransform('filter', schema, { where: 'total' }))).toMatchObject({
    code: 'SLUICE-EXPR-0003',
    class: 'config',
  });
});

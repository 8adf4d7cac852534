import { Batch, field, OPS, type Origins, type Row, streamSchema, types, UNCHANGED } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { planOf } from '../testing/plan-stream.js';
import { changeLog } from './change-log.js';

const schema = streamSchema(
  'items',
  [field('id', types.int64, { nullable: false }), field('note', types.string)],
  ['id'],
);
const origins: Origins = {
  at: (row) => ({ committedAt: BigInt(row), transaction: '0A', ordinal: row * 2 }),
  shownBy: () => undefined,
};
const codes = (...ops: (typeof OPS)[number][]) => Uint8Array.from(ops, (op) => OPS.indexOf(op));

describe('a change log', () => {
  it('has a row for every change, and two where the key changes', () => {
    const old: Row[] = [
      { id: UNCHANGED, note: UNCHANGED },
      { id: UNCHANGED, note: UNCHANGED },
      { id: 2n, note: UNCHANGED },
      { id: 4n, note: 'was' },
      { id: 5n, note: UNCHANGED },
    ];
    const before = Batch.ofRows(schema, old);
    const rows: Row[] = [
      { id: 1n, note: 'a' },
      { id: 2n, note: UNCHANGED },
      { id: 3n, note: UNCHANGED },
      { id: 4n, note: null },
      { id: 5n, note: null },
    ];
    const op = codes('insert', 'update', 'move', 'delete', 'delete');
    const [made] = changeLog(schema).apply(Batch.ofRows(schema, rows, { op, before, origins }));
    const at = (row: number, ordinal: number) => ({
      _committed_at: BigInt(row),
      _position: `0A/0000000${ordinal}`,
    });
    expect(made!.op).toBe('insert');
    expect(made!.rows()).toEqual([
      { _op: 'insert', ...at(0, 0), _unchanged: null, id: 1n, note: 'a' },
      { _op: 'update', ...at(1, 2), _unchanged: '["note"]', id: 2n, note: null },
      { _op: 'delete', ...at(2, 4), _unchanged: null, id: 2n, note: null },
      { _op: 'insert', ...at(2, 5), _unchanged: '["note"]', id: 3n, note: null },
      { _op: 'delete', ...at(3, 6), _unchanged: null, id: 4n, note: 'was' },
      { _op: 'delete', ...at(4, 8), _unchanged: null, id: 5n, note: null },
    ]);
  });

  it('has one for everything that goes at once', () => {
    const made = changeLog(schema).clear!({ kind: 'clear', stream: 'items', origins }) as Batch;
    expect(made.rows()).toEqual([{ _op: 'truncate', _committed_at: 0n, _position: '0A/00000000' }]);
    expect(made.column(4).length).toBe(1);
  });

  it('lets every column be null, and has no key', () => {
    const { out } = changeLog(schema);
    expect(out.key).toEqual([]);
    expect(out.fields.map(({ name, nullable }) => [name, nullable])).toEqual([
      ['_op', false],
      ['_committed_at', true],
      ['_position', true],
      ['_unchanged', true],
      ['id', true],
      ['note', true],
    ]);
  });

  it('is refused where a column of the stream has a name that it needs', () => {
    const fields = [...schema.fields, field('_op', types.string)];
    expect(() => changeLog({ ...schema, fields })).toThrow(
      expect.objectContaining({ code: 'SLUICE-CORE-0018', message: expect.stringContaining('"_op"') }),
    );
  });
});

describe('a plan that appends changes', () => {
  const streams = [{ schema, types: [] }];

  it('asks the source to copy so that each change comes once', async () => {
    const plan = await planOf({ streams, mode: 'cdc', once: true, target: () => ({ write: 'append' }) });
    expect(plan.streams[0]!.read.once).toBe(true);
    const { table } = plan.streams[0]!.targets['main']!;
    expect(table.schema.fields.map(({ name }) => name)).toContain('_position');
  });

  it('is refused where the source cannot do that', async () => {
    const made = planOf({ streams, mode: 'cdc', target: () => ({ write: 'append' }) });
    await expect(made).rejects.toMatchObject({
      code: 'SLUICE-CORE-0008',
      message: expect.stringContaining('what a copy shows'),
    });
  });
});

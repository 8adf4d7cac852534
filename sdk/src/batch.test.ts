import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch, type ColumnDecoder, OPS, type Op } from './batch.js';
import { columnOf } from './column-build.js';
import { columnValues } from './column-read.js';
import type { Column } from './layout.js';
import { streamSchema } from './schema.js';
import { anyColumn, rowValue } from './testing/arbitraries.js';
import * as types from './types.js';
import { field } from './types.js';
import type { Row } from './values.js';

const schema = streamSchema(
  'people',
  [field('id', types.int64, { nullable: false }), field('name', types.string)],
  ['id'],
);
const rows: Row[] = [
  { id: 1n, name: 'Ada' },
  { id: 2n, name: null },
  { id: 3n, name: 'Bob' },
];
const columns = schema.fields.map((f) =>
  columnOf(
    f,
    rows.map((row) => row[f.name]!),
  ),
);

/** A decoder that notes which columns it was asked for. */
function decoder(): ColumnDecoder & { asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    column(index: number): Column {
      asked.push(index);
      return columns[index]!;
    },
  };
}

function encodedBatch(from: ColumnDecoder, op?: Op | Uint8Array): Batch {
  const encoded = { format: 'test', bytes: new Uint8Array(90) };
  return Batch.ofEncoded(schema, 3, encoded, from, op === undefined ? {} : { op });
}

describe('the views of a batch', () => {
  it('agree, whichever it was made of, for any types', () => {
    fc.assert(
      fc.property(fc.array(anyColumn, { minLength: 1, maxLength: 3 }), fc.nat(8), (made, count) => {
        const shape = streamSchema(
          's',
          made.map(({ type }, i) => field(`c${i}`, type)),
        );
        const list = Array.from(
          { length: count },
          (_, at): Row => Object.fromEntries(made.map(({ values }, i) => [`c${i}`, values[at] ?? null])),
        );
        const byRows = Batch.ofRows(shape, list);
        const byColumns = Batch.ofColumns(shape, byRows.columns(), count);
        expect(byColumns.rows()).toEqual(list);
        expect(byRows.rows()).toBe(list);
        for (const [i, f] of shape.fields.entries()) {
          expect(columnValues(f.type, byColumns.column(i))).toEqual(list.map((row) => row[f.name]));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are made once, and only when they are asked for', () => {
    const source = decoder();
    const batch = encodedBatch(source);
    expect([batch.rowCount, batch.byteSize, batch.encoded?.format, batch.stream]).toEqual([
      3,
      90,
      'test',
      'people',
    ]);
    expect(source.asked).toEqual([]);
    expect(batch.column(1)).toBe(batch.column(1));
    expect(source.asked).toEqual([1]);
    expect(batch.rows()).toBe(batch.rows());
    expect(batch.rows()).toEqual(rows);
    expect(source.asked).toEqual([1, 0]);
  });

  it('take a missing property for null, and refuse a value of another type where it is looked at', () => {
    const batch = Batch.ofRows(schema, [{ id: 1n }, { id: 'x' }]);
    expect(columnValues(types.string, batch.column(1))).toEqual([null, null]);
    expect(() => batch.column(0)).toThrow(expect.objectContaining({ code: 'SLUICE-SDK-0001' }));
  });
});

describe('ops', () => {
  it('are one for the batch or one a row', () => {
    expect(
      OPS.map((_, code) => Batch.ofRows(schema, rows, { op: Uint8Array.of(code, 0, 0) }).opAt(0)),
    ).toEqual([...OPS]);
    expect(Batch.ofRows(schema, rows).opAt(2)).toBe('insert');
    expect(Batch.ofRows(schema, rows, { op: 'upsert' }).opAt(2)).toBe('upsert');
  });
});

describe('a derived batch', () => {
  const selection = Uint32Array.of(2, 0);
  const renamed = { ...schema, fields: [field('who', types.string), field('size', types.int32)], key: [] };

  it('takes columns over undecoded, and makes others when they are touched', () => {
    const source = decoder();
    let made = 0;
    const batch = encodedBatch(source).derive(renamed, [
      1,
      () => {
        made++;
        return columnOf(field('size', types.int32), [3, null, 3]);
      },
    ]);
    expect([source.asked, made, batch.encoded]).toEqual([[], 0, undefined]);
    expect(batch.rows()).toEqual([
      { who: 'Ada', size: 3 },
      { who: null, size: null },
      { who: 'Bob', size: 3 },
    ]);
    expect([source.asked, made]).toEqual([[1], 1]);
  });

  it('has the rows of a selection, with their ops, before-images and origins', () => {
    const before = Batch.ofRows(
      schema,
      rows.map((row) => ({ ...row, id: (row['id'] as bigint) * 10n })),
    );
    const origins = {
      at: (row: number) => ({ committedAt: 5n, transaction: 'a', ordinal: row }),
      shownBy: () => (row: number) => row === 2,
    };
    const op = Uint8Array.of(1, 2, 4);
    const batch = Batch.ofColumns(schema, columns, 3, { op, before, origins, byteSize: 300 });
    const chosen = batch.select(selection);
    expect(chosen.rows()).toEqual([rows[2], rows[0]]);
    expect([chosen.opAt(0), chosen.opAt(1)]).toEqual(['move', 'update']);
    expect(chosen.before?.rows().map((row) => row['id'])).toEqual([30n, 10n]);
    expect([0, 1].map((row) => chosen.origins!.at(row).ordinal)).toEqual([2, 0]);
    expect([0, 1].map(chosen.origins!.shownBy([])!)).toEqual([true, false]);
    expect(chosen.select(Uint32Array.of(1)).origins!.at(0).ordinal).toBe(0);
    expect(chosen.byteSize).toBe(200);
    expect(batch.select(new Uint32Array(0)).rows()).toEqual([]);
  });

  it('selects as an array does, for any types', () => {
    const anyRows = fc
      .constantFrom(types.json, types.list(types.decimal(20, 2)), types.uuid)
      .chain((type) => fc.array(rowValue(type), { maxLength: 20 }).map((values) => ({ type, values })));
    fc.assert(
      fc.property(anyRows, fc.array(fc.nat(19)), ({ type, values }, wanted) => {
        const indices = Uint32Array.from(wanted.filter((i) => i < values.length));
        const batch = Batch.ofRows(
          streamSchema('s', [field('v', type)]),
          values.map((v) => ({ v })),
        );
        expect(batch.select(indices).rows()).toEqual(Array.from(indices, (i) => ({ v: values[i] })));
      }),
    );
  });

  it('may change ops and before-images, aligned with the rows that remain', () => {
    const batch = Batch.ofColumns(schema, columns, 3, { op: 'update', before: Batch.ofRows(schema, rows) });
    const before = Batch.ofRows(schema, [
      { id: 7n, name: null },
      { id: 8n, name: null },
    ]);
    const made = batch.derive(schema, [0, 1], selection, { op: Uint8Array.of(2, 1), before });
    expect([made.opAt(0), made.opAt(1)]).toEqual(['delete', 'update']);
    expect(made.before).toBe(before);
    expect(batch.derive(schema, [0, 1]).before).toBe(batch.before);
  });

  it('of an empty batch is empty', () => {
    const empty = Batch.ofRows(schema, []);
    const chosen = empty.select(new Uint32Array(0));
    expect([chosen.rowCount, chosen.rows(), chosen.byteSize]).toEqual([0, [], 0]);
  });
});

import {
  Batch,
  type Column,
  columnValues,
  field,
  type Row,
  streamSchema,
  types,
  type Value,
} from '@sluice/sdk';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { fit } from '../types/fit.js';
import type { Wire } from '../types/wire.js';
import { FieldIndex } from './field-index.js';
import { FrameBatches } from './frame-batch.js';
import { FrameEncoder } from './frame-encoder.js';

const schema = streamSchema('s', [
  field('id', types.int64, { nullable: false }),
  field('name', types.string),
  field('amount', types.decimal(12, 2)),
  field('raw', types.bytes),
  field('day', types.date),
]);
const wires: Wire[] = [
  { kind: 'int8' },
  { kind: 'text' },
  { kind: 'numeric', precision: 12, scale: 2 },
  { kind: 'bytea' },
  { kind: 'date' },
];

const row = fc.record({
  id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  name: fc.option(fc.string({ unit: 'grapheme-ascii', maxLength: 200 })),
  amount: fc.option(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((n) => (n / 100).toFixed(2))),
  raw: fc.option(fc.uint8Array({ maxLength: 9 })),
  day: fc.option(fc.integer({ min: -100_000, max: 100_000 })),
});

function encoderOf(names: readonly string[], passing: boolean): FrameEncoder {
  return new FrameEncoder(
    names.map((name) => {
      const i = schema.fields.findIndex((f) => f.name === name);
      const { encoder } = fit(name, schema.fields[i]!.type, wires[i]!)!;
      return { name, encoder, ...(passing && { wire: wires[i]! }) };
    }),
  );
}

function framesOf(encoder: FrameEncoder, columns: readonly Column[], rows: number): Buffer {
  return Buffer.concat([...encoder.encode(columns, rows)].map(({ bytes }) => Buffer.from(bytes)));
}

/** Rows as a server sends them. */
function received(rows: readonly Row[]): Batch {
  const names = schema.fields.map(({ name }) => name);
  const columns = Batch.ofRows(schema, rows).columns();
  const bytes = framesOf(encoderOf(names, false), columns, rows.length);
  return new FrameBatches(schema, wires, undefined).batch({ bytes, rows: rows.length });
}

it('fields are copied as they would be encoded, whichever columns and rows are left', () => {
  const names = schema.fields.map(({ name }) => name);
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 60 }),
      fc.shuffledSubarray(names, { minLength: 1 }),
      fc.array(fc.nat(), { maxLength: 2 }),
      fc.option(fc.constantFrom(...names)),
      (rows, chosen, steps, touched) => {
        let batch = received(rows);
        for (const step of steps) {
          const keep = Uint32Array.from(rows.keys()).filter((i) => i < batch.rowCount && (i + step) % 3 > 0);
          batch = batch.select(keep);
        }
        const columns = chosen.map((name) => batch.column(names.indexOf(name)));
        if (touched !== null) columnValues(types.int64, batch.column(0));
        const copied = framesOf(encoderOf(chosen, true), columns, batch.rowCount);
        const encoded = framesOf(encoderOf(chosen, false), columns, batch.rowCount);
        expect(copied.equals(encoded)).toBe(true);
      },
    ),
  );
});

it('columns that are only passed on are not decoded', () => {
  const rows: Row[] = [{ id: 1n, name: 'a', amount: '1.50', raw: null, day: 3 }];
  const cells = vi.spyOn(FieldIndex.prototype, 'cells');
  const batch = received(rows).select(Uint32Array.of(0));
  const name = Batch.ofRows(schema, [{ ...rows[0]!, name: 'masked' }]).column(1);
  const columns = [batch.column(0), name, batch.column(2), batch.column(3), batch.column(4)];
  const encoder = encoderOf(
    schema.fields.map((f) => f.name),
    true,
  );
  const bytes = framesOf(encoder, columns, 1);
  expect(cells).not.toHaveBeenCalled();
  const read = new FrameBatches(schema, wires, undefined).batch({ bytes, rows: 1 });
  const values = schema.fields.map(({ type }, i): Value => columnValues(type, read.column(i))[0]!);
  expect(values).toEqual([1n, 'masked', '1.50', null, 3]);
  cells.mockRestore();
});

it('a column with another wire is decoded and encoded', () => {
  const batch = received([{ id: 7n, name: null, amount: '1.50', raw: null, day: null }]);
  const wide = fit('amount', types.decimal(12, 2), { kind: 'numeric', precision: 20, scale: 4 })!;
  const target: Wire = { kind: 'numeric', precision: 20, scale: 4 };
  const encoder = new FrameEncoder([{ name: 'amount', encoder: wide.encoder, wire: target }]);
  const bytes = framesOf(encoder, [batch.column(2)], 1);
  const read = new FrameBatches(
    streamSchema('s', [field('amount', types.decimal(20, 4))]),
    [target],
    undefined,
  );
  expect(columnValues(types.decimal(20, 4), read.batch({ bytes, rows: 1 }).column(0))).toEqual(['1.5000']);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnBuilder, columnOf } from './column-build.js';
import { columnValues } from './column-read.js';
import { type Column, getBit } from './layout.js';
import { slice, take } from './take.js';
import { anyColumn } from './testing/arbitraries.js';
import * as types from './types.js';
import { field, formatType, type LogicalType } from './types.js';
import { layoutOf, Special, UNCHANGED, type Value } from './values.js';

function build(type: LogicalType, values: readonly Value[]): Column {
  return columnOf(field('v', type), values);
}

describe('a column', () => {
  it('holds the values that it was made of, for every type', () => {
    fc.assert(
      fc.property(anyColumn, ({ type, values }) => {
        const column = build(type, values);
        expect(column.length).toBe(values.length);
        expect(columnValues(type, column), formatType(type)).toEqual(values);
      }),
      { numRuns: 1000 },
    );
  });

  it('has the layout of the table, at every level', () => {
    fc.assert(
      fc.property(anyColumn, ({ type, values }) => {
        const { data } = build(type, values);
        const layout = layoutOf(type);
        const fixed = /^(u?int|float)\d+$/.test(layout);
        expect(data.layout).toBe(fixed ? 'fixed' : layout === 'bytes16' ? 'bytes' : layout);
        if (data.layout === 'fixed')
          expect(data.values.constructor.name.toLowerCase().replace('big', '')).toBe(`${layout}array`);
        if (data.layout === 'varlen' || data.layout === 'list')
          expect(data.offsets.length).toBe(values.length + 1);
        if (data.layout === 'struct' || data.layout === 'union') {
          expect(data.children.map((child) => child.length)).toEqual(data.children.map(() => values.length));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('marks rows without a value in its bitmaps, and leaves nothing under them', () => {
    fc.assert(
      fc.property(anyColumn, ({ type, values }) => {
        const { validity, absent, special, data } = build(type, values);
        values.forEach((value, i) => {
          const missing = value === null || value === UNCHANGED || value instanceof Special;
          expect(validity === undefined ? false : !getBit(validity, i)).toBe(missing);
          expect(absent === undefined ? false : getBit(absent, i)).toBe(value === UNCHANGED);
          expect(special?.get(i)).toBe(value instanceof Special ? value.text : undefined);
          if (!missing) return;
          if (data.layout === 'fixed') expect(Number(data.values[i])).toBe(0);
          if (data.layout === 'bits') expect(getBit(data.values, i)).toBe(false);
          if (data.layout === 'varlen' || data.layout === 'list')
            expect(data.offsets[i + 1]).toBe(data.offsets[i]);
          if (data.layout === 'bytes')
            expect(data.values.subarray(i * data.width, (i + 1) * data.width).every((b) => b === 0)).toBe(
              true,
            );
        });
      }),
      { numRuns: 500 },
    );
  });

  it('has no bitmap when every row has a value', () => {
    const column = build(types.int32, [1, 2]);
    expect(Object.keys(column).toSorted()).toEqual(['data', 'length']);
  });

  it('can be grown far beyond its first capacity', () => {
    const builder = columnBuilder(field('v', types.string), 1);
    const values = Array.from(
      { length: 3000 },
      (_, i): Value => (i % 7 === 0 ? null : i % 11 === 0 ? UNCHANGED : 'ü'.repeat(i % 90)),
    );
    for (const value of values) builder.append(value);
    expect(builder.length).toBe(3000);
    expect(columnValues(types.string, builder.finish())).toEqual(values);
  });
});

describe('rows of a column', () => {
  it('are taken in any order, as from an array', () => {
    fc.assert(
      fc.property(anyColumn, fc.array(fc.nat(39), { maxLength: 60 }), ({ type, values }, wanted) => {
        const indices = Uint32Array.from(wanted.filter((i) => i < values.length));
        const taken = take(build(type, values), indices);
        expect(taken.length).toBe(indices.length);
        expect(columnValues(type, taken)).toEqual(Array.from(indices, (i) => values[i]));
      }),
      { numRuns: 1000 },
    );
  });

  it('are sliced, and sliced again, as an array is', () => {
    fc.assert(
      fc.property(anyColumn, fc.nat(40), fc.nat(40), fc.nat(40), ({ type, values }, a, b, c) => {
        const [from, to] = [Math.min(a, b, values.length), Math.min(Math.max(a, b), values.length)];
        const once = slice(build(type, values), from, to);
        expect(columnValues(type, once)).toEqual(values.slice(from, to));
        const again = Math.min(c, once.length);
        const twice = slice(once, again, once.length);
        expect(columnValues(type, twice)).toEqual(values.slice(from + again, to));
        expect(
          columnValues(
            type,
            take(
              once,
              Uint32Array.from({ length: once.length }, (_, i) => i),
            ),
          ),
        ).toEqual(values.slice(from, to));
      }),
      { numRuns: 1000 },
    );
  });

  it('share memory where they can', () => {
    const column = build(types.int64, [1n, 2n, 3n]);
    const part = slice(column, 1, 3);
    if (column.data.layout !== 'fixed' || part.data.layout !== 'fixed') throw new Error('int64 is fixed');
    expect(part.data.values.buffer).toBe(column.data.values.buffer);
    expect(slice(column, 0, 3)).toBe(column);
  });
});

describe('a value that does not fit is refused', () => {
  it.each<[LogicalType, Value]>([
    [types.bool, 1],
    [types.int8, 128],
    [types.int8, 1.5],
    [types.int32, 5n],
    [types.int32, '5'],
    [types.int64, 2n ** 63n],
    [types.int64, 2 ** 53],
    [types.uint64, -1n],
    [types.float64, '1'],
    [types.decimal(4, 2), '100.00'],
    [types.decimal(4, 2), '1.005'],
    [types.decimal(30, 2), '1.005'],
    [types.decimal(45, 2), '1.005'],
    [types.decimal(), 'NaN'],
    [types.string, 5],
    [types.string, '\ud800'],
    [types.string, `${'x'.repeat(100)}\udc00!`],
    [types.bytes, 'x'],
    [types.uuid, 'x'],
    [types.date, 0.5],
    [types.date, 2 ** 31],
    [types.time, -1n],
    [types.time, 86_400_000_001n],
    [types.timestamp, 2n ** 63n],
    [{ kind: 'timestamp', unit: 'us', zone: 'offset' }, 5n],
    [
      { kind: 'timestamp', unit: 'us', zone: 'offset' },
      { at: 5n, offset: 40_000 },
    ],
    [types.interval, { months: 2 ** 31, days: 0, nanos: 0n }],
    [types.interval, { months: 0, days: 0.5, nanos: 0n }],
    [types.interval, { months: 0, days: 0, nanos: 2n ** 63n }],
    [types.interval, 'P1D'],
    [types.enumOf('a'), 'b'],
    [types.list(types.int32), 5],
    [types.list(types.int32), ['x']],
    [types.struct([field('a', types.int32)]), []],
    [types.struct([field('a', types.int32)]), { a: 'x' }],
    [types.map(types.string, types.int32), [['k']]],
    [types.map(types.string, types.int32), { k: 1 }],
    [
      { kind: 'union', variants: [field('a', types.int32)] },
      { tag: 'b', value: 1 },
    ],
    [{ kind: 'union', variants: [field('a', types.int32)] }, 7],
    [types.nullType, 1],
  ])('%o: %o', (type, value) => {
    expect(() => build(type, [value])).toThrow(
      expect.objectContaining({ code: 'SLUICE-SDK-0001', class: 'data' }),
    );
  });

  it('and named, shortened, with its column and type', () => {
    const long = 'x'.repeat(500);
    expect(() => columnOf(field('born', types.date), [long])).toThrow(
      `column born: "${long.slice(0, 80)}" is no date`,
    );
  });
});

describe('a value in a wider notation is taken', () => {
  it.each<[LogicalType, Value, Value]>([
    [types.int64, 5, 5n],
    [types.decimal(10, 2), 5, '5.00'],
    [types.decimal(10, 2), 5n, '5.00'],
    [types.decimal(10, 2), '.5', '0.50'],
    [types.decimal(30, 2), '1e3', '1000.00'],
    [types.decimal(45, 2), '7', '7.00'],
    [types.decimal(), '1.50', '1.50'],
    [types.decimal(), '15e-1', '1.5'],
    [types.decimal(), 1e21, '1000000000000000000000'],
    [types.uuid, '{01234567-89AB-CDEF-0123-456789ABCDEF}', '01234567-89ab-cdef-0123-456789abcdef'],
    [types.bytes, Buffer.from([1, 2]), Uint8Array.of(1, 2)],
  ])('%o: %o becomes %o', (type, value, expected) => {
    expect(columnValues(type, build(type, [value]))).toEqual([expected]);
  });

  it('and a missing one is null', () => {
    const builder = columnBuilder(field('v', types.int32));
    builder.append(undefined);
    expect(columnValues(types.int32, builder.finish())).toEqual([null]);
  });
});

/** Encoders of dates, timestamps and intervals; see `decode-time.ts` for the epochs. */
import type { Column } from '@sluice/sdk';
import { pgErrors } from '../errors.js';
import type { ColumnEncoder, Output, RowRange } from './column-encoder.js';
import { EPOCH_DAYS, EPOCH_HIGH, EPOCH_LOW } from './decode-time.js';
import { fixedValues, halvesOf } from './encode-fixed.js';
import { RowProblem } from './row-problem.js';

const TWO_32 = 2 ** 32;
const FIRST = -0x80000000;
const LAST = 0x7fffffff;

/** Whether a special's text is an infinity, by the sign; undefined when it is something else. */
function infinity(text: string): 1 | -1 | undefined {
  const match = /^\s*([+-]?)infinity\s*$/i.exec(text);
  if (match === null) return undefined;
  return match[1] === '-' ? -1 : 1;
}

function outOfRange(row: number, what: string): RowProblem {
  return new RowProblem(pgErrors.valueRefused, row, `a ${what} lies beyond what PostgreSQL can hold`);
}

function finer(row: number): RowProblem {
  return new RowProblem(pgErrors.valueRefused, row, 'an interval has digits behind the microsecond');
}

export const encodeDate: ColumnEncoder = {
  size: 4,
  write(column: Column, { from, to }: RowRange, { view, cursor }: Output): void {
    const { validity } = column;
    const values = fixedValues<Int32Array>(column);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      const days = values[i]! - EPOCH_DAYS;
      // Below this the number would wrap around, or mean -infinity.
      if (days <= FIRST) throw outOfRange(i, 'date');
      view.setInt32(at, 4);
      view.setInt32(at + 4, days);
      cursor[i - from] = at + 8;
    }
  },
  special(text, out, at = 0) {
    const sign = infinity(text);
    if (sign === undefined) return undefined;
    out?.view.setInt32(at, sign > 0 ? LAST : FIRST);
    return 4;
  },
};

function infiniteTimestamp(text: string, out?: Output, at = 0): number | undefined {
  const sign = infinity(text);
  if (sign === undefined) return undefined;
  out?.view.setInt32(at, sign > 0 ? LAST : FIRST);
  out?.view.setInt32(at + 4, sign > 0 ? -1 : 0);
  return 8;
}

/** Microseconds since 1970. */
export const encodeTimestamp: ColumnEncoder = {
  size: 8,
  write(column: Column, { from, to }: RowRange, { view, cursor }: Output): void {
    const { validity } = column;
    const halves = halvesOf(column);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      const low = (halves[2 * i]! >>> 0) - EPOCH_LOW;
      const high = halves[2 * i + 1]! - EPOCH_HIGH - (low < 0 ? 1 : 0);
      // Below this the number would wrap around, or mean -infinity.
      if (high <= FIRST) throw outOfRange(i, 'timestamp');
      view.setInt32(at, 8);
      view.setInt32(at + 4, high | 0);
      view.setInt32(at + 8, low | 0);
      cursor[i - from] = at + 12;
    }
  },
  special: infiniteTimestamp,
};

/** Nanoseconds as microseconds, rounded down, in halves: (r × 2^32 + low) ÷ 1000 stays below 2^53. */
export function nanosToMicros(column: Column): Column {
  const halves = halvesOf(column);
  const values = new BigInt64Array(column.length);
  const out = new Int32Array(values.buffer);
  for (let i = 0; i < column.length; i++) {
    const high = halves[2 * i + 1]!;
    const quotient = Math.floor(high / 1000);
    const rest = high - quotient * 1000;
    out[2 * i] = Math.floor((rest * TWO_32 + (halves[2 * i]! >>> 0)) / 1000);
    out[2 * i + 1] = quotient;
  }
  return { ...column, data: { layout: 'fixed', values } };
}

/** int32 months, int32 days, int64 nanoseconds → int64 microseconds, int32 days, int32 months. */
export const encodeInterval: ColumnEncoder = {
  size: 16,
  write({ data, validity }: Column, { from, to }: RowRange, { view, cursor }: Output): void {
    if (data.layout !== 'bytes') throw new TypeError(`a ${data.layout} column, not bytes`);
    const source = new DataView(data.values.buffer, data.values.byteOffset, data.values.byteLength);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      const nanos = source.getBigInt64(i * 16 + 8, true);
      if (nanos % 1000n !== 0n) throw finer(i);
      view.setInt32(at, 16);
      view.setBigInt64(at + 4, nanos / 1000n);
      view.setInt32(at + 12, source.getInt32(i * 16 + 4, true));
      view.setInt32(at + 16, source.getInt32(i * 16, true));
      cursor[i - from] = at + 20;
    }
  },
};

/** Microseconds as an interval of time alone. */
export const encodeDuration: ColumnEncoder = {
  size: 16,
  write(column: Column, { from, to }: RowRange, { view, cursor }: Output): void {
    const { validity } = column;
    const halves = halvesOf(column);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !((validity[i >> 3]! >> (i & 7)) & 1)) continue;
      const at = cursor[i - from]!;
      view.setInt32(at, 16);
      view.setInt32(at + 4, halves[2 * i + 1]!);
      view.setInt32(at + 8, halves[2 * i]!);
      view.setInt32(at + 12, 0);
      view.setInt32(at + 16, 0);
      cursor[i - from] = at + 20;
    }
  },
};

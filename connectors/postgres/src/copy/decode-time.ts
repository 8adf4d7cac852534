/** Decoders of dates, timestamps and intervals. PostgreSQL counts from 2000-01-01, columns from 1970-01-01. */
import type { Column } from '@sluice/sdk';
import { timestampText } from '../types/value-text.js';
import type { Cells } from './cells.js';
import { Specials } from './decode-fixed.js';

export const EPOCH_DAYS = 10_957;
/** 10,957 days in microseconds, as two halves. */
export const EPOCH_HIGH = 220_417;
export const EPOCH_LOW = 993_517_568;

const LAST = 0x7fffffff;
const FIRST = -0x80000000;

export function decodeDate(cells: Cells): Column {
  const { view, starts } = cells;
  const values = new Int32Array(starts.length);
  const specials = new Specials();
  for (let i = 0; i < values.length; i++) {
    const at = starts[i]!;
    if (at < 0) continue;
    const days = view.getInt32(at);
    if (days === LAST || days === FIRST) specials.add(i, days === LAST ? 'infinity' : '-infinity');
    else values[i] = days + EPOCH_DAYS;
  }
  return { length: values.length, data: { layout: 'fixed', values }, ...specials.over(cells) };
}

const EPOCH_MICROS = 946_684_800_000_000n;

/** The last 31 years before 294277, which are more than 2^63 microseconds after 1970, travel as their text. */
export function decodeTimestamp(cells: Cells, zone: 'utc' | 'none'): Column {
  const { view, starts } = cells;
  const length = starts.length;
  const values = new BigInt64Array(length);
  const halves = new Int32Array(values.buffer);
  const specials = new Specials();
  for (let i = 0; i < length; i++) {
    const at = starts[i]!;
    if (at < 0) continue;
    const high = view.getInt32(at);
    const low = view.getUint32(at + 4);
    if (high === LAST && low === 0xffffffff) {
      specials.add(i, 'infinity');
    } else if (high === FIRST && low === 0) {
      specials.add(i, '-infinity');
    } else {
      const sum = low + EPOCH_LOW;
      const shifted = high + EPOCH_HIGH + (sum > 0xffffffff ? 1 : 0);
      if (shifted > LAST) {
        specials.add(i, timestampText(view.getBigInt64(at) + EPOCH_MICROS, 'us', zone));
      } else {
        halves[2 * i] = sum | 0;
        halves[2 * i + 1] = shifted;
      }
    }
  }
  return { length, data: { layout: 'fixed', values }, ...specials.over(cells) };
}

/** The largest number of microseconds whose nanoseconds fit 64 bits. */
const MOST_MICROS = 9_223_372_036_854_775n;

/** int64 microseconds, int32 days, int32 months → int32 months, int32 days, int64 nanoseconds. */
export function decodeInterval(cells: Cells): Column {
  const { view, starts } = cells;
  const length = starts.length;
  const values = new Uint8Array(length * 16);
  const out = new DataView(values.buffer);
  const specials = new Specials();
  for (let i = 0; i < length; i++) {
    const at = starts[i]!;
    if (at < 0) continue;
    const micros = view.getBigInt64(at);
    const days = view.getInt32(at + 8);
    const months = view.getInt32(at + 12);
    if (micros > MOST_MICROS || micros < -MOST_MICROS) {
      specials.add(i, intervalText(months, days, micros));
      continue;
    }
    out.setInt32(i * 16, months, true);
    out.setInt32(i * 16 + 4, days, true);
    out.setBigInt64(i * 16 + 8, micros * 1000n, true);
  }
  return { length, data: { layout: 'bytes', width: 16, values }, ...specials.over(cells) };
}

/** Text that PostgreSQL reads back as the same three fields. Infinity exists from version 17 on. */
function intervalText(months: number, days: number, micros: bigint): string {
  if (months === LAST && days === LAST && micros === 0x7fff_ffff_ffff_ffffn) return 'infinity';
  if (months === FIRST && days === FIRST && micros === -0x8000_0000_0000_0000n) return '-infinity';
  const sign = micros < 0n ? '-' : '';
  const size = micros < 0n ? -micros : micros;
  const seconds = size / 1_000_000n;
  const clock = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) =>
    part.toString().padStart(2, '0'),
  );
  const fraction = (size % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  return `${months} mons ${days} days ${sign}${clock.join(':')}${fraction && `.${fraction}`}`;
}

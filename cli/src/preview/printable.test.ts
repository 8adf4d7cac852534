import { field, Special, types, UNCHANGED } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { cellText, printable } from './printable.js';

const cases = [
  [types.date, 19782, '2024-02-29'],
  [types.time, 3_661_000_001n, '01:01:01.000001'],
  [types.timestamp, 1_709_214_300_000_000n, '2024-02-29T13:45:00Z'],
  [types.timestampLocal, 1_709_214_300_000_000n, '2024-02-29T13:45:00'],
  [
    { kind: 'timestamp', unit: 'us', zone: 'offset' },
    { at: 1_709_214_300_000_000n, offset: -330 },
    '2024-02-29T08:15:00-05:30',
  ],
  [types.interval, { months: 14, days: -3, nanos: 1_500_000_000n }, 'P14M-3DT1.5S'],
  [types.duration, -1_500_000n, '-1.5 s'],
  [types.bytes, new Uint8Array([0, 255]), '\\x00ff'],
  [types.int64, 2n ** 60n, 2n ** 60n],
  [types.float64, Number.NaN, 'NaN'],
  [types.decimal(4, 2), '12.30', '12.30'],
  [types.list(types.date), [0, null], ['1970-01-01', null]],
  [types.map(types.string, types.date), [['a', 0]], [['a', '1970-01-01']]],
  [types.struct([field('d', types.date)]), { d: 1 }, { d: '1970-01-02' }],
  [{ kind: 'union', variants: [field('d', types.date)] }, { tag: 'd', value: 1 }, { d: '1970-01-02' }],
  [types.date, new Special('infinity'), 'infinity'],
  [types.date, UNCHANGED, '(unchanged)'],
  [types.date, undefined, null],
] as const;

it('shows every kind of value', () => {
  for (const [type, value, shown] of cases) expect(printable(type, value as never), type.kind).toEqual(shown);
});

it('is one text in a cell', () => {
  expect(cellText(types.list(types.int64), [1n, 2n ** 60n])).toBe('["1","1152921504606846976"]');
  expect(cellText(types.int64, 7n)).toBe('7');
  expect(cellText(types.string, null)).toBe('');
  expect(cellText(types.bool, false)).toBe('false');
});

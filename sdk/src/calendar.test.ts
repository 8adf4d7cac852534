import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  civilFromDays,
  daysFromCivil,
  formatDate,
  formatTime,
  formatTimestamp,
  parseDate,
  parseOffsetTimestamp,
  parseTime,
  parseTimestamp,
} from './calendar.js';

const DAY_MS = 86_400_000;
/** Days that JavaScript's Date, the oracle here, can tell. */
const day = fc.integer({ min: -100_000_000, max: 100_000_000 });
const milliseconds = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });
const micros = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });

/** JavaScript writes years beyond 0–9999 as we do, but `Z` and milliseconds always. */
const isoDate = (date: Date) => date.toISOString().split('T')[0]!;

describe('days', () => {
  it('are those of the proleptic Gregorian calendar, as JavaScript has it', () => {
    fc.assert(
      fc.property(day, (days) => {
        const date = new Date(days * DAY_MS);
        const civil = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
        expect(civilFromDays(days)).toEqual(civil);
        expect(daysFromCivil(civil.year, civil.month, civil.day)).toBe(days);
        expect(formatDate(days)).toBe(isoDate(date));
        expect(parseDate(isoDate(date))).toBe(days);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['1970-01-01', 0],
    ['0001-01-01', -719_162],
    ['0000-02-29', -719_469],
    ['1582-10-15', -141_427],
    ['1900-02-28', -25_509],
    ['2000-02-29', 11_016],
    ['9999-12-31', 2_932_896],
    ['+010000-01-01', 2_932_897],
    ['-000001-12-31', -719_529],
  ])('%s is day %d', (text, days) => {
    expect(parseDate(text)).toBe(days);
    expect(formatDate(days)).toBe(text);
  });

  it.each([
    '1900-02-29',
    '2023-02-29',
    '2024-00-01',
    '2024-13-01',
    '2024-01-00',
    '2024-04-31',
    '2024-1-1',
    '20240101',
    '2024-01-01 ',
    '+2024-01-01',
    '',
  ])('%j is no date', (text) => {
    expect(parseDate(text)).toBeUndefined();
  });
});

describe('times of day', () => {
  it('survive being written and read, in either unit', () => {
    for (const unit of ['us', 'ns'] as const) {
      const perDay = 86_400n * (unit === 'us' ? 1_000_000n : 1_000_000_000n);
      fc.assert(
        fc.property(fc.bigInt({ min: 0n, max: perDay }), (units) => {
          expect(parseTime(formatTime(units, unit), unit)).toBe(units);
        }),
      );
    }
  });

  it('have only the digits that they need', () => {
    expect(formatTime(49_500_000_000n, 'us')).toBe('13:45:00');
    expect(formatTime(49_500_120_000n, 'us')).toBe('13:45:00.12');
    expect(formatTime(1n, 'ns')).toBe('00:00:00.000000001');
    expect(parseTime('13:45', 'us')).toBe(49_500_000_000n);
    expect(parseTime('24:00:00', 'us')).toBe(86_400_000_000n);
    expect(parseTime('00:00:00.123456000', 'us')).toBe(123_456n);
  });

  it.each(['24:00:00.000001', '25:00', '12:60', '12:00:60', '1:00', '12:00:00.', '12:00:00.1234567', ''])(
    '%j is no time in microseconds',
    (text) => {
      expect(parseTime(text, 'us')).toBeUndefined();
    },
  );
});

describe('timestamps', () => {
  it('are read and written as JavaScript does', () => {
    fc.assert(
      fc.property(milliseconds, (ms) => {
        const iso = new Date(ms).toISOString();
        const units = BigInt(ms) * 1000n;
        expect(parseTimestamp(iso, 'us', 'utc')).toBe(units);
        expect(new Date(formatTimestamp(units, 'us', 'utc')).getTime()).toBe(ms);
      }),
      { numRuns: 1000 },
    );
  });

  it('survive being written and read, to the last digit', () => {
    fc.assert(
      fc.property(
        micros,
        fc.constantFrom('us' as const, 'ns' as const),
        fc.constantFrom('utc' as const, 'none' as const),
        (units, unit, zone) => {
          expect(parseTimestamp(formatTimestamp(units, unit, zone), unit, zone)).toBe(units);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('take off the offset, as JavaScript does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_000_000_000 }),
        fc.integer({ min: -23 * 60, max: 23 * 60 }),
        (seconds, offset) => {
          const sign = offset < 0 ? '-' : '+';
          const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map((n) =>
            String(n).padStart(2, '0'),
          );
          const local = new Date(seconds * 1000).toISOString().slice(0, 19);
          const written = `${local}${sign}${hours}:${minutes}`;
          const parsed = parseOffsetTimestamp(written, 'us')!;
          expect(parsed.at).toBe(BigInt(Date.parse(written)) * 1000n);
          expect(parsed.offset).toBe(offset);
          expect(parseOffsetTimestamp(written.replace(/:(\d\d)$/, '$1'), 'us')).toEqual(parsed);
        },
      ),
    );
  });

  it('need an offset exactly when they are instants', () => {
    expect(parseTimestamp('2024-02-29 13:45:00', 'us', 'none')).toBe(1_709_214_300_000_000n);
    expect(parseTimestamp('2024-02-29T13:45:00', 'us', 'utc')).toBeUndefined();
    expect(parseTimestamp('2024-02-29T13:45:00Z', 'us', 'none')).toBeUndefined();
    expect(parseTimestamp('2024-02-29T13:45+02', 'us', 'utc')).toBe(1_709_207_100_000_000n);
    expect(parseOffsetTimestamp('2024-02-29T13:45:00-00:00', 'us')?.offset).toBe(0);
  });

  it.each([
    '2024-02-29',
    '2024-02-29T',
    '2024-02-30T00:00Z',
    '2024-02-29T13:45:00+1',
    '2024-02-29T13:45:00+24:00',
    '2024-02-29T13:45:00+01:60',
    '2024-02-29T13:45:00UTC',
    'x2024-02-29T13:45Z',
  ])('%j is no timestamp', (text) => {
    expect(parseOffsetTimestamp(text, 'us')).toBeUndefined();
  });
});

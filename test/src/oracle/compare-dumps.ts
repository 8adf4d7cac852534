import type { Dump } from './dump.js';

/** Names of the two sides in a comparison. */
export interface Sides {
  expected?: string;
  actual?: string;
  /** How many differing rows are shown of each kind; by default 20. */
  show?: number;
}

/**
 * Compares two dumps as collections of rows: the order does not count, the number of equal rows does.
 * @returns nothing when they are equal, else a text that says which rows only one side has
 */
export function compareDumps(expected: Dump, actual: Dump, sides: Sides = {}): string {
  const names = { expected: 'expected', actual: 'actual', show: 20, ...sides };
  if (expected.heading !== actual.heading)
    return `columns differ\n  ${names.expected}: ${expected.heading}\n  ${names.actual}: ${actual.heading}`;
  const missing = surplus(expected.rows, actual.rows);
  const extra = surplus(actual.rows, expected.rows);
  if (missing.length === 0 && extra.length === 0) return '';
  return [
    `${names.expected} has ${expected.rows.length} rows, ${names.actual} has ${actual.rows.length}`,
    `columns: ${expected.heading}`,
    ...section(`only in ${names.expected}`, '-', missing, names.show),
    ...section(`only in ${names.actual}`, '+', extra, names.show),
  ].join('\n');
}

/**
 * Fails with the readable difference when two dumps do not hold the same rows.
 * @throws Error
 */
export function expectSameRows(expected: Dump, actual: Dump, sides?: Sides): void {
  const difference = compareDumps(expected, actual, sides);
  if (difference !== '') throw new Error(difference);
}

/** The rows that occur in `rows` more often than in `others`, sorted. */
function surplus(rows: string[], others: string[]): string[] {
  const counts = new Map<string, number>();
  for (const row of others) counts.set(row, (counts.get(row) ?? 0) + 1);
  return rows
    .filter((row) => {
      const left = counts.get(row) ?? 0;
      counts.set(row, left - 1);
      return left <= 0;
    })
    .sort();
}

function section(title: string, sign: string, rows: string[], show: number): string[] {
  if (rows.length === 0) return [];
  const shown = rows.slice(0, show).map((row) => `${sign} ${row}`);
  const more = rows.length > show ? [`${sign} … and ${rows.length - show} more`] : [];
  return [`${title} (${rows.length}):`, ...shown, ...more];
}

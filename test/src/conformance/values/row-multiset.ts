/** Comparing rows as multisets: order says nothing, how often a row is there does. */

import { demand } from '../rule.js';
import { shorten } from '../show.js';

/** How two multisets of row texts differ, as a sentence; undefined when they are the same. */
export function differenceOf(found: readonly string[], wanted: readonly string[]): string | undefined {
  const { missing, extra } = compare(found, wanted);
  if (missing.length === 0 && extra.length === 0) return undefined;
  const parts = [`${found.length} rows, ${wanted.length} expected`];
  if (missing.length > 0) parts.push(`missing: ${some(missing)}`);
  if (extra.length > 0) parts.push(`too many: ${some(extra)}`);
  return parts.join('; ');
}

/** Rows that are there less or more often than wanted, with the difference. */
function compare(found: readonly string[], wanted: readonly string[]) {
  const surplus = new Map<string, number>();
  for (const row of found) surplus.set(row, (surplus.get(row) ?? 0) + 1);
  for (const row of wanted) surplus.set(row, (surplus.get(row) ?? 0) - 1);
  const counts = [...surplus];
  return { missing: counts.filter(([, count]) => count < 0), extra: counts.filter(([, count]) => count > 0) };
}

function some(rows: readonly (readonly [string, number])[]): string {
  const shown = rows
    .slice(0, 3)
    .map(([row, count]) => `(${shorten(row)})${Math.abs(count) > 1 ? ` ${Math.abs(count)} times` : ''}`);
  return shown.join(', ') + (rows.length > 3 ? ` and ${rows.length - 3} more` : '');
}

/** Throws a violation unless both hold the same rows equally often. */
export function demandSameRows(found: readonly string[], wanted: readonly string[], what: string): void {
  const difference = differenceOf(found, wanted);
  demand(difference === undefined, `${what}: ${difference}`);
}

/** Throws a violation when a row was found that is not wanted, or more often than it is. */
export function demandNoMoreThan(found: readonly string[], wanted: readonly string[], what: string): void {
  const { extra } = compare(found, wanted);
  demand(extra.length === 0, () => `${what}: too many: ${some(extra)}`);
}

/** Throws a violation when a row is wanted that was not found often enough. */
export function demandNoLessThan(found: readonly string[], wanted: readonly string[], what: string): void {
  const { missing } = compare(found, wanted);
  demand(missing.length === 0, () => `${what}: missing: ${some(missing)}`);
}

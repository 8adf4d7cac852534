/** What a comparison finds, a line each. */
import type { Difference, StreamComparison } from '@sluice/core';
import { visible } from '../output/cells.js';
import { formatCount, plural } from '../output/numbers.js';

export function differenceLine({ kind, target, row, columns }: Difference): string {
  const key = Object.entries(row).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const where = columns.length > 0 ? ` in ${columns.join(', ')}` : '';
  return visible(`  ${kind.padEnd('different'.length)}  ${target}  ${key.join(', ')}${where}`);
}

export function comparisonLines(comparison: StreamComparison): string[] {
  const { stream, sink, target, rows, missing, surplus, different, unsettled, repaired, notes } = comparison;
  const parts = Object.entries({ missing, surplus, different, unsettled, repaired })
    .filter(([, rows]) => rows > 0)
    .map(([what, rows]) => `${formatCount(rows)} ${what}`);
  const equal = missing + surplus + different + unsettled === 0;
  const said = equal
    ? `${plural(rows.source, 'row')}, equal`
    : `${plural(rows.source, 'row')}; ${parts.join(', ')}`;
  return [
    `${visible(`${stream} → ${target} (${sink})`)}: ${said}`,
    ...notes.map((note) => `  ${visible(note)}`),
  ];
}

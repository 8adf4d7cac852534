/** What came out of a transform, as texts that can be compared. */
import { Batch, type BoundTransform, type Row } from '@sluice/sdk';
import { demand } from '../rule.js';
import { show } from '../show.js';
import { canonicalRow } from '../values/canonical.js';
import { applied } from './transform-subject.js';

/** One text a row, of its columns as they are in memory: stream, op, values and, of a move, the key that it had. */
export function textsOf(batches: readonly Batch[]): string[] {
  return batches.flatMap((batch) => {
    const rows = rereadRows(batch);
    const { fields, key } = batch.schema;
    const keys = fields.filter(({ name }) => key.includes(name));
    const before = batch.before && rereadRows(batch.before);
    return rows.map((row, i) => {
      const op = batch.opAt(i);
      const old = op === 'move' && before ? ` <- ${canonicalRow(keys, before[i]!)}` : '';
      return `${batch.stream}: ${op} ${canonicalRow(fields, row)}${old}`;
    });
  });
}

/** Rows of the batch's columns, past any rows that it was made of. */
export function rereadRows(batch: Batch): readonly Row[] {
  return Batch.ofColumns(batch.schema, batch.columns(), batch.rowCount).rows();
}

/** What becomes of batches, in the order of each stream. */
export function textsThrough(bound: BoundTransform, batches: readonly Batch[]): string[] {
  const texts = batches.flatMap((batch) => textsOf(applied(bound, batch)));
  const streamOf = (text: string) => text.slice(0, text.indexOf(': '));
  return texts
    .map((text) => [streamOf(text), text] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text);
}

/** Throws unless the same rows came out in the same order. */
export function demandSameTexts(found: readonly string[], wanted: readonly string[], what: string): void {
  demand(found.length === wanted.length, () => `${what}: ${found.length} rows and ${wanted.length}`);
  const at = found.findIndex((text, i) => text !== wanted[i]);
  demand(at < 0, () => `${what} differ at row ${at}: ${show(found[at])} and ${show(wanted[at])}`);
}

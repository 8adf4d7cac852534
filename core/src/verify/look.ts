/**
 * One look at some rows of both sides: the source first, then, once the target is known to have what the source had,
 * the target. What is equal cancels out, and what is left differs.
 */
import type { Batch, JsonObject, StreamSchema } from '@sluice/sdk';
import { rowToJson } from '../dead-letters/payload.js';
import type { ComparedTable } from './compared-table.js';
import { bucketOf, type RowText, rowTexts, type Side, wholeText } from './row-texts.js';
import { digestText } from './text-digest.js';
import type { TwoSides } from './two-sides.js';

/** The digests of rows with one key that one side has and the other has not. */
export interface LeftOver {
  source: string[];
  target: string[];
}

/** A row as it is shown: its key, or all of it, and the forms of its columns. */
export interface ShownRow {
  readonly json: JsonObject;
  readonly forms: readonly string[];
}

export interface Look {
  /** By the digest of the key. */
  readonly left: Map<string, LeftOver>;
  /** Some of the rows in it, by side. */
  readonly shown: Map<string, { [S in Side]?: ShownRow }>;
}

/** Which rows are looked at: those of some buckets, or of some keys. */
export type Wanted =
  | { readonly buckets: ReadonlySet<number> }
  | { readonly keys: ReadonlyMap<string, unknown> };

export interface LookOptions {
  readonly sides: TwoSides;
  readonly table: ComparedTable;
  readonly wanted: Wanted;
  /** How many rows are to be shown. */
  readonly limit: number;
  readonly caughtUp: () => Promise<void>;
}

export async function look({ sides, table, wanted, limit, caughtUp }: LookOptions): Promise<Look> {
  const left = new Map<string, LeftOver>();
  const shown: Look['shown'] = new Map();
  const show = (side: Side, key: string, text: RowText, batch: Batch) => {
    if (!shown.has(key) && shown.size >= limit) return;
    const rows = shown.get(key) ?? {};
    shown.set(key, { ...rows, [side]: shownRow(table, side, text, batch) });
  };
  for await (const batch of sides.source()) {
    for (const [key, text] of wantedRows(table, 'source', batch, wanted)) {
      const digest = digestText(wholeText(text));
      const rows = left.get(key);
      if (rows === undefined) left.set(key, { source: [digest], target: [] });
      else if (table.lastCounts) rows.source = [digest];
      else rows.source.push(digest);
      show('source', key, text, batch);
    }
  }
  await caughtUp();
  for await (const batch of sides.target()) {
    for (const [key, text] of wantedRows(table, 'target', batch, wanted)) {
      const digest = digestText(wholeText(text));
      const rows = left.get(key) ?? { source: [], target: [] };
      left.set(key, rows);
      const same = rows.source.lastIndexOf(digest);
      if (same < 0) rows.target.push(digest);
      else rows.source.splice(same, 1);
      show('target', key, text, batch);
    }
  }
  for (const [key, { source, target }] of left) {
    if (source.length === 0 && target.length === 0) left.delete(key);
  }
  return { left, shown };
}

/** The rows of a batch that are looked at, by the digest of their key. */
export function* wantedRows(
  table: ComparedTable,
  side: Side,
  batch: Batch,
  wanted: Wanted,
): Generator<readonly [key: string, row: RowText]> {
  for (const text of rowTexts(table, side, batch)) {
    if ('buckets' in wanted && !wanted.buckets.has(bucketOf(text))) continue;
    const key = digestText(text.key);
    if ('keys' in wanted && !wanted.keys.has(key)) continue;
    yield [key, text];
  }
}

function shownRow(
  { columns, keyed }: ComparedTable,
  side: Side,
  { row, forms }: RowText,
  batch: Batch,
): ShownRow {
  const fields = columns
    .filter(({ key }) => key || !keyed)
    .map((column) => batch.schema.fields[column[side]]!);
  const schema: StreamSchema = { ...batch.schema, fields };
  return { json: rowToJson(schema, batch.select(Uint32Array.of(row)).rows()[0]!), forms };
}

/** What the sink hands to itself from `plan` to the other verbs, as JSON inside the table plan. */
import { createHash } from 'node:crypto';
import type { Json, SaveMode, TablePlan } from '@sluice/sdk';
import type { TableName } from '../quote.js';
import type { Wire } from '../types/wire.js';

export interface PlannedColumn {
  readonly name: string;
  /** The column's type in the target. */
  readonly type: string;
  readonly wire: Wire;
  /** Written as text and cast to the type. */
  readonly viaText: boolean;
  readonly nullable: boolean;
  /** What the rows that are there get in it when it is added: text of its type, and which column of the source it is. */
  readonly fill?: { readonly text: string; readonly id: string };
}

export interface TableDetail extends TableName {
  readonly columns: readonly PlannedColumn[];
  /** Columns of the primary key, or for `upsert` and `mirror` those by which rows are replaced; for `history` of a version. */
  readonly key: readonly string[];
  /** Whether rows are written by their key. */
  readonly keyed: boolean;
  readonly save: SaveMode;
  /** Whether the table that is there was created by us: it follows the stream. Others get new columns at most. */
  readonly ours: boolean;
  /** Whether it has constraints beside its key that look at several rows: the order of changes may count. */
  readonly ordered: boolean;
}

export function detailOf(table: TablePlan): TableDetail {
  return table.detail as unknown as TableDetail;
}

export function asJson(detail: TableDetail): Json {
  return detail as unknown as Json;
}

/** Staging tables of a stream share this; the generation follows. They lie in the target's schema. */
export function stagingPrefix(job: string, table: TablePlan): string {
  const { schema, table: name } = detailOf(table);
  const hash = createHash('sha256')
    .update(JSON.stringify([job, table.stream, schema, name]))
    .digest('hex');
  return `_sluice_${hash.slice(0, 12)}_g`;
}

export function stagingName(job: string, table: TablePlan, generation: number): TableName {
  return { schema: detailOf(table).schema, table: `${stagingPrefix(job, table)}${generation}` };
}

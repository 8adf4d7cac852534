/** What a split carries from the coordinator to a lane. */
import type { Json, Split } from '@sluice/sdk';
import type { TableName } from '../quote.js';

/** What every split of a relation carries. */
export interface RelationSpec extends TableName {
  /** Row security hid rows when the split was planned: those that it shows are read. Else all are, or none. */
  readonly filtered?: true;
}

/** A stream that is copied before its changes are read may be copied again. */
interface Copied extends RelationSpec {
  /** Which copy the part is, where others may have been before: what they left goes. */
  readonly copy?: number;
}

/** A whole relation, or a range of a table's blocks. */
export interface ScanSpec extends Copied {
  readonly kind: 'scan';
  /** The snapshot to read from, while its owner lives. */
  readonly snapshot?: string;
  /** Half-open range of blocks; without `to` up to the table's end. */
  readonly blocks?: { readonly from: number; readonly to?: number };
  /** The file that holds the table; another one means that it was rewritten. */
  readonly filenode?: string;
  /** Rows are of one instant, which the last position tells: see `StreamRead.once`. */
  readonly once?: true;
}

/** A range of the key. Positions are the key of the last row read, each column as text, in the key's order. */
export interface KeySpec extends Copied {
  readonly kind: 'key';
  /** The table's number: another one means that it was replaced. */
  readonly oid: number;
  readonly key: readonly string[];
  /** Half-open range of the first key column, as text; a bound left out is open. */
  readonly from?: string;
  readonly to?: string;
}

/** A table by its cursor, run after run. */
export interface CursorSpec extends RelationSpec {
  readonly kind: 'cursor';
  /** As in a {@link KeySpec}; views have none, since making them anew changes no row. */
  readonly oid?: number;
  readonly column: string;
  /** The table's unique key, which tells rows of one cursor value apart; empty where it has none. */
  readonly key: readonly string[];
}

/** The server's log behind a place, of the tables that the publication names. */
export interface LogSpec {
  readonly kind: 'log';
  readonly slot: string;
  readonly publication: string;
}

export type SplitSpec = ScanSpec | KeySpec | CursorSpec | LogSpec;

export function specOf(split: Split): SplitSpec {
  return split.spec as unknown as SplitSpec;
}

export function asJson(spec: SplitSpec): Json {
  return spec as unknown as Json;
}

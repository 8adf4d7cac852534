/** What a split carries from the coordinator to a lane. */
import type { Json, Split } from '@sluice/sdk';
import type { TableName } from '../quote.js';

/** A whole relation, or a range of a table's blocks. */
export interface ScanSpec extends TableName {
  readonly kind: 'scan';
  /** The snapshot to read from, while its owner lives. */
  readonly snapshot?: string;
  /** Half-open range of blocks; without `to` up to the table's end. */
  readonly blocks?: { readonly from: number; readonly to?: number };
  /** The file that holds the table; another one means that it was rewritten. */
  readonly filenode?: string;
}

export type SplitSpec = ScanSpec;

export function specOf(split: Split): SplitSpec {
  return split.spec as unknown as SplitSpec;
}

export function asJson(spec: SplitSpec): Json {
  return spec as unknown as Json;
}

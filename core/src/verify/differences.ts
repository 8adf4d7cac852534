/** What a comparison finds, for people and programs. */
import type { JsonObject } from '@sluice/sdk';

export interface ComparedStream {
  readonly flow: string;
  readonly sink: string;
  readonly stream: string;
  readonly target: string;
}

export interface Difference extends ComparedStream {
  readonly event: 'difference';
  /**
   * `missing`: the target lacks a row; `surplus`: it has one that the source does not have; `different`: both have the
   * row of this key, with other values.
   */
  readonly kind: 'missing' | 'surplus' | 'different';
  /** The key as JSON; of streams without one the whole row. */
  readonly row: JsonObject;
  /** The columns with other values. */
  readonly columns: readonly string[];
}

export interface StreamComparison extends ComparedStream {
  readonly event: 'stream';
  readonly rows: { readonly source: number; readonly target: number };
  readonly missing: number;
  readonly surplus: number;
  readonly different: number;
  /** Rows that have differed at each look, and in another way each time: they are being changed. */
  readonly unsettled: number;
  /** Rows that were written or deleted in the target. */
  readonly repaired: number;
  /** Remarks for people: columns that are not compared. */
  readonly notes: readonly string[];
}

export type VerifyEvent = Difference | StreamComparison;

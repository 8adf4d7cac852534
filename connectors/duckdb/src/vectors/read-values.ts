/** What readers of vectors share. */
import type { Vector } from '@duckdb/node-bindings';
import { type Bitmap, getBit, type Layout } from '@sluice/sdk';

/** Rows of a vector to be taken, in that order; undefined takes all. */
export type Pick = Uint32Array | undefined;

/** The part of a reader that depends on the layout. */
export interface Values {
  /** Takes rows of a vector of `size` rows behind the `length` rows that are there; `valid` has a bit a vector row. */
  append(vector: Vector, size: number, pick: Pick, length: number, valid: Bitmap | null): void;
  /** Hands the rows on; what is appended next is another batch's. */
  finish(length: number): Layout;
  /** Bytes of `length` rows, roughly. */
  bytes(length: number): number;
  /** Values outside the logical type, by row. */
  readonly special?: ReadonlyMap<number, string>;
}

/** Whether row i of a vector has a value. */
export function isSet(valid: Bitmap | null, i: number): boolean {
  return valid === null || getBit(valid, i);
}

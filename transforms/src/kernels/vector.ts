/**
 * What an expression computes with: the values of one (sub)expression for all rows of a batch.
 *
 * Integers, decimals and time values are integers at a scale (value × 10^scale). As long as every one of a batch is
 * safe in a double (|n| < 2^53) they are held as `numbers`, on which loops are several times faster than on
 * bigints; a kernel whose result would leave that range repeats the batch on bigints. Results are the same.
 */
import { type Bitmap, bitmapBytes, type Column, clearBit, filledBitmap, getBit } from '@sluice/sdk';

export interface Bits {
  readonly kind: 'bits';
  readonly values: Bitmap;
}
/** Doubles (`scale` 0), or integers within ±(2^53 − 1) that stand for value × 10^scale. */
export interface Numbers {
  readonly kind: 'numbers';
  readonly values: Float64Array;
  readonly scale: number;
}
/** Integers of any size; unbounded decimals have a scale per row. */
export interface Integers {
  readonly kind: 'integers';
  readonly values: bigint[];
  readonly scale: number | Int32Array;
}
/** Row i is `bytes[start[i] .. end[i]]`; rows may overlap and come in any order, so that parts need no copy. */
export interface Text {
  readonly kind: 'text';
  readonly bytes: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
}
/** Row i is `items[start[i] .. end[i]]`. */
export interface Lists {
  readonly kind: 'lists';
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly items: Vector;
}
/** Values that are only passed on or looked into: structs, maps, unions, intervals. */
export interface Whole {
  readonly kind: 'whole';
  readonly column: Column;
}

export interface Status {
  /** Bit set: the row has a value. Absent when every row has one. */
  readonly validity?: Bitmap;
  /** Rows for which there is no result, with the reason. They are null in `validity`. */
  readonly errors?: ReadonlyMap<number, string>;
  /** Rows whose value is outside the logical type, as text. They are null in `validity`. */
  readonly special?: ReadonlyMap<number, string>;
}

export interface Vector extends Status {
  readonly length: number;
  readonly data: Bits | Numbers | Integers | Text | Lists | Whole;
  /** The column that holds exactly these values, where there is one. */
  readonly column?: Column;
}

/** Computes one operation for all rows. */
export type Kernel = (args: readonly Vector[], rows: number) => Vector;

/** Reads the data of a vector as the kind that the checker has promised. */
export function expectKind<K extends Vector['data']['kind']>(
  vector: Vector,
  kind: K,
): Extract<Vector['data'], { kind: K }> {
  if (vector.data.kind !== kind) throw new TypeError(`expected ${kind}, found ${vector.data.kind}`);
  return vector.data as Extract<Vector['data'], { kind: K }>;
}

export function hasValue(status: Status, i: number): boolean {
  return status.validity === undefined || getBit(status.validity, i);
}

/** Rows that are valid in both; undefined when all are. */
export function andValidity(a: Bitmap | undefined, b: Bitmap | undefined, rows: number): Bitmap | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a === b) return a;
  const both = new Uint8Array(bitmapBytes(rows));
  for (let i = 0; i < both.length; i++) both[i] = a[i]! & b[i]!;
  return both;
}

export function mergeErrors(
  a: ReadonlyMap<number, string> | undefined,
  b: ReadonlyMap<number, string> | undefined,
): ReadonlyMap<number, string> | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const merged = new Map(b);
  for (const [row, reason] of a) merged.set(row, reason);
  return merged;
}

/** Status of an operation whose result is null where an operand is, and has no special values (comparisons). */
export function comparedStatus(args: readonly Vector[], rows: number): Status {
  let validity: Bitmap | undefined;
  let errors: ReadonlyMap<number, string> | undefined;
  for (const arg of args) {
    validity = andValidity(validity, arg.validity, rows);
    errors = mergeErrors(errors, arg.errors);
  }
  return status(validity, errors);
}

/** Status of an operation that cannot compute with special values: those rows are in error. */
export function computedStatus(args: readonly Vector[], rows: number): Status {
  const compared = comparedStatus(args, rows);
  let { errors } = compared;
  for (const arg of args) {
    if (arg.special === undefined || arg.special.size === 0) continue;
    const found = new Map<number, string>();
    for (const [row, text] of arg.special)
      found.set(row, `${text} is outside its type, nothing can be computed from it`);
    errors = mergeErrors(errors, found);
  }
  return status(compared.validity, errors);
}

/** A status without the keys that say nothing. */
export function status(
  validity: Bitmap | undefined,
  errors?: ReadonlyMap<number, string>,
  special?: ReadonlyMap<number, string>,
): Status {
  return {
    ...(validity && { validity }),
    ...(errors && errors.size > 0 && { errors }),
    ...(special && special.size > 0 && { special }),
  };
}

/** Collects rows that fail or become null while a kernel runs; costs nothing until there is one. */
export class Outcome {
  private validity: Bitmap | undefined;
  private errors: Map<number, string> | undefined;

  constructor(
    private readonly base: Status,
    private readonly rows: number,
  ) {}

  /** Marks a row as failed, unless it had no value anyway. */
  fail(row: number, reason: string): void {
    if (!hasValue(this.base, row)) return;
    this.clear(row);
    this.errors ??= new Map();
    this.errors.set(row, reason);
  }

  makeNull(row: number): void {
    if (hasValue(this.base, row)) this.clear(row);
  }

  status(): Status {
    if (this.validity === undefined) return this.base;
    return status(this.validity, mergeErrors(this.base.errors, this.errors), this.base.special);
  }

  private clear(row: number): void {
    this.validity ??= this.base.validity
      ? this.base.validity.slice(0, bitmapBytes(this.rows))
      : filledBitmap(this.rows);
    clearBit(this.validity, row);
  }
}

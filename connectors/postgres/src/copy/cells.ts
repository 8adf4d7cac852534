/** Values of one column, or elements of arrays, where they lie in the bytes of a COPY. */

export interface Cells {
  readonly bytes: Buffer;
  /** Over the same bytes, from their first one. */
  readonly view: DataView;
  /**
   * Offset of each value's first byte. The four bytes before a value hold its length. Where it is null: below zero, in
   * {@link FieldIndex} the complement of the offset at which it would be.
   */
  readonly starts: Int32Array;
  readonly nulls: number;
}

/** Bytes of the value that starts there. */
export function cellLength(view: DataView, start: number): number {
  return view.getInt32(start - 4);
}

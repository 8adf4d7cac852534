/** Where a record begins in a text. */
export interface TextPosition {
  /** Bytes before it, of the decompressed text. */
  readonly offset: number;
  /** Its physical line, counted from 1. */
  readonly line: number;
}

export const TEXT_START: TextPosition = { offset: 0, line: 1 };

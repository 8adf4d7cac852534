/** Passing over a record that is too large to be held, piece by piece. */

const LF = 0x0a;

export interface Passed {
  /** Up to here the bytes of the piece are the record's. */
  readonly end: number;
  /** Where the next record is looked for; undefined while that lies behind the piece. */
  readonly next: number | undefined;
}

export interface RecordPasser {
  /** Passes the bytes from `from` up to `to`, which follow those of the last call. */
  pass(bytes: Uint8Array, from: number, to: number): Passed;
}

/** A record is a line, with its end. */
export const LINE_PASSER: RecordPasser = {
  pass(bytes, from, to) {
    const found = bytes.subarray(0, to).indexOf(LF, from);
    return found < 0 ? { end: to, next: undefined } : { end: found + 1, next: found + 1 };
  },
};

/** A job file's content together with where each key stands in it. */
import type { Path } from './path-text.js';

/** Counted from 1, in characters as editors count them. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface JobText {
  readonly value: unknown;
  /** Where a key or list entry stands; undefined when the file does not have it. */
  place(path: Path): Place | undefined;
}

/** A text that cannot be read as what it should be. */
export class TextError extends Error {
  constructor(
    message: string,
    readonly at: Place,
    /** The text is well formed, but says a thing twice or in a way that would be misread. */
    readonly wellFormed = false,
  ) {
    super(message);
  }
}

/** Where an offset of a text lies. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

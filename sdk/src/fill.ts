/** Values that a system has given to all rows of a stream at once, of which no change tells. */
import type { Json } from './json.js';

/** A column that has come to a stream with one value for all rows that were there. */
export interface Fill {
  readonly column: string;
  /** Tells the column from all others that a stream has had, or will have, under its name. */
  readonly id: string;
  /** The value as `valueToJson` writes it, never null. */
  readonly value: Json;
}

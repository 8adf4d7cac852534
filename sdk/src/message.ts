/** What a reader yields, in one order; backpressure is the `await`. */
import type { Batch } from './batch.js';
import type { Json } from './json.js';
import type { Origins } from './origin.js';
import type { StreamSchema } from './schema.js';

/** From here the split can be resumed; `sealed` when it is finished. */
export interface Checkpoint {
  readonly kind: 'checkpoint';
  readonly position: Json;
  readonly sealed?: boolean;
  /** In a log: when the last change before it was committed at the source, by its clock, in epoch milliseconds. */
  readonly committedAt?: number;
}

/**
 * The stream has another shape from here on, of which the schema is planned anew; only in splits of phase `log` and
 * `poll`. The engine opens the split again, at the last checkpoint and with the new schema, so a reader yields it
 * instead of the first row that does not fit the planned schema, and nothing behind it. Behind a checkpoint it is the
 * shape of the rows to come; elsewhere one that those behind the last checkpoint fit as well. A row fits when all its
 * columns are planned with their types: planned columns that it lacks are null, and UNCHANGED in an update.
 */
export interface SchemaChange {
  readonly kind: 'schema';
  readonly schema: StreamSchema;
}

/** Everything of a stream, or a key range of it, is about to be replaced. Nothing is folded across it. */
export interface Clear {
  readonly kind: 'clear';
  readonly stream: string;
  /** Half-open range over the key columns' values as JSON; a bound left out is open. */
  readonly range?: { readonly from?: Json; readonly to?: Json };
  /** Where it comes from, as row 0; where the source says so. */
  readonly origins?: Origins;
  /**
   * For sinks that can do so (`SinkCapabilities.marks`): the rows stay, and those whose `column` is null get this time in
   * it, in microseconds since 1970. But those go that have the column `since` and this time, or a later one, in it: they
   * would have lasted for no time.
   */
  readonly marks?: { readonly column: string; readonly at: bigint; readonly since?: string };
}

export type Message = Batch | Checkpoint | SchemaChange | Clear;

export function checkpoint(position: Json, sealed = false): Checkpoint {
  return sealed ? { kind: 'checkpoint', position, sealed } : { kind: 'checkpoint', position };
}

/** A place in a log, behind what was committed at `committedAt`. */
export function logCheckpoint(position: Json, committedAt: number | undefined): Checkpoint {
  return { kind: 'checkpoint', position, ...(committedAt !== undefined && { committedAt }) };
}

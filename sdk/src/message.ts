/** What a reader yields, in one order; backpressure is the `await`. */
import type { Batch } from './batch.js';
import type { Json } from './json.js';
import type { StreamSchema } from './schema.js';

/** From here the split can be resumed; `sealed` when it is finished. */
export interface Checkpoint {
  readonly kind: 'checkpoint';
  readonly position: Json;
  readonly sealed?: boolean;
}

/** The stream has another shape from the next batch on. Comes before the first batch that needs it. */
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
}

export type Message = Batch | Checkpoint | SchemaChange | Clear;

export function checkpoint(position: Json, sealed = false): Checkpoint {
  return sealed ? { kind: 'checkpoint', position, sealed } : { kind: 'checkpoint', position };
}

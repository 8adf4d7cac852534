import type { Field } from './types.js';

/**
 * The shape of one stream. `version` rises by one with each SchemaChange of a run, so that a batch says which
 * shape it has without comparing fields.
 */
export interface StreamSchema {
  /** The stream's name in the source: `public.orders`, `flights`. Identity: never rendered or quoted. */
  readonly stream: string;
  readonly version: number;
  readonly fields: readonly Field[];
  /** Names of the key columns in order; empty when the stream has no key. */
  readonly key: readonly string[];
}

/** A schema of version 1. */
export function streamSchema(
  stream: string,
  fields: readonly Field[],
  key: readonly string[] = [],
): StreamSchema {
  return { stream, version: 1, fields, key };
}

/** The index of a column, or -1. */
export function fieldIndex(schema: StreamSchema, name: string): number {
  return schema.fields.findIndex((f) => f.name === name);
}

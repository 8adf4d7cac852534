/** From the batches of a text file to messages: columns in the schema's order, a checkpoint behind each batch. */
import type { TextBatch, TextPosition } from '@sluice/formats';
import {
  Batch,
  type Column,
  checkpoint,
  type Field,
  type Json,
  type Message,
  type StreamSchema,
} from '@sluice/sdk';
import { fileErrors } from './errors.js';
import { absentColumn, type Constants } from './hive-columns.js';

export function positionJson({ offset, line }: TextPosition): Json {
  return { offset, line };
}
export function positionOf(json: Json): TextPosition {
  return json as unknown as TextPosition;
}

/** Which field each of a file's columns is, and for each field of the schema the file's column, −1 where there is none. */
export interface ColumnMapping {
  /** Undefined for one that is not read. */
  readonly fields: readonly (Field | undefined)[];
  readonly origins: readonly number[];
  readonly constants: Constants;
}

/** Maps a file's columns to the planned schema. Throws `SLUICE-FILE-0004` when they do not fit. */
export function mapColumns(
  file: string,
  columns: readonly string[],
  schema: StreamSchema,
  constants: Constants,
): ColumnMapping {
  const byName = new Map(schema.fields.map((f) => [f.name, f]));
  const fields = columns.map((name) => {
    if (constants.has(name)) return undefined;
    const planned = byName.get(name);
    if (planned !== undefined) return planned;
    throw fileErrors.schemasDiffer(
      `${file} has a column ${name} that stream ${schema.stream} does not have`,
      {
        details: { file, stream: schema.stream, column: name },
      },
    );
  });
  const origins = schema.fields.map(({ name, nullable }) => {
    const origin = constants.has(name) ? -1 : columns.indexOf(name);
    if (origin >= 0 || nullable) return origin;
    throw fileErrors.schemasDiffer(
      `${file} lacks the column ${name} of stream ${schema.stream}, which allows no nulls`,
      {
        details: { file, stream: schema.stream, column: name },
      },
    );
  });
  return { fields, origins, constants };
}

/**
 * Messages of a text file's batches. One batch is held back, so that the last one's checkpoint can be sealed; rows
 * before a broken one are handed on before its error.
 */
export async function* textMessages(
  batches: AsyncIterable<TextBatch>,
  schema: StreamSchema,
  mapping: ColumnMapping,
  start: TextPosition,
): AsyncGenerator<Message> {
  let held: TextBatch | undefined;
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const batch of batches) {
      if (held !== undefined) {
        yield toBatch(held, schema, mapping);
        yield checkpoint(positionJson(held.position));
      }
      held = batch;
    }
  } catch (error) {
    failure = { error };
  }
  if (held !== undefined) {
    yield toBatch(held, schema, mapping);
    yield checkpoint(positionJson(held.position), failure === undefined);
  }
  if (failure !== undefined) throw failure.error;
  if (held === undefined) yield checkpoint(positionJson(start), true);
}

function toBatch(text: TextBatch, schema: StreamSchema, { origins, constants }: ColumnMapping): Batch {
  const columns: Column[] = origins.map(
    (origin, i) => text.columns[origin] ?? absentColumn(schema.fields[i]!, text.rowCount, constants),
  );
  const { byteSize, rejected } = text;
  return Batch.ofColumns(schema, columns, text.rowCount, { byteSize, rejected });
}

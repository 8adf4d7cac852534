/** What transforms of columns have in common: looking up columns, and making new batches with their before-images. */
import { type Batch, type Column, type Field, fieldIndex, nearestName, type StreamSchema } from '@sluice/sdk';
import { transformErrors } from './errors.js';
import { withMoves } from './moves.js';

/** Where a column of the result comes from: the input's index (undecoded), a column, or a function that makes it. */
export type Origin = number | Column | (() => Column);

/** The columns of the result, of a batch or (`image` is `before`) of the rows as they were before. */
export type MapColumns = (batch: Batch, image: 'row' | 'before') => readonly Origin[];

/**
 * A batch with other columns, of the stream that it is of; its before-images get the same, and ops follow the keys that
 * are made.
 */
export function deriveColumns(
  batch: Batch,
  out: StreamSchema,
  columns: MapColumns,
  made: MadeKey = 'kept',
): Batch {
  const { before, stream } = batch;
  const earlier = before?.derive(out, columns(before, 'before'));
  const derived = batch.derive(
    stream === out.stream ? out : { ...out, stream },
    columns(batch, 'row'),
    undefined,
    earlier === undefined ? {} : { before: earlier },
  );
  return made === 'kept' ? derived : withMoves(derived, made === 'from key');
}

/** What a transform makes key columns of: of nothing, of key columns alone, or of others too. */
export type MadeKey = 'kept' | 'from key' | 'from row';

/** What becomes of a key whose columns `made` are made of the columns `of`. */
export function madeKey(
  { key }: StreamSchema,
  made: readonly { readonly name: string; readonly of: readonly string[] }[],
): MadeKey {
  const own = made.filter(({ name }) => key.includes(name));
  if (own.length === 0) return 'kept';
  return own.every(({ of }) => of.every((name) => key.includes(name))) ? 'from key' : 'from row';
}

/** A column that is made of others: changes come without it where they come without one of these. */
export function madeField({ unsent: _, ...field }: Field, of: readonly Field[]): Field {
  const unsent = of.some((each) => each.unsent === 'both') ? 'both' : of.find((each) => each.unsent)?.unsent;
  return unsent === undefined ? field : { ...field, unsent };
}

/** The index of a column; throws `SLUICE-TRANSFORM-0001` with the nearest name. */
export function columnIndex(transform: string, schema: StreamSchema, name: string): number {
  const index = fieldIndex(schema, name);
  if (index >= 0) return index;
  const meant = nearestName(
    name,
    schema.fields.map((f) => f.name),
  );
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
  throw transformErrors.unknownColumn(
    `${transform}: the stream ${schema.stream} has no column "${name}"${hint}`,
    {
      details: { stream: schema.stream, column: name },
    },
  );
}

/** A schema of other fields; throws `SLUICE-TRANSFORM-0002` and `-0005` when they make none. */
export function schemaOf(
  transform: string,
  schema: StreamSchema,
  fields: readonly Field[],
  key: readonly string[],
): StreamSchema {
  if (fields.length === 0)
    throw transformErrors.noColumnsLeft(`${transform}: no column of ${schema.stream} is left`);
  const names = new Set<string>();
  for (const { name } of fields) {
    if (names.has(name)) {
      throw transformErrors.duplicateColumn(
        `${transform}: ${schema.stream} would have two columns "${name}"`,
        {
          details: { stream: schema.stream, column: name },
        },
      );
    }
    names.add(name);
  }
  return { ...schema, fields, key };
}

/** How the rows of a logged table become those of its stream. */
import { type Field, fieldIndex, type StreamSchema, field as schemaField } from '@sluice/sdk';
import { type FieldDecoder, fieldDecoder } from '../copy/decode-column.js';
import type { NativeType } from '../types/native-type.js';
import type { LoggedRelation } from './logged-relation.js';
import type { Cast } from './server-cast.js';

/** Where a field's values are in the log, and how they are read. */
export interface ShapeField {
  /** Index of the logged column; -1: the table had none of that name then. */
  readonly column: number;
  readonly decode: FieldDecoder;
  /** What the server does to the values first. */
  readonly cast?: Cast;
}

/** A column that exists now. */
export interface LiveColumn {
  readonly name: string;
  readonly type: NativeType;
}

/** The stream as it is handed on: changed by a SchemaChange. */
export interface StreamNow {
  readonly schema: StreamSchema;
  /** The table's columns, also those that are not read. */
  readonly columns: readonly LiveColumn[];
}

export class StreamShape {
  readonly fields: readonly ShapeField[];
  /** Which logged columns tell old rows apart. */
  readonly identity: readonly boolean[];
  /** Indices of the logged columns that make the stream's key, rising. */
  readonly key: readonly number[];
  readonly columns: number;

  constructor(
    readonly relation: LoggedRelation,
    types: readonly NativeType[],
    readonly stream: StreamNow,
  ) {
    const { schema, columns } = stream;
    const places = new Map(relation.columns.map(({ name }, i) => [name, i]));
    const live = new Map(columns.map(({ name, type }) => [name, type]));
    this.fields = schema.fields.map((f) => {
      const column = places.get(f.name) ?? -1;
      return shapeField(f, column, types[column], live.get(f.name)!);
    });
    this.identity = relation.columns.map(({ identity }) => identity);
    this.key = schema.key.flatMap((name) => places.get(name) ?? []).sort((a, b) => a - b);
    this.columns = relation.columns.length;
  }
}

function shapeField(f: Field, column: number, logged: NativeType | undefined, live: NativeType): ShapeField {
  const decode = fieldDecoder(live.wire, f.type);
  const text = live.viaText ? '::text' : '';
  if (logged === undefined || (logged.name === live.name && !live.viaText)) return { column, decode };
  const to = logged.name === live.name ? 'text' : `${live.name}${text}`;
  return { column, decode, cast: { from: logged.name, to } };
}

/** What a table is now if the log says so; undefined where it is as it was. */
export function changedStream(
  { schema, columns }: StreamNow,
  relation: LoggedRelation,
  types: readonly NativeType[],
): StreamNow | undefined {
  const known = new Map(columns.map(({ name, type }) => [name, type]));
  const logged = relation.columns.map(({ name }, i): LiveColumn => ({ name, type: types[i]! }));
  const names = new Set(logged.map(({ name }) => name));
  const same =
    schema.fields.every(({ name }) => names.has(name)) &&
    logged.every(({ name, type }) => known.get(name)?.name === type.name);
  if (same) return undefined;
  const fields = logged.flatMap(({ name, type }) => {
    const before = schema.fields[fieldIndex(schema, name)];
    // A column that is there and is not read goes on not being read.
    if (before === undefined && known.has(name)) return [];
    const nullable = before?.nullable ?? true;
    return [schemaField(name, type.logical, { nullable, native: type.name })];
  });
  const key = schema.key.every((name) => names.has(name)) ? schema.key : [];
  const changed = { ...schema, version: schema.version + 1, fields, key };
  return { schema: changed, columns: logged };
}

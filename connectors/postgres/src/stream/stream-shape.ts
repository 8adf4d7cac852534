/** How the rows of a logged table become those of its stream. */
import { type Field, fieldIndex, type StreamSchema, sameType, field as schemaField } from '@sluice/sdk';
import { type FieldDecoder, fieldDecoder } from '../copy/decode-column.js';
import { ident } from '../quote.js';
import type { NativeType } from '../types/native-type.js';
import type { LoggedRelation } from './logged-relation.js';

/** Where a field's values are in the log, and how they are read. */
export interface ShapeField {
  /** The logged columns that it comes from, mostly one; none where the table had no such column, or of another type, then. */
  readonly from: readonly number[];
  readonly decode: FieldDecoder;
  /** What the server makes of the logged columns, which it knows by their names, before they are decoded. */
  readonly sql?: string;
}

/** A column that exists now. */
export interface LiveColumn {
  readonly name: string;
  readonly type: NativeType;
  /** Of a generated column, which is perhaps not logged: its expression, and the columns that this names. */
  readonly generated?: { readonly expression: string; readonly from: readonly string[] };
}

/** The stream as it is handed on: changed by a SchemaChange. */
export interface StreamNow {
  readonly schema: StreamSchema;
  /** The table's columns, also those that are not read. */
  readonly columns: readonly LiveColumn[];
  /** Whether the past was copied: otherwise nobody has the values that an update leaves out. */
  readonly copied: boolean;
}

export class StreamShape {
  readonly fields: readonly ShapeField[];
  /** Whether the table has columns now that its logged rows do not have, or have of another type. */
  readonly isPast: boolean;
  /** Which logged columns tell old rows apart. */
  readonly identity: readonly boolean[];
  /** Indices of the logged columns that make the stream's key, rising. */
  readonly key: readonly number[];
  /** The logged columns' types, by their SQL names. */
  readonly types: readonly string[];

  constructor(
    readonly relation: LoggedRelation,
    types: readonly NativeType[],
    readonly stream: StreamNow,
  ) {
    const { schema, columns } = stream;
    const places = new Map(relation.columns.map(({ name }, i) => [name, i]));
    const live = new Map(columns.map((column) => [column.name, column]));
    this.fields = schema.fields.map((f) =>
      shapeField(f, live.get(f.name)!, places, types, schema.key.includes(f.name)),
    );
    this.isPast = this.fields.some(({ from }) => from.length === 0);
    this.types = types.map(({ name }) => name);
    this.identity = relation.columns.map(({ identity }) => identity);
    this.key = schema.key.flatMap((name) => places.get(name) ?? []).sort((a, b) => a - b);
  }
}

function shapeField(
  f: Field,
  { type, generated }: LiveColumn,
  places: ReadonlyMap<string, number>,
  types: readonly NativeType[],
  isKey: boolean,
): ShapeField {
  const decode = fieldDecoder(type.wire, f.type);
  const column = places.get(f.name);
  const shown = type.viaText ? '::text' : '';
  if (column === undefined) {
    const from = generated === undefined ? [-1] : generated.from.map((name) => places.get(name) ?? -1);
    if (generated === undefined || from.includes(-1)) return { from: [], decode };
    return {
      from: from.length === 0 ? [0] : from,
      decode,
      sql: `(${generated.expression})::${type.name}${shown}`,
    };
  }
  const from = [column];
  const same = types[column]!.name === type.name;
  // What became of values when their column got another type is the server's secret: USING may have been anything.
  if (!same && !isKey && !sameType(types[column]!.logical, type.logical)) return { from: [], decode };
  if (same && !type.viaText) return { from, decode };
  return { from, decode, sql: `${ident(f.name)}${same ? '' : `::${type.name}`}${shown}` };
}

/** What a table is now if the log says so; undefined where it is as it was. */
export function changedStream(
  { schema, columns, copied }: StreamNow,
  relation: LoggedRelation,
  types: readonly NativeType[],
): StreamNow | undefined {
  const known = new Map(columns.map(({ name, type }) => [name, type]));
  const logged = relation.columns.map(({ name }, i): LiveColumn => ({ name, type: types[i]! }));
  const inLog = new Set(logged.map(({ name }) => name));
  const all = [...logged, ...columns.filter(({ name, generated }) => generated && !inLog.has(name))];
  const names = new Set(all.map(({ name }) => name));
  const same =
    schema.fields.every(({ name }) => names.has(name)) &&
    logged.every(({ name, type }) => known.get(name)?.name === type.name);
  if (same) return undefined;
  const fields = all.flatMap(({ name, type }) => {
    const before = schema.fields[fieldIndex(schema, name)];
    // A column that is there and is not read goes on not being read.
    if (before === undefined && known.has(name)) return [];
    const nullable = before?.nullable ?? true;
    return [schemaField(name, type.logical, { nullable, native: type.name })];
  });
  const key = schema.key.every((name) => names.has(name)) ? schema.key : [];
  const changed = { ...schema, version: schema.version + 1, fields, key };
  return { schema: changed, columns: all, copied };
}

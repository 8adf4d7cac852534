/**
 * DuckDB's types as logical ones. Types that have no layout of their own here are cast in the query, where DuckDB
 * does it on its threads: `sql` is the type to cast to, also inside of lists, structs and maps.
 */
import type { DuckDBType } from '@duckdb/node-api';
import { type Field, field, type LogicalType, type TimeUnit, types, type Verdict, worst } from '@sluice/sdk';
import type { Driver } from '../database/driver.js';
import { quote } from '../tables/identifiers.js';

export interface ReadableType {
  readonly type: LogicalType;
  /** The type that the query yields. */
  readonly sql: string;
  /** Whether the query must cast to it. */
  readonly cast: boolean;
  readonly verdict: Verdict;
  readonly note?: string;
}

/** How a column of a DuckDB type is read. */
export function readableType(duckdbType: DuckDBType, driver: Driver): ReadableType {
  const { api } = driver;
  const id = api.DuckDBTypeId;
  const asIs = (type: LogicalType): ReadableType => ({
    type,
    sql: `${duckdbType}`,
    cast: false,
    verdict: 'exact',
  });
  const as = (type: LogicalType, sql: string, note: string): ReadableType => ({
    type,
    sql,
    cast: true,
    verdict: 'widening',
    note,
  });
  const simple = SIMPLE.get(duckdbType.typeId);
  if (simple !== undefined && duckdbType.alias !== 'JSON') return asIs(simple);
  switch (duckdbType.typeId) {
    case id.VARCHAR:
      return { ...asIs(types.json), sql: 'JSON' };
    case id.DECIMAL:
      return asIs(types.decimal(duckdbType.width, duckdbType.scale));
    case id.HUGEINT:
    case id.UHUGEINT:
    case id.BIGNUM:
      return as(
        types.decimal(),
        'VARCHAR',
        'whole numbers of more than 38 digits are decimals without bounds',
      );
    case id.TIMESTAMP_S:
    case id.TIMESTAMP_MS:
      return as(types.timestampLocal, 'TIMESTAMP', 'counted in microseconds');
    case id.ENUM:
      return { ...as(types.enumOf(...duckdbType.values), 'VARCHAR', ''), verdict: 'exact', note: 'by label' };
    case id.LIST:
    case id.ARRAY: {
      const item = inner('item', readableType(duckdbType.valueType, driver));
      const cast = item.read.cast || duckdbType.typeId === id.ARRAY;
      const note =
        duckdbType.typeId === id.ARRAY
          ? `a list: that all have ${duckdbType.length} items is not kept`
          : undefined;
      const list: LogicalType = { kind: 'list', item: item.field };
      return nested(list, `${item.read.sql}[]`, [item.read], cast, note);
    }
    case id.STRUCT:
      return structType(duckdbType.entryNames, duckdbType.entryTypes, driver);
    case id.MAP: {
      const key = inner('key', readableType(duckdbType.keyType, driver));
      const value = inner('value', readableType(duckdbType.valueType, driver));
      const map: LogicalType = { kind: 'map', key: { ...key.field, nullable: false }, value: value.field };
      return nested(map, `MAP(${key.read.sql}, ${value.read.sql})`, [key.read, value.read]);
    }
    case id.UNION:
      return unionType(duckdbType.memberTags, duckdbType.memberTypes, driver);
    default:
      // BIT, TIMETZ, VARIANT, GEOMETRY and whatever comes: the text that DuckDB shows.
      return as(types.native(`${duckdbType}`.toLowerCase()), 'VARCHAR', 'the text that DuckDB shows');
  }
}

const time = (unit: TimeUnit): LogicalType => ({ kind: 'time', unit });

/** Types that need nothing but their number: see `Type` of the library's bindings. */
const SIMPLE: ReadonlyMap<number, LogicalType> = new Map<number, LogicalType>([
  [1, types.bool],
  [2, types.int8],
  [3, types.int16],
  [4, types.int32],
  [5, types.int64],
  [6, types.uint8],
  [7, types.uint16],
  [8, types.uint32],
  [9, types.uint64],
  [10, types.float32],
  [11, types.float64],
  [12, types.timestampLocal],
  [13, types.date],
  [14, time('us')],
  [15, types.interval],
  [17, types.string],
  [18, types.bytes],
  [22, { kind: 'timestamp', unit: 'ns', zone: 'none' }],
  [27, types.uuid],
  [31, types.timestamp],
  [39, time('ns')],
]);

function inner(name: string, read: ReadableType): { field: Field; read: ReadableType } {
  return { field: field(name, read.type), read };
}

function nested(
  type: LogicalType,
  sql: string,
  members: readonly ReadableType[],
  cast = members.some((member) => member.cast),
  note?: string,
): ReadableType {
  const notes = [
    ...new Set([note, ...members.map((member) => member.note)].filter((text) => text !== undefined)),
  ];
  const start: Verdict = note === undefined ? 'exact' : 'widening';
  return {
    type,
    sql,
    cast,
    verdict: members.reduce<Verdict>((verdict, member) => worst(verdict, member.verdict), start),
    ...(notes.length > 0 && { note: notes.join('; ') }),
  };
}

function structType(names: readonly string[], members: readonly DuckDBType[], driver: Driver): ReadableType {
  const read = members.map((member) => readableType(member, driver));
  const type = types.struct(names.map((name, i) => field(name, read[i]!.type)));
  return nested(type, `STRUCT(${names.map((name, i) => `${quote(name)} ${read[i]!.sql}`).join(', ')})`, read);
}

function unionType(tags: readonly string[], members: readonly DuckDBType[], driver: Driver): ReadableType {
  const read = members.map((member) => readableType(member, driver));
  const type: LogicalType = { kind: 'union', variants: tags.map((tag, i) => field(tag, read[i]!.type)) };
  return nested(type, `UNION(${tags.map((tag, i) => `${quote(tag)} ${read[i]!.sql}`).join(', ')})`, read);
}

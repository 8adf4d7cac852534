/** Columns whose TypeScript type is known, for authors who write rows by hand. */
import * as types from './types.js';
import type { Interval, OffsetTimestamp, Special, Value } from './values.js';

/** A column of a stream; `T` is what a row holds there. */
export interface TypedColumn<T> {
  readonly type: types.LogicalType;
  readonly isNullable: boolean;
  /** The same column, allowing null. */
  readonly nullable: TypedColumn<T | null>;
  /** Only in types: what a row holds. */
  readonly holds?: T;
}

export type TypedColumns = { readonly [column: string]: TypedColumn<unknown> };

/** The row that columns describe. Nullable columns may be left out. */
export type RowOf<C extends TypedColumns> = {
  [K in keyof C as null extends Held<C[K]> ? never : K]: Held<C[K]> | Special;
} & { [K in keyof C as null extends Held<C[K]> ? K : never]?: Held<C[K]> | Special | undefined };

type Held<C> = C extends TypedColumn<infer T> ? T : never;

function typed<T>(type: types.LogicalType): TypedColumn<T> {
  const nullable: TypedColumn<T | null> = {
    type,
    isNullable: true,
    get nullable() {
      return nullable;
    },
  };
  return { type, isNullable: false, nullable };
}

/** Column types by name: `t.int64`, `t.decimal(12, 2)`, `t.string.nullable`. */
export const t = {
  bool: typed<boolean>(types.bool),
  int8: typed<number>(types.int8),
  int16: typed<number>(types.int16),
  int32: typed<number>(types.int32),
  int64: typed<bigint>(types.int64),
  uint8: typed<number>(types.uint8),
  uint16: typed<number>(types.uint16),
  uint32: typed<number>(types.uint32),
  uint64: typed<bigint>(types.uint64),
  float32: typed<number>(types.float32),
  float64: typed<number>(types.float64),
  string: typed<string>(types.string),
  bytes: typed<Uint8Array>(types.bytes),
  uuid: typed<string>(types.uuid),
  /** Days since 1970-01-01; `parseDate` reads ISO text. */
  date: typed<number>(types.date),
  /** Microseconds since midnight. */
  time: typed<bigint>(types.time),
  /** An instant, in microseconds since 1970-01-01 UTC; `parseTimestamp` reads ISO text. */
  timestamp: typed<bigint>(types.timestamp),
  timestampLocal: typed<bigint>(types.timestampLocal),
  timestampOffset: typed<OffsetTimestamp>({ kind: 'timestamp', unit: 'us', zone: 'offset' }),
  interval: typed<Interval>(types.interval),
  duration: typed<bigint>(types.duration),
  /** A JSON document's text. */
  json: typed<string>(types.json),
  decimal: (precision?: number, scale?: number) => typed<string>(types.decimal(precision, scale)),
  enum: <const V extends string>(...values: V[]) => typed<V>(types.enumOf(...values)),
  list: <T extends Value>(item: TypedColumn<T>) => typed<T[]>(types.list(item.type, item.isNullable)),
  struct: <C extends TypedColumns>(members: C) => typed<RowOf<C>>(types.struct(fieldsOf(members))),
} as const;

/** The fields that typed columns stand for. */
export function fieldsOf(columns: TypedColumns): types.Field[] {
  return Object.entries(columns).map(([name, column]) => ({
    name,
    type: column.type,
    nullable: column.isNullable,
  }));
}

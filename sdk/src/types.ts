/**
 * Logical types: what a value means, independent of any system.
 * How each is laid out in columns and what it is in rows stands in `values.ts`.
 */

/** Resolution of a time-like value: microseconds, or nanoseconds where the system has them. */
export type TimeUnit = 'us' | 'ns';

export type LogicalType =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 32 | 64 }
  /** `precision` and `scale` are both present, or both absent: an unbounded decimal. */
  | { readonly kind: 'decimal'; readonly precision?: number; readonly scale?: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'date' }
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  /** `utc`: an instant. `none`: a wall-clock reading without zone. `offset`: an instant whose offset is kept. */
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly zone: 'utc' | 'none' | 'offset' }
  /** Calendar interval: months, days and nanoseconds, which do not convert into each other. */
  | { readonly kind: 'interval' }
  | { readonly kind: 'duration'; readonly unit: TimeUnit }
  /** `raw`: the text as it was written. `normalised`: the system reordered or reformatted it (jsonb). */
  | { readonly kind: 'json'; readonly text: 'raw' | 'normalised' }
  | { readonly kind: 'list'; readonly item: Field }
  | { readonly kind: 'struct'; readonly fields: readonly Field[] }
  | { readonly kind: 'map'; readonly key: Field; readonly value: Field }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'union'; readonly variants: readonly Field[] }
  /** Text in a system's own notation, for types that have no other home (`name` says which). */
  | { readonly kind: 'native'; readonly name: string };

/** A named, typed column, list item or struct member. */
export interface Field {
  readonly name: string;
  readonly type: LogicalType;
  readonly nullable: boolean;
  /** The source system's own type name, for reports and for sinks of the same system. */
  readonly native?: string;
  /**
   * What changes may come without, neither in the row nor in its before-image: `before`, the value that was replaced or
   * deleted; `both`, also the value that the row has (UNCHANGED). Without it changes bring both.
   */
  readonly unsent?: 'before' | 'both';
}

export const nullType: LogicalType = { kind: 'null' };
export const bool: LogicalType = { kind: 'bool' };
export const int8: LogicalType = { kind: 'int', bits: 8, signed: true };
export const int16: LogicalType = { kind: 'int', bits: 16, signed: true };
export const int32: LogicalType = { kind: 'int', bits: 32, signed: true };
export const int64: LogicalType = { kind: 'int', bits: 64, signed: true };
export const uint8: LogicalType = { kind: 'int', bits: 8, signed: false };
export const uint16: LogicalType = { kind: 'int', bits: 16, signed: false };
export const uint32: LogicalType = { kind: 'int', bits: 32, signed: false };
export const uint64: LogicalType = { kind: 'int', bits: 64, signed: false };
export const float32: LogicalType = { kind: 'float', bits: 32 };
export const float64: LogicalType = { kind: 'float', bits: 64 };
export const string: LogicalType = { kind: 'string' };
export const bytes: LogicalType = { kind: 'bytes' };
export const uuid: LogicalType = { kind: 'uuid' };
export const date: LogicalType = { kind: 'date' };
export const time: LogicalType = { kind: 'time', unit: 'us' };
/** An instant in microseconds. */
export const timestamp: LogicalType = { kind: 'timestamp', unit: 'us', zone: 'utc' };
/** A wall-clock reading in microseconds. */
export const timestampLocal: LogicalType = { kind: 'timestamp', unit: 'us', zone: 'none' };
export const interval: LogicalType = { kind: 'interval' };
export const duration: LogicalType = { kind: 'duration', unit: 'us' };
export const json: LogicalType = { kind: 'json', text: 'raw' };

/** A decimal of a fixed precision and scale, or an unbounded one without arguments. */
export function decimal(precision?: number, scale = 0): LogicalType {
  return precision === undefined ? { kind: 'decimal' } : { kind: 'decimal', precision, scale };
}
export function list(item: LogicalType, nullable = true): LogicalType {
  return { kind: 'list', item: { name: 'item', type: item, nullable } };
}
export function struct(fields: readonly Field[]): LogicalType {
  return { kind: 'struct', fields };
}
export function map(key: LogicalType, value: LogicalType): LogicalType {
  return {
    kind: 'map',
    key: { name: 'key', type: key, nullable: false },
    value: { name: 'value', type: value, nullable: true },
  };
}
export function enumOf(...values: string[]): LogicalType {
  return { kind: 'enum', values };
}
export function native(name: string): LogicalType {
  return { kind: 'native', name };
}

/** A field, nullable unless said otherwise. */
export function field(
  name: string,
  type: LogicalType,
  options: { nullable?: boolean; native?: string } = {},
): Field {
  const { nullable = true, native } = options;
  return native === undefined ? { name, type, nullable } : { name, type, nullable, native };
}

/** Whether two types mean the same values in the same layout. */
export function sameType(a: LogicalType, b: LogicalType): boolean {
  return formatType(a) === formatType(b);
}

/** A short, unambiguous text of a type, as printed in plans: `decimal(12,2)`, `list<int32>`, `timestamp(us, utc)`. */
export function formatType(type: LogicalType): string {
  switch (type.kind) {
    case 'int':
      return `${type.signed ? '' : 'u'}int${type.bits}`;
    case 'float':
      return `float${type.bits}`;
    case 'decimal':
      return type.precision === undefined ? 'decimal' : `decimal(${type.precision},${type.scale})`;
    case 'time':
    case 'duration':
      return type.unit === 'us' ? type.kind : `${type.kind}(ns)`;
    case 'timestamp':
      return `timestamp(${type.unit}, ${type.zone})`;
    case 'json':
      return type.text === 'raw' ? 'json' : 'json(normalised)';
    case 'list':
      return `list<${formatType(type.item.type)}${type.item.nullable ? '' : ' not null'}>`;
    case 'struct':
      return `struct<${type.fields.map(formatField).join(', ')}>`;
    case 'map':
      return `map<${formatType(type.key.type)}, ${formatType(type.value.type)}>`;
    case 'enum':
      return `enum(${type.values.map((value) => JSON.stringify(value)).join(', ')})`;
    case 'union':
      return `union<${type.variants.map(formatField).join(', ')}>`;
    case 'native':
      return `native(${type.name})`;
    default:
      return type.kind;
  }
}

function formatField(f: Field): string {
  return `${f.name}: ${formatType(f.type)}${f.nullable ? '' : ' not null'}`;
}

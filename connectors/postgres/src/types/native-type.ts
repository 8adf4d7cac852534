/** Types of PostgreSQL as logical types, and how their values are read and written. */
import { type LogicalType, types, type Verdict } from '@sluice/sdk';
import type { CatalogType, TypeCatalog } from './type-catalog.js';
import type { Wire } from './wire.js';

export interface NativeType {
  /** As format_type writes it: `numeric(12,2)`, `character varying(20)`, `integer[]`, `public.mood`. */
  readonly name: string;
  readonly logical: LogicalType;
  /** Native → logical. */
  readonly verdict: Verdict;
  readonly note?: string;
  /** How binary COPY shows a value; of a type that is read and written as text, the text. */
  readonly wire: Wire;
  /** The value crosses as text: read through `::text`, written through a cast to the type. */
  readonly viaText: boolean;
}

interface Shape {
  readonly logical: LogicalType;
  readonly wire: Wire;
  readonly verdict?: Verdict;
  readonly note?: string;
}

/** PostgreSQL versions as server_version_num has them. */
const INFINITE_INTERVALS = 170000;

const SPECIAL_NUMERIC = 'NaN and ±infinity travel beside the column';
const SPECIAL_TIME = '±infinity travels beside the column';

/** The type of a column. `name` is what format_type says of it; the type must have been loaded into the catalog. */
export function nativeType(
  name: string,
  oid: number,
  modifier: number,
  catalog: TypeCatalog,
  serverVersion: number,
): NativeType {
  const { type, modifier: baseModifier } = underDomains(catalog.get(oid), modifier, catalog);
  const shape = shapeOf(type, baseModifier, catalog, serverVersion);
  if (shape === undefined) {
    const logical = types.native(name);
    return { name, logical, verdict: 'exact', wire: { kind: 'text' }, viaText: true };
  }
  return { name, verdict: 'exact', ...shape, viaText: false };
}

/** A domain has the values of the type below it. */
function underDomains(type: CatalogType, modifier: number, catalog: TypeCatalog) {
  while (type.kind === 'd') {
    modifier = type.baseModifier;
    type = catalog.get(type.base);
  }
  return { type, modifier };
}

/** How values of a type are read as something better than text; undefined where they are not. */
function shapeOf(
  type: CatalogType,
  modifier: number,
  catalog: TypeCatalog,
  version: number,
): Shape | undefined {
  if (type.kind === 'e') return { logical: types.enumOf(...type.labels), wire: { kind: 'text' } };
  if (type.kind !== 'b') return undefined;
  if (type.element !== 0) return arrayShape(catalog.get(type.element), modifier, catalog, version);
  return scalarShape(type, modifier, version);
}

/** Element types whose arrays are lists. Others carry type numbers or have no binary form of their own. */
const LIST_ELEMENTS = new Set([
  'bool',
  'int2',
  'int4',
  'int8',
  'oid',
  'float4',
  'float8',
  'numeric',
  'text',
  'bpchar',
  'bytea',
  'uuid',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'interval',
  'json',
  'jsonb',
]);

function arrayShape(
  element: CatalogType,
  modifier: number,
  catalog: TypeCatalog,
  version: number,
): Shape | undefined {
  const shape = shapeOf(element, modifier, catalog, version);
  if (shape === undefined || !LIST_ELEMENTS.has(shape.wire.kind)) return undefined;
  return {
    logical: types.list(shape.logical),
    wire: { kind: 'array', element: shape.wire, elementOid: element.oid },
    note: 'arrays of more dimensions or with other bounds travel beside the column',
  };
}

/** By send function rather than by name: an extension's type that sends like text is text. */
function scalarShape(type: CatalogType, modifier: number, version: number): Shape | undefined {
  switch (type.send) {
    case 'boolsend':
      return { logical: types.bool, wire: { kind: 'bool' } };
    case 'int2send':
      return { logical: types.int16, wire: { kind: 'int2' } };
    case 'int4send':
      return { logical: types.int32, wire: { kind: 'int4' } };
    case 'int8send':
      return { logical: types.int64, wire: { kind: 'int8' } };
    case 'oidsend':
      return { logical: types.uint32, wire: { kind: 'oid' } };
    case 'float4send':
      return { logical: types.float32, wire: { kind: 'float4' } };
    case 'float8send':
      return { logical: types.float64, wire: { kind: 'float8' } };
    case 'numeric_send':
      return numericShape(modifier);
    case 'textsend':
    case 'varcharsend':
    case 'namesend':
    case 'citextsend':
      return { logical: types.string, wire: { kind: 'text' } };
    case 'bpcharsend':
      return {
        logical: types.string,
        wire: modifier < 4 ? { kind: 'bpchar' } : { kind: 'bpchar', length: modifier - 4 },
        note: 'with the spaces that it is padded with',
      };
    case 'byteasend':
      return { logical: types.bytes, wire: { kind: 'bytea' } };
    case 'uuid_send':
      return { logical: types.uuid, wire: { kind: 'uuid' } };
    case 'date_send':
      return { logical: types.date, wire: { kind: 'date' }, note: SPECIAL_TIME };
    case 'time_send':
      return { logical: types.time, wire: timeWire('time', modifier) };
    case 'timestamp_send':
      return { logical: types.timestampLocal, wire: timeWire('timestamp', modifier), note: SPECIAL_TIME };
    case 'timestamptz_send':
      return { logical: types.timestamp, wire: timeWire('timestamptz', modifier), note: SPECIAL_TIME };
    case 'interval_send': {
      const infinite = version >= INFINITE_INTERVALS;
      return {
        logical: types.interval,
        wire: modifier === -1 ? { kind: 'interval', infinite } : { kind: 'interval', modifier, infinite },
        note: 'more than 292 years of hours travel beside the column',
      };
    }
    case 'json_send':
      return { logical: types.json, wire: { kind: 'json' } };
    case 'jsonb_send':
      return { logical: { kind: 'json', text: 'normalised' }, wire: { kind: 'jsonb' } };
    default:
      return undefined;
  }
}

function timeWire(kind: 'time' | 'timestamp' | 'timestamptz', modifier: number): Wire {
  return modifier < 0 || modifier >= 6 ? { kind } : { kind, digits: modifier };
}

/** Scales below zero and above the precision (PostgreSQL 15) become a decimal that holds all the digits. */
function numericShape(modifier: number): Shape {
  if (modifier < 4) return { logical: types.decimal(), wire: { kind: 'numeric' }, note: SPECIAL_NUMERIC };
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  const digits = scale < 0 ? precision - scale : Math.max(precision, scale);
  return {
    logical: types.decimal(digits, Math.max(scale, 0)),
    wire: { kind: 'numeric', precision, scale },
    note: SPECIAL_NUMERIC,
  };
}

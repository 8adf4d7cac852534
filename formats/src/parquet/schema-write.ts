/**
 * From fields to a Parquet schema: the schema's elements, the shape by which columns are taken apart, and the
 * leaves that become column chunks. Annotations follow
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
 *
 * | type | Parquet |
 * |---|---|
 * | null | INT32, UNKNOWN |
 * | bool, float | BOOLEAN, FLOAT, DOUBLE |
 * | int | INT32 or INT64 with INT(bits, signed); int32 and int64 bare |
 * | decimal(p ≤ 9), (p ≤ 18), (p ≤ 38) | INT32, INT64, FIXED(16) with DECIMAL |
 * | unbounded decimal, string, enum, native | BYTE_ARRAY, STRING (most readers give ENUM back as bytes) |
 * | json, bytes, uuid, date | BYTE_ARRAY JSON, BYTE_ARRAY, FIXED(16) UUID, INT32 DATE |
 * | time, timestamp | INT64 TIME, TIMESTAMP; zone `utc` is adjusted to UTC, `none` is not |
 * | timestamp offset | group of `at` TIMESTAMP and `offset` INT(16) |
 * | interval | group of `months`, `days` INT32 and `nanos` INT64: the format's INTERVAL ends at milliseconds |
 * | duration | INT64 |
 * | list, map, struct | LIST of three levels, MAP, group |
 */
import {
  DECIMAL64_DIGITS,
  DECIMAL128_DIGITS,
  type Field,
  formatType,
  type LogicalType,
  structFields,
} from '@sluice/sdk';
import { parquetErrors } from './errors.js';
import { Converted, type LogicalAnnotation, Physical, Repetition, type SchemaElement } from './format.js';

/** How the values of a leaf lie in the column that it is taken from. */
export type LeafForm =
  | 'none'
  | 'bits'
  /** Typed array of 4-, 8- or 16-byte values that go to the file as they are. */
  | 'words'
  /** 8- and 16-bit integers, widened to 32. */
  | 'narrow'
  /** Decimal of up to 9 digits in 64 bits, cut to 32. */
  | 'decimal32'
  /** Decimal in 16 bytes little endian, turned round. */
  | 'decimal128'
  | 'varlen';

/** The order in which a leaf's minimum and maximum are meant. */
export type LeafOrder = 'none' | 'bool' | 'int' | 'uint' | 'float' | 'bytes' | 'text' | 'signed-bytes';

/** A column chunk's worth of the schema. */
export interface Leaf {
  readonly path: readonly string[];
  readonly physical: number;
  readonly form: LeafForm;
  readonly order: LeafOrder;
  /** 32-bit words a value, for forms of fixed width. */
  readonly words: number;
  readonly maxDef: number;
  readonly maxRep: number;
}

/** How a column is taken apart into leaves. `name` is for messages. */
export type Shape =
  | { readonly kind: 'leaf'; readonly name: string; readonly optional: boolean; readonly leaf: Leaf }
  | {
      readonly kind: 'struct';
      readonly name: string;
      readonly optional: boolean;
      readonly members: readonly Shape[];
    }
  | {
      readonly kind: 'interval';
      readonly name: string;
      readonly optional: boolean;
      readonly members: readonly Shape[];
    }
  | { readonly kind: 'list'; readonly name: string; readonly optional: boolean; readonly item: Shape };

export interface WriteSchema {
  readonly elements: readonly SchemaElement[];
  readonly shapes: readonly Shape[];
  /** In the order of the schema, which is that of the column chunks. */
  readonly leaves: readonly Leaf[];
}

/** The schema of a file of these fields; throws `SLUICE-PARQUET-0006` for types without a place. */
export function writeSchema(fields: readonly Field[]): WriteSchema {
  if (fields.length === 0) throw parquetErrors.typeRefused('a Parquet file needs at least one column');
  const builder = new SchemaBuilder();
  builder.elements.push({ name: 'schema', children: fields.length });
  const shapes = fields.map((f) => builder.field(f, f.name, { path: [], maxDef: 0, maxRep: 0 }));
  return { elements: builder.elements, shapes, leaves: builder.leaves };
}

/** Where in the tree a node stands: the names and levels of the nodes above it. */
interface Place {
  readonly path: readonly string[];
  readonly maxDef: number;
  readonly maxRep: number;
}

class SchemaBuilder {
  readonly elements: SchemaElement[] = [];
  readonly leaves: Leaf[] = [];

  field(field: Field, label: string, above: Place, as = field.name): Shape {
    const { type } = field;
    const optional = field.nullable || type.kind === 'null';
    const place = {
      path: [...above.path, as],
      maxDef: above.maxDef + (optional ? 1 : 0),
      maxRep: above.maxRep,
    };
    const node = { name: as, repetition: optional ? Repetition.OPTIONAL : Repetition.REQUIRED };
    switch (type.kind) {
      case 'list':
        return this.list(node, type.item, label, place, optional);
      case 'map':
        return this.map(node, type.key, type.value, label, place, optional);
      case 'struct':
        return {
          kind: 'struct',
          name: label,
          optional,
          members: this.group(node, type.fields, label, place),
        };
      case 'interval':
        return { kind: 'interval', name: label, optional, members: this.group(node, INTERVAL, label, place) };
      case 'timestamp':
        if (type.zone === 'offset') {
          const members = this.group(node, structFields(type), label, place);
          return { kind: 'struct', name: label, optional, members };
        }
        return this.leaf(node, leafOf(type, label), label, place, optional);
      default:
        return this.leaf(node, leafOf(type, label), label, place, optional);
    }
  }

  private leaf(node: NodeHead, what: LeafType, label: string, place: Place, optional: boolean): Shape {
    const { physical, typeLength, form, order, ...annotations } = what;
    this.elements.push({ ...node, type: physical, ...(typeLength && { typeLength }), ...annotations });
    const leaf: Leaf = { ...place, physical, form, order, words: wordsOf(physical) };
    this.leaves.push(leaf);
    return { kind: 'leaf', name: label, optional, leaf };
  }

  private group(node: NodeHead, fields: readonly Field[], label: string, place: Place): Shape[] {
    if (fields.length === 0) {
      throw parquetErrors.typeRefused(`column ${label}: Parquet has no struct without members`);
    }
    this.elements.push({ ...node, children: fields.length });
    return fields.map((f) => this.field(f, `${label}.${f.name}`, place));
  }

  private list(node: NodeHead, item: Field, label: string, place: Place, optional: boolean): Shape {
    this.elements.push({ ...node, children: 1, converted: Converted.LIST, logical: { kind: 'list' } });
    this.elements.push({ name: 'list', repetition: Repetition.REPEATED, children: 1 });
    const inside = { path: [...place.path, 'list'], maxDef: place.maxDef + 1, maxRep: place.maxRep + 1 };
    return { kind: 'list', name: label, optional, item: this.field(item, `${label}[]`, inside, 'element') };
  }

  private map(
    node: NodeHead,
    key: Field,
    value: Field,
    label: string,
    place: Place,
    optional: boolean,
  ): Shape {
    this.elements.push({ ...node, children: 1, converted: Converted.MAP, logical: { kind: 'map' } });
    this.elements.push({ name: 'key_value', repetition: Repetition.REPEATED, children: 2 });
    const inside = { path: [...place.path, 'key_value'], maxDef: place.maxDef + 1, maxRep: place.maxRep + 1 };
    const members = [
      this.field({ ...key, nullable: false }, `${label}.key`, inside, 'key'),
      this.field(value, `${label}.value`, inside, 'value'),
    ];
    const item: Shape = { kind: 'struct', name: label, optional: false, members };
    return { kind: 'list', name: label, optional, item };
  }
}

type NodeHead = Pick<SchemaElement, 'name' | 'repetition'>;

/** Members that an interval is written as. */
const INTERVAL: readonly Field[] = [
  { name: 'months', type: { kind: 'int', bits: 32, signed: true }, nullable: false },
  { name: 'days', type: { kind: 'int', bits: 32, signed: true }, nullable: false },
  { name: 'nanos', type: { kind: 'int', bits: 64, signed: true }, nullable: false },
];

type LeafType = Pick<SchemaElement, 'converted' | 'scale' | 'precision' | 'logical' | 'typeLength'> &
  Pick<Leaf, 'physical' | 'form' | 'order'>;

function wordsOf(physical: number): number {
  if (physical === Physical.INT64 || physical === Physical.DOUBLE) return 2;
  return physical === Physical.FIXED_LEN_BYTE_ARRAY ? 4 : 1;
}

function leafOf(type: LogicalType, label: string): LeafType {
  switch (type.kind) {
    case 'null':
      return { physical: Physical.INT32, form: 'none', order: 'none', logical: { kind: 'unknown' } };
    case 'bool':
      return { physical: Physical.BOOLEAN, form: 'bits', order: 'bool' };
    case 'int':
      return intLeaf(type.bits, type.signed);
    case 'float':
      return { physical: type.bits === 32 ? Physical.FLOAT : Physical.DOUBLE, form: 'words', order: 'float' };
    case 'decimal':
      return decimalLeaf(type.precision, type.scale ?? 0, label);
    case 'string':
    case 'enum':
    case 'native':
      return TEXT;
    case 'json':
      return { ...TEXT, converted: Converted.JSON, logical: { kind: 'json' } };
    case 'bytes':
      return { physical: Physical.BYTE_ARRAY, form: 'varlen', order: 'bytes' };
    case 'uuid':
      return {
        physical: Physical.FIXED_LEN_BYTE_ARRAY,
        typeLength: 16,
        form: 'words',
        order: 'bytes',
        logical: { kind: 'uuid' },
      };
    case 'date': {
      const { DATE } = Converted;
      return {
        physical: Physical.INT32,
        form: 'words',
        order: 'int',
        converted: DATE,
        logical: { kind: 'date' },
      };
    }
    case 'time':
      return int64Leaf({ kind: 'time', unit: type.unit, utc: false });
    case 'timestamp':
      return int64Leaf({ kind: 'timestamp', unit: type.unit, utc: type.zone === 'utc' });
    case 'duration':
      return { physical: Physical.INT64, form: 'words', order: 'int' };
    default:
      throw parquetErrors.typeRefused(`column ${label}: Parquet has no ${formatType(type)}`);
  }
}

const TEXT: LeafType = {
  physical: Physical.BYTE_ARRAY,
  form: 'varlen',
  order: 'text',
  converted: Converted.UTF8,
  logical: { kind: 'string' },
};

function intLeaf(bits: 8 | 16 | 32 | 64, signed: boolean): LeafType {
  const physical = bits === 64 ? Physical.INT64 : Physical.INT32;
  const form = bits < 32 ? 'narrow' : 'words';
  if (signed && bits >= 32) return { physical, form, order: 'int' };
  const converted = Converted[`${signed ? '' : 'U'}INT_${bits}`];
  return {
    physical,
    form,
    order: signed ? 'int' : 'uint',
    converted,
    logical: { kind: 'int', bits, signed },
  };
}

function decimalLeaf(digits: number | undefined, scale: number, label: string): LeafType {
  if (digits === undefined || digits > DECIMAL128_DIGITS) return TEXT;
  // Parquet wants 0 ≤ scale ≤ precision; Postgres also has numeric(3,5) and numeric(3,-2).
  const precision = Math.max(digits, scale);
  const most = digits > DECIMAL64_DIGITS ? DECIMAL128_DIGITS : DECIMAL64_DIGITS;
  if (scale < 0 || precision > most) {
    throw parquetErrors.typeRefused(`column ${label}: Parquet has no decimal(${digits},${scale})`);
  }
  const logical = { kind: 'decimal', precision, scale } as const;
  const decimal = { converted: Converted.DECIMAL, precision, scale, logical };
  if (digits > DECIMAL64_DIGITS) {
    const physical = Physical.FIXED_LEN_BYTE_ARRAY;
    return { physical, typeLength: 16, form: 'decimal128', order: 'signed-bytes', ...decimal };
  }
  if (precision > 9) return { physical: Physical.INT64, form: 'words', order: 'int', ...decimal };
  return { physical: Physical.INT32, form: 'decimal32', order: 'int', ...decimal };
}

/** A converted type stands beside the logical one only where it means the same: microseconds adjusted to UTC. */
function int64Leaf(logical: LogicalAnnotation & { kind: 'time' | 'timestamp' }): LeafType {
  const leaf = { physical: Physical.INT64, form: 'words', order: 'int', logical } as const;
  if (logical.kind === 'timestamp' && logical.utc && logical.unit === 'us') {
    return { ...leaf, converted: Converted.TIMESTAMP_MICROS };
  }
  return leaf;
}

/** Arbitrary tables over every type that Parquet has a place for. */
import {
  type Field,
  formatDecimal,
  formatUuid,
  type LogicalType,
  powerOfTen,
  types,
  type Value,
} from '@sluice/sdk';
import fc from 'fast-check';
import type { Table } from './memory-file.js';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

const units = fc.constantFrom('us' as const, 'ns' as const);

/** Types without others inside. */
const plainType: fc.Arbitrary<LogicalType> = fc.oneof(
  fc.constantFrom<LogicalType>(
    types.nullType,
    types.bool,
    types.float32,
    types.float64,
    types.string,
    types.bytes,
    types.uuid,
    types.date,
    types.interval,
    types.json,
    { kind: 'json', text: 'normalised' },
    types.decimal(),
    types.native('point'),
    types.enumOf('low', 'middle', 'hígh'),
  ),
  fc.record({
    kind: fc.constant('int' as const),
    bits: fc.constantFrom(8 as const, 16 as const, 32 as const, 64 as const),
    signed: fc.boolean(),
  }),
  fc
    .tuple(fc.integer({ min: 1, max: 45 }), fc.nat(45))
    .map(([precision, scale]) => types.decimal(precision, Math.min(precision, scale))),
  units.map((unit) => ({ kind: 'time', unit }) as const),
  units.map((unit) => ({ kind: 'duration', unit }) as const),
  fc
    .tuple(units, fc.constantFrom('utc' as const, 'none' as const, 'offset' as const))
    .map(([unit, zone]) => ({ kind: 'timestamp', unit, zone }) as const),
);

/** Any type, nested up to a few levels. */
export const anyType: fc.Arbitrary<LogicalType> = fc.letrec<{ type: LogicalType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { arbitrary: plainType, weight: 6 },
    {
      arbitrary: fc.tuple(tie('type'), fc.boolean()).map(([item, nullable]) => types.list(item, nullable)),
      weight: 2,
    },
    {
      arbitrary: fc
        .array(fc.tuple(tie('type'), fc.boolean()), { minLength: 1, maxLength: 3 })
        .map((members) =>
          types.struct(members.map(([type, nullable], i) => memberOf(`m${i}`, type, nullable))),
        ),
      weight: 2,
    },
    {
      arbitrary: fc
        .tuple(fc.constantFrom(types.string, types.int32, types.uuid), tie('type'))
        .map(([key, value]) => types.map(key, value)),
      weight: 1,
    },
  ),
})).type;

/** A field of nulls alone is nullable, whatever else. */
function memberOf(name: string, type: LogicalType, nullable: boolean): Field {
  return { name, type, nullable: nullable || type.kind === 'null' };
}

/** Values of a type as rows show them, without null. */
function presentValue(type: LogicalType): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'bool':
      return fc.boolean();
    case 'int':
      if (type.bits === 64) return type.signed ? int64 : uint64;
      return type.signed
        ? fc.integer({ min: -(2 ** (type.bits - 1)), max: 2 ** (type.bits - 1) - 1 })
        : fc.integer({ min: 0, max: 2 ** type.bits - 1 });
    case 'float':
      return type.bits === 32 ? fc.float() : fc.double();
    case 'decimal': {
      const { precision = 60, scale } = type;
      const most = powerOfTen(precision) - 1n;
      return fc
        .tuple(fc.bigInt({ min: -most, max: most }), fc.nat(10))
        .map(([unscaled, digits]) => formatDecimal(unscaled, scale ?? digits));
    }
    case 'bytes':
      return fc.uint8Array({ maxLength: 12 });
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => formatUuid(bytes));
    case 'date':
      return fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 });
    case 'time':
      return fc.bigInt({ min: 0n, max: type.unit === 'us' ? 86_400_000_000n : 86_400_000_000_000n });
    case 'timestamp':
      if (type.zone !== 'offset') return int64;
      return fc.record({ at: int64, offset: fc.integer({ min: -1080, max: 1080 }) });
    case 'interval':
      return fc.record({ months: int32, days: int32, nanos: int64 });
    case 'duration':
      return int64;
    case 'json':
      return fc.json({ maxDepth: 1 });
    case 'enum':
      return fc.constantFrom(...type.values);
    case 'list':
      return fc.array(anyValue(type.item), { maxLength: 4 });
    case 'struct':
      return fc.tuple(...type.fields.map(anyValue)).map((values) => {
        return Object.fromEntries(type.fields.map((field, i) => [field.name, values[i]!]));
      });
    case 'map':
      return fc.array(fc.tuple(anyValue(type.key), anyValue(type.value)), { maxLength: 3 });
    default:
      return fc.string({ unit: 'binary', maxLength: 12 });
  }
}

/** Values of a field: some null where it may be, drawn anew or from a few so that they repeat. */
function anyValue(field: Field): fc.Arbitrary<Value> {
  if (field.type.kind === 'null') return fc.constant(null);
  const present = presentValue(field.type);
  return field.nullable
    ? fc.oneof({ arbitrary: fc.constant(null), weight: 1 }, { arbitrary: present, weight: 4 })
    : present;
}

function columnValuesOf(field: Field, rows: number): fc.Arbitrary<Value[]> {
  const anew = fc.array(anyValue(field), { minLength: rows, maxLength: rows });
  const again = fc
    .tuple(
      fc.array(anyValue(field), { minLength: 3, maxLength: 3 }),
      fc.array(fc.nat(2), { minLength: rows, maxLength: rows }),
    )
    .map(([few, picks]) => picks.map((pick) => few[pick]!));
  return fc.oneof(anew, again);
}

/** Tables of one to four columns and up to `mostRows` rows. */
export function anyTable(mostRows: number, type: fc.Arbitrary<LogicalType> = anyType): fc.Arbitrary<Table> {
  return fc
    .tuple(fc.array(fc.tuple(type, fc.boolean()), { minLength: 1, maxLength: 4 }), fc.nat(mostRows))
    .chain(([columns, rows]) => {
      const fields = columns.map(([t, nullable], i) => memberOf(`c${i}`, t, nullable));
      return fc
        .tuple(...fields.map((field) => columnValuesOf(field, rows)))
        .map((values) => ({ fields, values }));
    });
}

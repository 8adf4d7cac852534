/** Arbitrary types, and arbitrary values of a type as rows show them, for property tests. */
import fc from 'fast-check';
import { formatDecimal } from '../decimal.js';
import type { Field, LogicalType } from '../types.js';
import * as types from '../types.js';
import { formatUuid } from '../uuid.js';
import { Special, UNCHANGED, type Value } from '../values.js';

const unit = fc.constantFrom('us' as const, 'ns' as const);
const memberName = fc.stringMatching(/^[a-z]{1,6}$/);

const scalarType: fc.Arbitrary<LogicalType> = fc.oneof(
  fc.constantFrom(
    types.bool,
    types.int8,
    types.int16,
    types.int32,
    types.int64,
    types.uint8,
    types.uint16,
    types.uint32,
    types.uint64,
    types.float32,
    types.float64,
    types.decimal(),
    types.string,
    types.bytes,
    types.uuid,
    types.date,
    types.interval,
    types.json,
    types.native('int4range'),
    types.nullType,
  ),
  fc.tuple(fc.integer({ min: 1, max: 45 }), fc.nat(45)).map(([p, s]) => types.decimal(p, Math.min(p, s))),
  fc.record({ kind: fc.constantFrom('time' as const, 'duration' as const), unit }),
  fc.record({
    kind: fc.constant('timestamp' as const),
    unit,
    zone: fc.constantFrom('utc' as const, 'none' as const, 'offset' as const),
  }),
  fc
    .uniqueArray(fc.string({ maxLength: 4, unit: 'grapheme' }), { minLength: 1, maxLength: 4 })
    .map((values) => types.enumOf(...values)),
);

/** Any logical type, nested up to a few levels. */
export const anyType: fc.Arbitrary<LogicalType> = fc.letrec<{ type: LogicalType }>((tie) => {
  const members = fc
    .uniqueArray(fc.tuple(memberName, tie('type')), {
      minLength: 1,
      maxLength: 3,
      selector: ([name]) => name,
    })
    .map((list) => list.map(([name, type]) => types.field(name, type)));
  return {
    type: fc.oneof(
      { depthSize: 'small', withCrossShrink: true, maxDepth: 3 },
      { weight: 6, arbitrary: scalarType },
      { weight: 1, arbitrary: tie('type').map((item) => types.list(item)) },
      { weight: 1, arbitrary: members.map(types.struct) },
      {
        weight: 1,
        arbitrary: fc.tuple(scalarType, tie('type')).map(([key, value]) => types.map(key, value)),
      },
      { weight: 1, arbitrary: members.map((variants): LogicalType => ({ kind: 'union', variants })) },
    ),
  };
}).type;

/** A value that a type has: not null, UNCHANGED or special. */
export function valueOfType(type: LogicalType): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'null':
      return fc.constant(null);
    case 'bool':
      return fc.boolean();
    case 'int': {
      const [min, max] = type.signed
        ? [-(2n ** BigInt(type.bits - 1)), 2n ** BigInt(type.bits - 1) - 1n]
        : [0n, 2n ** BigInt(type.bits) - 1n];
      return fc.bigInt({ min, max }).map((n) => (type.bits === 64 ? n : Number(n)));
    }
    case 'float':
      return type.bits === 32 ? fc.float() : fc.double();
    case 'decimal':
      return decimalOfType(type);
    case 'string':
    case 'native':
      return fc.string({ unit: 'grapheme' });
    case 'enum':
      return fc.constantFrom(...type.values);
    case 'json':
      return fc.json();
    case 'bytes':
      return fc.uint8Array({ maxLength: 20 });
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => formatUuid(bytes));
    case 'date':
      return fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 });
    case 'time':
      return fc.bigInt({ min: 0n, max: 86_400n * (type.unit === 'us' ? 1_000_000n : 1_000_000_000n) });
    case 'timestamp':
      return type.zone === 'offset'
        ? fc.record({ at: int64, offset: fc.integer({ min: -1439, max: 1439 }) })
        : int64;
    case 'duration':
      return int64;
    case 'interval':
      return fc.record({ months: int32, days: int32, nanos: int64 });
    case 'list':
      return fc.array(nullableValue(type.item.type), { maxLength: 4 });
    case 'struct':
      return fc.record(Object.fromEntries(type.fields.map((f) => [f.name, nullableValue(f.type)])), {
        noNullPrototype: true,
      });
    case 'map':
      return fc.array(fc.tuple(valueOfType(type.key.type), nullableValue(type.value.type)), { maxLength: 3 });
    case 'union':
      return fc
        .constantFrom(...type.variants)
        .chain((variant: Field) =>
          nullableValue(variant.type).map((value) => ({ tag: variant.name, value })),
        );
  }
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

function decimalOfType({ precision, scale }: { precision?: number; scale?: number }): fc.Arbitrary<string> {
  const limit = 10n ** BigInt(precision ?? 50) - 1n;
  const unscaled = fc.bigInt({ min: -limit, max: limit });
  if (scale !== undefined) return unscaled.map((n) => formatDecimal(n, scale));
  return fc.tuple(unscaled, fc.nat(20)).map(([n, s]) => formatDecimal(n, s));
}

function nullableValue(type: LogicalType): fc.Arbitrary<Value> {
  return fc.option(valueOfType(type), { freq: 5 });
}

/** What a row may hold in a column: a value, null, UNCHANGED or a special one. */
export function rowValue(type: LogicalType): fc.Arbitrary<Value> {
  const odd = fc.oneof(
    fc.constant<Value>(null),
    fc.constant<Value>(UNCHANGED),
    fc.string().map((text): Value => new Special(text)),
  );
  const gap = type.kind === 'null' ? fc.constant<Value>(null) : odd;
  return fc.oneof({ weight: 4, arbitrary: valueOfType(type) }, { weight: 1, arbitrary: gap });
}

/** A type with values for a column of it. */
export const anyColumn: fc.Arbitrary<{ type: LogicalType; values: Value[] }> = anyType.chain((type) =>
  fc
    .oneof(fc.array(rowValue(type), { maxLength: 40 }), fc.array(valueOfType(type), { maxLength: 10 }))
    .map((values) => ({ type, values })),
);

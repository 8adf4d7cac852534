/** Encoding and decoding are each other's inverse, for any values, nulls and cuts of batches. */
import {
  Batch,
  columnOf,
  columnValues,
  type LogicalType,
  type Row,
  Special,
  streamSchema,
  types,
  type Value,
} from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fit } from '../types/fit.js';
import type { Wire } from '../types/wire.js';
import { FrameBatches } from './frame-batch.js';
import { FrameEncoder } from './frame-encoder.js';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const decimalText = (digits: number, scale: number) =>
  fc.tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) - 1n })).map(([negative, value]) => {
    const text = value.toString().padStart(scale + 1, '0');
    const point = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
    return negative && value !== 0n ? `-${point}` : point;
  });
const special = (...texts: string[]) => fc.constantFrom(...texts).map((text) => new Special(text));
const nanOrInfinite = special('NaN', 'Infinity', '-Infinity');
const infinite = special('infinity', '-infinity');
/** Microseconds that PostgreSQL can hold: from 4713 BC on. */
const instant = fc.bigInt({ min: -210_866_803_200_000_000n, max: 9_223_372_036_854_775_807n });

const CASES: readonly [string, LogicalType, Wire, fc.Arbitrary<Value>][] = [
  ['bool', types.bool, { kind: 'bool' }, fc.boolean()],
  ['int2', types.int16, { kind: 'int2' }, fc.integer({ min: -32768, max: 32767 })],
  ['int4', types.int32, { kind: 'int4' }, fc.integer()],
  ['int8', types.int64, { kind: 'int8' }, int64],
  ['oid', types.uint32, { kind: 'oid' }, fc.integer({ min: 0, max: 2 ** 32 - 1 })],
  ['float4', types.float32, { kind: 'float4' }, fc.float()],
  ['float8', types.float64, { kind: 'float8' }, fc.double()],
  [
    'text',
    types.string,
    { kind: 'text' },
    fc.string({ unit: 'binary', maxLength: 300 }).filter((s) => !s.includes('\0')),
  ],
  ['bytea', types.bytes, { kind: 'bytea' }, fc.uint8Array({ maxLength: 300 })],
  ['uuid', types.uuid, { kind: 'uuid' }, fc.uuid()],
  ['json', types.json, { kind: 'json' }, fc.json()],
  ['jsonb', { kind: 'json', text: 'normalised' }, { kind: 'jsonb' }, fc.json()],
  [
    'date',
    types.date,
    { kind: 'date' },
    fc.oneof(fc.integer({ min: -2_440_588, max: 2_145_031_948 }), infinite),
  ],
  ['time', types.time, { kind: 'time' }, fc.bigInt({ min: 0n, max: 86_400_000_000n })],
  ['timestamp', types.timestampLocal, { kind: 'timestamp' }, fc.oneof(instant, infinite)],
  ['timestamptz', types.timestamp, { kind: 'timestamptz' }, fc.oneof(instant, infinite)],
  [
    'interval',
    types.interval,
    { kind: 'interval', infinite: false },
    fc.record({
      months: fc.integer(),
      days: fc.integer(),
      nanos: fc
        .bigInt({ min: -9_223_372_036_854_775n, max: 9_223_372_036_854_775n })
        .map((micros) => micros * 1000n),
    }),
  ],
  ...(
    [
      [1, 0],
      [5, 5],
      [12, 2],
      [15, 3],
      [16, 7],
      [18, 0],
      [18, 9],
      [18, 18],
      [19, 0],
      [25, 1],
      [38, 0],
      [38, 37],
      [60, 7],
    ] as const
  ).map(([precision, scale]): [string, LogicalType, Wire, fc.Arbitrary<Value>] => [
    `numeric(${precision},${scale})`,
    types.decimal(precision, scale),
    { kind: 'numeric', precision, scale },
    fc.oneof(decimalText(precision, scale), decimalText(Math.ceil(precision / 2), scale), nanOrInfinite),
  ]),
  [
    'numeric',
    types.decimal(),
    { kind: 'numeric' },
    fc.oneof(
      fc.nat(30).chain((scale) => decimalText(40, scale)),
      decimalText(3, 0),
      nanOrInfinite,
    ),
  ],
  [
    'numeric[]',
    types.list(types.decimal(10, 2)),
    { kind: 'array', element: { kind: 'numeric', precision: 10, scale: 2 }, elementOid: 1700 },
    fc.array(fc.option(fc.oneof(decimalText(10, 2), nanOrInfinite)), { maxLength: 5 }),
  ],
  [
    'text[]',
    types.list(types.string),
    { kind: 'array', element: { kind: 'text' }, elementOid: 25 },
    fc.array(fc.option(fc.string({ maxLength: 20 }).filter((s) => !s.includes('\0'))), { maxLength: 5 }),
  ],
  [
    'boolean[]',
    types.list(types.bool),
    { kind: 'array', element: { kind: 'bool' }, elementOid: 16 },
    fc.array(fc.option(fc.boolean()), { maxLength: 5 }),
  ],
];

/** Values through frames and back. */
function roundTrip(type: LogicalType, wire: Wire, values: readonly Value[]): Value[] {
  const field = { name: 'v', type, nullable: true };
  const schema = streamSchema('s', [{ name: 'n', type: types.int32, nullable: false }, field]);
  const rows: Row[] = values.map((v, n) => ({ n, v }));
  const batch = Batch.ofRows(schema, rows);
  const wires: Wire[] = [{ kind: 'int4' }, wire];
  const encoder = new FrameEncoder(
    schema.fields.map((f, i) => ({ name: f.name, encoder: fit(f.name, f.type, wires[i]!)!.encoder })),
  );
  const pieces = [...encoder.encode(batch.columns(), values.length)].map(({ bytes }) => Buffer.from(bytes));
  const decoded = new FrameBatches(schema, wires, undefined).batch({
    bytes: Buffer.concat(pieces),
    rows: values.length,
  });
  expect(columnValues(types.int32, decoded.column(0))).toEqual(values.map((_, n) => n));
  return columnValues(type, decoded.column(1));
}

describe('values come back as they were', () => {
  it.for(CASES)('%s', ([, type, wire, value]) => {
    fc.assert(
      fc.property(fc.array(fc.option(value), { maxLength: 40 }), (values) => {
        const field = { name: 'v', type, nullable: true };
        expect(roundTrip(type, wire, values)).toEqual(columnValues(type, columnOf(field, values)));
      }),
    );
  });

  it('also when one row is larger than a piece, and many are smaller', () => {
    const values = Array.from({ length: 5000 }, (_, i) => (i % 1000 === 7 ? 'y'.repeat(300_000) : `${i}`));
    expect(roundTrip(types.string, { kind: 'text' }, values)).toEqual(values);
  });

  it('nanoseconds are rounded down to microseconds', () => {
    const nanos: LogicalType = { kind: 'timestamp', unit: 'ns', zone: 'utc' };
    fc.assert(
      fc.property(fc.array(int64, { minLength: 1, maxLength: 20 }), (values) => {
        const { encoder } = fit('v', nanos, { kind: 'timestamptz' })!;
        const column = encoder.prepare!(columnOf({ name: 'v', type: nanos, nullable: true }, values));
        const micros = columnValues(types.timestamp, column);
        const floors = values.map((value) => value / 1000n - (value % 1000n < 0n ? 1n : 0n));
        expect(micros).toEqual(floors);
      }),
    );
  });

  it('integers of every width go into every type that holds them', () => {
    const widths = [types.int8, types.int16, types.int32, types.uint8, types.uint16, types.uint32] as const;
    for (const type of widths) {
      if (type.kind !== 'int') continue;
      const low = type.signed ? -(2 ** (type.bits - 1)) : 0;
      const high = type.signed ? 2 ** (type.bits - 1) - 1 : 2 ** type.bits - 1;
      const values = [low, high, 0, null, 1];
      const schema = streamSchema('s', [{ name: 'v', type, nullable: true }]);
      for (const [kind, read] of [
        ['int2', types.int16],
        ['int4', types.int32],
        ['int8', types.int64],
        ['numeric', types.decimal()],
      ] as const) {
        const found = fit('v', type, { kind });
        if (found === undefined) continue;
        const batch = Batch.ofRows(
          schema,
          values.map((v) => ({ v })),
        );
        const frames = [
          ...new FrameEncoder([{ name: 'v', encoder: found.encoder }]).encode(batch.columns(), values.length),
        ];
        const target = streamSchema('s', [{ name: 'v', type: read, nullable: true }]);
        const bytes = Buffer.concat(frames.map((frame) => frame.bytes));
        const decoded = new FrameBatches(target, [{ kind }], undefined).batch({ bytes, rows: values.length });
        expect(columnValues(read, decoded.column(0)).map((v) => (v === null ? null : Number(v)))).toEqual(
          values,
        );
      }
    }
  });
});

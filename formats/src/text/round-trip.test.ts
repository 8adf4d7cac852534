/**
 * Round trips through the text formats: tables of nasty values of every type, with nulls and what stands at the edges,
 * are written as CSV and as JSON Lines and read back, by us and by Python.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type Column,
  columnOf,
  columnValues,
  type Field,
  formatUuid,
  type LogicalType,
  types,
  type Value,
} from '@sluice/sdk';
import { needsPythonReaders, pythonWithReaders } from '@sluice/test';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CsvReadOptions, openCsv } from '../csv/read.js';
import { type CsvWriteOptions, CsvWriter } from '../csv/write.js';
import { readJson } from '../jsonl/read.js';
import { JsonLinesWriter } from '../jsonl/write.js';
import type { TextBatch } from './table-reader.js';

const run = promisify(execFile);

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', ',', '\n', '\r', '\t', '\\', ' ', 'a', 'ż', '😀', "'", ';'),
    maxLength: 8,
  }),
  fc.constantFrom(
    '',
    '""',
    'NULL',
    '\\N',
    '007',
    ' padded ',
    '\uFEFFmark',
    'x'.repeat(300),
    'null',
    '\u0000',
    '\u2028',
    '#',
  ),
);
const days = fc.oneof(
  fc.integer({ min: -800_000, max: 3_000_000 }),
  fc.constantFrom(0, -719_528, 2_932_896, 2_932_897),
);
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -1000n, max: 1000n }),
  fc.constantFrom(
    2n ** 53n,
    -(2n ** 53n),
    2n ** 53n - 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    999_999_999_999_999n,
  ),
);
const micros = fc.oneof(
  fc.bigInt({ min: -60_000_000_000_000_000n, max: 240_000_000_000_000_000n }),
  fc.constantFrom(0n, -1n, 1n, 1_709_214_300_500_000n, 253_402_300_799_999_999n, -62_135_596_800_000_000n),
);
const nanos = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const json = fc.json({ maxDepth: 2 }).filter((document) => document !== 'null');

function decimalText(precision: number, scale: number): fc.Arbitrary<string> {
  return fc
    .bigInt({ min: -(10n ** BigInt(precision)) + 1n, max: 10n ** BigInt(precision) - 1n })
    .map((unscaled) => {
      const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
      const whole = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
      return unscaled < 0n ? `-${whole}` : whole;
    });
}

function integer(min: number, max: number): fc.Arbitrary<Value> {
  return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max, 0));
}

/** A type and values of it. */
type Kind = readonly [LogicalType, fc.Arbitrary<Value>];

const SCALARS: readonly Kind[] = [
  [types.bool, fc.boolean()],
  [types.int8, integer(-128, 127)],
  [types.int16, integer(-32_768, 32_767)],
  [types.int32, integer(-(2 ** 31), 2 ** 31 - 1)],
  [types.uint8, integer(0, 255)],
  [types.uint16, integer(0, 65_535)],
  [types.uint32, integer(0, 2 ** 32 - 1)],
  [types.int64, int64],
  [types.uint64, fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 2n ** 64n - 1n))],
  [types.float32, fc.float()],
  [types.float64, fc.double()],
  [types.decimal(12, 2), decimalText(12, 2)],
  [types.decimal(18, 0), decimalText(18, 0)],
  [types.decimal(18, 18), decimalText(18, 18)],
  [types.decimal(38, 10), decimalText(38, 10)],
  [types.decimal(50, 5), decimalText(50, 5)],
  [types.decimal(), decimalText(40, 7)],
  [types.string, text],
  [types.json, json],
  [types.native('point'), text],
  [types.enumOf('a', 'b "c"', ''), fc.constantFrom('a', 'b "c"', '')],
  [types.bytes, fc.uint8Array({ maxLength: 20 })],
  [types.uuid, fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => formatUuid(bytes))],
  [types.date, days],
  [types.time, fc.bigInt({ min: 0n, max: 86_400_000_000n })],
  [{ kind: 'time', unit: 'ns' }, fc.bigInt({ min: 0n, max: 86_400_000_000_000n })],
  [types.timestamp, micros],
  [types.timestampLocal, micros],
  [{ kind: 'timestamp', unit: 'ns', zone: 'utc' }, nanos],
  [
    { kind: 'timestamp', unit: 'us', zone: 'offset' },
    fc.record({ at: micros, offset: fc.integer({ min: -1080, max: 1080 }) }),
  ],
  [
    types.interval,
    fc.record({
      months: fc.integer({ min: -9999, max: 9999 }),
      days: fc.integer({ min: -9999, max: 9999 }),
      nanos,
    }),
  ],
  [types.duration, int64],
];

const struct = types.struct([types.field('a', types.int64), types.field('b "c"', types.string)]);
const structValue = fc.record({
  a: fc.option(int64) as fc.Arbitrary<Value>,
  'b "c"': fc.option(text) as fc.Arbitrary<Value>,
}) as fc.Arbitrary<Value>;
const union: LogicalType = {
  kind: 'union',
  variants: [types.field('n', types.int32), types.field('t', types.string)],
};

const NESTED: readonly Kind[] = [
  [types.list(types.int64), fc.array(fc.option(int64), { maxLength: 4 })],
  [types.list(types.decimal(12, 2)), fc.array(decimalText(12, 2), { maxLength: 3 })],
  [
    types.list(types.timestamp),
    fc.array(
      micros.filter((at) => at > -6n * 10n ** 16n),
      { maxLength: 3 },
    ),
  ],
  [struct, structValue],
  [types.list(struct), fc.array(structValue, { maxLength: 3 })],
  [
    types.map(types.string, types.float64),
    fc.uniqueArray(fc.tuple(text, fc.option(fc.double())), {
      selector: ([key]) => key,
      maxLength: 3,
    }) as fc.Arbitrary<Value>,
  ],
  [
    types.map(types.int32, types.string),
    fc.uniqueArray(fc.tuple(fc.integer(), fc.option(text)), {
      selector: ([key]) => key,
      maxLength: 3,
    }) as fc.Arbitrary<Value>,
  ],
  [
    union,
    fc.oneof(
      fc.record({ tag: fc.constant('n'), value: fc.option(fc.integer()) }),
      fc.record({ tag: fc.constant('t'), value: fc.option(text) }),
    ) as fc.Arbitrary<Value>,
  ],
];

interface Table {
  readonly fields: readonly Field[];
  readonly columns: readonly Column[];
  readonly values: readonly (readonly Value[])[];
  readonly rows: number;
}

/** Tables of one to six columns of any type, with nulls among the values. */
const table: fc.Arbitrary<Table> = tableOf([...SCALARS, ...NESTED]);

/** A table that has a column of every type. */
const everyType: fc.Arbitrary<Table> = fc
  .integer({ min: 1, max: 8 })
  .chain((rows) => columnsOf([...SCALARS, ...NESTED], rows));

function tableOf(kinds: readonly Kind[]): fc.Arbitrary<Table> {
  return fc
    .tuple(
      fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 12 }),
    )
    .chain(([chosen, rows]) => columnsOf(chosen, rows));
}

function columnsOf(kinds: readonly Kind[], rows: number): fc.Arbitrary<Table> {
  const columns = kinds.map(([, value]) =>
    fc.array(fc.option(value, { freq: 6 }) as fc.Arbitrary<Value>, { minLength: rows, maxLength: rows }),
  );
  return fc.tuple(...columns).map((values) => {
    const fields = kinds.map(([type], i) => types.field(`c${i} "x"`, type));
    return { fields, values, rows, columns: fields.map((f, i) => columnOf(f, values[i]!)) };
  });
}

/** Bytes in pieces of a size. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function rowsOf(batches: AsyncIterable<TextBatch>, fields: readonly Field[]): Promise<Value[][]> {
  const rows: Value[][] = [];
  for await (const { columns, rowCount } of batches) {
    const values = fields.map((f, i) => columnValues(f.type, columns[i]!));
    for (let row = 0; row < rowCount; row++) rows.push(values.map((column) => column[row]!));
  }
  return rows;
}

function transposed({ values, rows }: Table): Value[][] {
  return Array.from({ length: rows }, (_, row) => values.map((column) => column[row]!));
}

async function throughCsv(
  { fields, columns, rows }: Table,
  writing: CsvWriteOptions,
  reading: Partial<CsvReadOptions>,
) {
  const writer = new CsvWriter(fields, writing);
  const bytes = Buffer.concat([writer.header(), writer.write(columns, rows)]);
  const csv = await openCsv(pieces(bytes, 1000), { file: 'test.csv', ...reading });
  expect(csv.columns).toEqual(fields.map(({ name }) => name));
  return rowsOf(csv.batches(fields), fields);
}

describe('CSV that is written comes back', () => {
  test.each([
    ['as usual', {}, {}],
    ['with tabs', { delimiter: '\t' }, { delimiter: '\t' }],
    ['with a delimiter that stands in values', { delimiter: '-' }, { delimiter: '-' }],
    ['with a word for null', { null: 'NULL' }, { nulls: ['NULL'], empty: 'text' }],
    ['with CRLF and hexadecimal bytes', { lineEnd: '\r\n', bytes: 'hex' }, { bytes: 'hex' }],
  ] as const)('%s', async (_, writing, reading) => {
    await fc.assert(
      fc.asyncProperty(table, async (some) => {
        expect(await throughCsv(some, writing, reading)).toEqual(transposed(some));
      }),
      { numRuns: 150 },
    );
  });

  test('of every type, in small batches', async () => {
    await fc.assert(
      fc.asyncProperty(everyType, async (some) => {
        expect(await throughCsv(some, {}, { batchRows: 3 })).toEqual(transposed(some));
      }),
      { numRuns: 60 },
    );
  });
});

describe('JSON Lines that are written come back', () => {
  test.each([
    ['exact', table, 150],
    ['safe', table, 150],
    ['exact', everyType, 60],
    ['safe', everyType, 60],
  ] as const)('with %s numbers', async (numbers, tables, numRuns) => {
    await fc.assert(
      fc.asyncProperty(tables, fc.integer({ min: 1, max: 300 }), async (some, piece) => {
        const { fields, columns, rows } = some;
        const bytes = new JsonLinesWriter(fields, { numbers }).write(columns, rows);
        const batches = readJson(pieces(bytes, piece), fields, { file: 'test.jsonl', batchBytes: 500 });
        expect(await rowsOf(batches, fields)).toEqual(transposed(some));
      }),
      { numRuns },
    );
  });

  test('every line is a document that JSON.parse takes', () => {
    fc.assert(
      fc.property(everyType, ({ fields, columns, rows }) => {
        const text = Buffer.from(new JsonLinesWriter(fields).write(columns, rows)).toString();
        const lines = text.split('\n').slice(0, -1);
        expect(lines).toHaveLength(rows);
        for (const line of lines)
          expect(Object.keys(JSON.parse(line) as object)).toEqual(fields.map(({ name }) => name));
      }),
      { numRuns: 60 },
    );
  });
});

describe('Python reads every digit', () => {
  needsPythonReaders();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-text-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('of the JSON Lines that we write, of every type', async () => {
    const tables = fc.sample(everyType, { numRuns: 30, seed: 11 });
    for (const [i, { fields, columns, rows }] of tables.entries()) {
      await writeFile(join(folder, `${i}.jsonl`), new JsonLinesWriter(fields).write(columns, rows));
    }
    // Numbers come back as the text they are, so that both sides are compared digit by digit.
    const script = [
      'import json,sys',
      'n={"parse_int":str,"parse_float":str}',
      'read=lambda i:[list(json.loads(l,**n).values()) for l in open(f"{sys.argv[1]}/{i}.jsonl",encoding="utf-8",newline="\\n")]',
      'json.dump([read(i) for i in range(int(sys.argv[2]))],sys.stdout)',
    ].join('\n');
    const args = ['-c', script, folder, String(tables.length)];
    const { stdout } = await run(await pythonWithReaders(), args, { maxBuffer: 1 << 28 });
    const theirs = JSON.parse(stdout) as unknown[][][];
    for (const [t, { fields, values, rows }] of tables.entries()) {
      expect(theirs[t]).toHaveLength(rows);
      for (const [c, { type }] of fields.entries()) {
        for (let row = 0; row < rows; row++) {
          const value = values[c]![row]!;
          const found = theirs[t]![row]![c];
          if (value === null) expect(found).toBeNull();
          else if (type.kind === 'bool') expect(found).toBe(value);
          else if (type.kind === 'int' || type.kind === 'decimal') expect(found).toBe(String(value));
          else if (type.kind === 'float') expect(Number(found)).toEqual(value);
          else if (type.kind === 'string' || type.kind === 'enum' || type.kind === 'uuid')
            expect(found).toBe(value);
          else if (type.kind === 'bytes')
            expect(found).toBe(Buffer.from(value as Uint8Array).toString('base64'));
        }
      }
    }
  });
});

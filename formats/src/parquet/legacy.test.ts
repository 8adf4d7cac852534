// What older writers left behind: lists of two levels, maps by other names, converted types, packed levels, LZ4 frames.
import { type Field, formatType, types, type Value } from '@sluice/sdk';
import { needsPythonReaders } from '@sluice/test';
import { describe, expect, test } from 'vitest';
import { decompress } from './codec-read.js';
import { Codec, Converted, type FileMeta, Physical, Repetition, type SchemaElement } from './format.js';
import { decodeFileMeta } from './metadata-read.js';
import { encodeFileMeta } from './metadata-write.js';
import { BitPackedReader } from './rle-read.js';
import { runPython } from './testing/arrow.js';
import { fileOfTable, readTable, type Table } from './testing/memory-file.js';

const { REQUIRED, OPTIONAL, REPEATED } = Repetition;
const { INT32, INT64, BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY } = Physical;

/**
 * A file whose schema says something else of the same pages. That is how old schemas are made here: pages hold
 * nothing but levels and values, which a list of two levels and one of three with required items have alike.
 */
async function retold(
  table: Table,
  schema: SchemaElement[],
  change?: (meta: FileMeta) => FileMeta,
): Promise<Table> {
  const file = await fileOfTable(table, { codec: 'none' });
  const length = file.readUInt32LE(file.byteLength - 8);
  const start = file.byteLength - 8 - length;
  const meta = decodeFileMeta(file.subarray(start, start + length));
  const told = {
    ...meta,
    schema: [{ name: 'root', children: 1 }, ...schema],
    keyValue: new Map<string, string>(),
  };
  const footer = encodeFileMeta(change ? change(told) : told);
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(footer.byteLength);
  tail.write('PAR1', 4);
  return readTable(Buffer.concat([file.subarray(0, start), footer, tail]));
}

function one(field: Field, values: Value[]): Table {
  return { fields: [field], values: [values] };
}

describe('nesting of before', () => {
  const int = (name: string, repetition: number): SchemaElement => ({ name, type: INT32, repetition });
  const list = (name: string, converted: number = Converted.LIST): SchemaElement => ({
    name,
    repetition: OPTIONAL,
    children: 1,
    converted,
  });
  const pair = types.struct([
    types.field('x', types.int32, { nullable: false }),
    types.field('y', types.int32),
  ]);
  const numbers = one(types.field('l', types.list(types.int32, false)), [[1, 2], null, [], [3]]);
  const pairs = one(types.field('l', types.list(pair, false)), [
    [
      { x: 1, y: null },
      { x: 2, y: 3 },
    ],
    null,
    [],
  ]);
  const singles = one(types.field('l', types.list(types.struct([types.field('x', types.int32)]), false)), [
    [{ x: 1 }, { x: null }],
    [],
    null,
  ]);

  test.each<[string, Table, SchemaElement[], string, Value[]]>([
    [
      'a repeated value in a list is the item',
      numbers,
      [list('l'), int('array', REPEATED)],
      'list<int32 not null>',
      numbers.values[0] as Value[],
    ],
    [
      'a repeated group of several fields in a list is the item',
      pairs,
      [
        list('l'),
        { name: 'element', repetition: REPEATED, children: 2 },
        int('x', REQUIRED),
        int('y', OPTIONAL),
      ],
      'list<struct<x: int32 not null, y: int32> not null>',
      pairs.values[0] as Value[],
    ],
    [
      'a repeated group named array is the item, although it has one field',
      singles,
      [list('l'), { name: 'array', repetition: REPEATED, children: 1 }, int('x', OPTIONAL)],
      'list<struct<x: int32> not null>',
      singles.values[0] as Value[],
    ],
    [
      'so is one named after the list',
      singles,
      [list('l'), { name: 'l_tuple', repetition: REPEATED, children: 1 }, int('x', OPTIONAL)],
      'list<struct<x: int32> not null>',
      singles.values[0] as Value[],
    ],
    [
      'any other repeated group of one field wraps the item',
      singles,
      [list('l'), { name: 'bag', repetition: REPEATED, children: 1 }, int('x', OPTIONAL)],
      'list<int32>',
      [[1, null], [], null],
    ],
    [
      'a repeated field outside of any list is a list',
      one(types.field('l', types.list(types.int32, false), { nullable: false }), [[1, 2], [], [3]]),
      [int('l', REPEATED)],
      'list<int32 not null>',
      [[1, 2], [], [3]],
    ],
    [
      'a group that holds a repeated field is a struct of a list',
      numbers,
      [{ name: 'l', repetition: OPTIONAL, children: 1 }, int('n', REPEATED)],
      'struct<n: list<int32 not null> not null>',
      [{ n: [1, 2] }, null, { n: [] }, { n: [3] }],
    ],
    [
      'a map by its older annotation, with keys that may be null',
      one(
        types.field(
          'l',
          types.list(types.struct([types.field('k', types.int32), types.field('v', types.int32)]), false),
        ),
        [
          [
            { k: 1, v: 2 },
            { k: 3, v: null },
          ],
          null,
          [],
        ],
      ),
      [
        list('l', Converted.MAP_KEY_VALUE),
        { name: 'map', repetition: REPEATED, children: 2 },
        int('k', OPTIONAL),
        int('v', OPTIONAL),
      ],
      'map<int32, int32>',
      [
        [
          [1, 2],
          [3, null],
        ],
        null,
        [],
      ],
    ],
    [
      'a map without values is a list of its keys',
      one(types.field('l', types.list(types.int32, false)), [[1, 2], null]),
      [
        list('l', Converted.MAP),
        { name: 'key_value', repetition: REPEATED, children: 1 },
        int('key', REQUIRED),
      ],
      'list<int32 not null>',
      [[1, 2], null],
    ],
  ])('%s', async (_, table, schema, type, values) => {
    const read = await retold(table, schema);
    expect(formatType(read.fields[0]!.type)).toBe(type);
    expect(read.values).toEqual([values]);
  });
});

describe('converted types', () => {
  const { UTF8, ENUM, DECIMAL, DATE, TIME_MILLIS, TIME_MICROS, TIMESTAMP_MILLIS, TIMESTAMP_MICROS } =
    Converted;
  const int32 = one(types.field('v', types.int32), [5, null, -7]);
  const int64 = one(types.field('v', types.int64), [5n, null, -7n]);
  const text = one(types.field('v', types.bytes), [Buffer.from('5'), null, Buffer.from('7')]);
  const sixteen = one(types.field('v', types.uuid), [
    '00000000-0000-0000-0000-0000000003e8',
    null,
    'ffffffff-ffff-ffff-ffff-fffffffffc18',
  ]);

  test.each<[string, Table, Omit<SchemaElement, 'name'>, string, Value[]]>([
    ['UTF8', text, { type: BYTE_ARRAY, converted: UTF8 }, 'string', ['5', null, '7']],
    ['ENUM', text, { type: BYTE_ARRAY, converted: ENUM }, 'string', ['5', null, '7']],
    ['JSON', text, { type: BYTE_ARRAY, converted: Converted.JSON }, 'json', ['5', null, '7']],
    [
      'DECIMAL in bytes',
      text,
      { type: BYTE_ARRAY, converted: DECIMAL, precision: 5, scale: 1 },
      'decimal(5,1)',
      ['5.3', null, '5.5'],
    ],
    [
      'DECIMAL in 32 bits',
      int32,
      { type: INT32, converted: DECIMAL, precision: 5, scale: 1 },
      'decimal(5,1)',
      ['0.5', null, '-0.7'],
    ],
    [
      'DECIMAL in 64 bits',
      int64,
      { type: INT64, converted: DECIMAL, precision: 15, scale: 0 },
      'decimal(15,0)',
      ['5', null, '-7'],
    ],
    [
      'more digits than 64 bits hold',
      int64,
      { type: INT64, converted: DECIMAL, precision: 20, scale: 2 },
      'decimal(20,2)',
      ['0.05', null, '-0.07'],
    ],
    [
      'DECIMAL in 16 bytes, few digits',
      sixteen,
      { type: FIXED_LEN_BYTE_ARRAY, typeLength: 16, converted: DECIMAL, precision: 9, scale: 3 },
      'decimal(9,3)',
      ['1.000', null, '-1.000'],
    ],
    [
      'more digits than 16 bytes hold',
      sixteen,
      { type: FIXED_LEN_BYTE_ARRAY, typeLength: 16, converted: DECIMAL, precision: 50, scale: 3 },
      'decimal(50,3)',
      ['1.000', null, '-1.000'],
    ],
    ['DATE', int32, { type: INT32, converted: DATE }, 'date', [5, null, -7]],
    ['TIME_MILLIS', int32, { type: INT32, converted: TIME_MILLIS }, 'time', [5000n, null, -7000n]],
    ['TIME_MICROS', int64, { type: INT64, converted: TIME_MICROS }, 'time', [5n, null, -7n]],
    [
      'TIMESTAMP_MILLIS',
      int64,
      { type: INT64, converted: TIMESTAMP_MILLIS },
      'timestamp(us, utc)',
      [5000n, null, -7000n],
    ],
    [
      'TIMESTAMP_MICROS',
      int64,
      { type: INT64, converted: TIMESTAMP_MICROS },
      'timestamp(us, utc)',
      [5n, null, -7n],
    ],
    ['INT_16', int32, { type: INT32, converted: Converted.INT_16 }, 'int16', [5, null, -7]],
    ['UINT_32', int32, { type: INT32, converted: Converted.UINT_32 }, 'uint32', [5, null, 2 ** 32 - 7]],
    ['UINT_64', int64, { type: INT64, converted: Converted.UINT_64 }, 'uint64', [5n, null, 2n ** 64n - 7n]],
    ['none', text, { type: BYTE_ARRAY }, 'bytes', [Uint8Array.of(0x35), null, Uint8Array.of(0x37)]],
  ])('%s', async (_, table, element, type, values) => {
    const read = await retold(table, [{ name: 'v', repetition: OPTIONAL, ...element }]);
    expect(formatType(read.fields[0]!.type)).toBe(type);
    expect(read.values).toEqual([values]);
  });

  test('milliseconds beyond the range of microseconds are special', async () => {
    const far = one(types.field('v', types.int64), [2n ** 62n, 0n, -(2n ** 62n)]);
    const element = { name: 'v', repetition: OPTIONAL, type: INT64, converted: TIMESTAMP_MILLIS };
    const { values } = await retold(far, [element]);
    expect(
      values[0]!.map((value) =>
        typeof value === 'bigint' ? value : String((value as { text: string }).text),
      ),
    ).toEqual(['+146140482-04-24T15:36:27.904Z', 0n, '-146136543-09-08T08:23:32.096Z']);
  });

  test('values that pass their annotation are damage, not cut', async () => {
    const element = { name: 'v', repetition: OPTIONAL, type: INT32, converted: Converted.UINT_8 };
    await expect(retold(int32, [element])).rejects.toThrow(/passes the 8 bits/);
  });
});

test('packed levels: the example of the format description', () => {
  // https://github.com/apache/parquet-format/blob/master/Encodings.md#bit-packed-deprecated-bit_packed--4
  const bytes = Uint8Array.of(0b00000101, 0b00111001, 0b01110111);
  const out = new Uint8Array(8);
  const reader = new BitPackedReader(bytes, 0, 3, 3);
  reader.read(out, 0, 3);
  reader.read(out, 3, 5);
  expect([...out]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

describe('LZ4 in its three shapes', () => {
  needsPythonReaders();

  test('yield what Arrow compressed', async () => {
    const plain = Buffer.from(Array.from({ length: 3000 }, (_, i) => `row ${i % 100} of ${i}\n`).join(''));
    const program = `
plain = bytes.fromhex(sys.argv[1])
json.dump([pa.compress(part, codec=codec, asbytes=True).hex() for codec, part in
    [('lz4_raw', plain), ('lz4', plain), ('lz4_raw', plain[:20000]), ('lz4_raw', plain[20000:])]], sys.stdout)
`;
    const [raw, frame, first, second] = (
      JSON.parse(await runPython(program, plain.toString('hex'))) as string[]
    ).map((hex) => Buffer.from(hex, 'hex'));
    const framed = (size: number, block: Buffer): Buffer => {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(size);
      head.writeUInt32BE(block.byteLength, 4);
      return Buffer.concat([head, block]);
    };
    const hadoop = Buffer.concat([framed(20_000, first!), framed(plain.byteLength - 20_000, second!)]);
    const size = plain.byteLength;
    expect(Buffer.compare(await decompress(Codec.LZ4_RAW, raw!, size), plain)).toBe(0);
    for (const bytes of [hadoop, frame!, raw!]) {
      expect(Buffer.compare(await decompress(Codec.LZ4, bytes, size), plain)).toBe(0);
      await expect(decompress(Codec.LZ4, bytes, size - 1)).rejects.toThrow(/LZ4/);
      await expect(decompress(Codec.LZ4, bytes.subarray(0, bytes.byteLength - 9), size)).rejects.toThrow(
        /LZ4/,
      );
    }
  });
});

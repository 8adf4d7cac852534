// Files that were cut short, changed or made up: a coded error that says where, never a crash, a hang or a flood.
import { isSluiceError, types, type Value } from '@sluice/sdk';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { parquetErrors } from './errors.js';
import { openParquet } from './file.js';
import { type ColumnChunkMeta, type FileMeta, Physical, Repetition } from './format.js';
import { encodeDataPageHeader, encodeFileMeta } from './metadata-write.js';
import { fileOfTable, readTable, type Table } from './testing/memory-file.js';

const rows = 2000;
const table: Table = {
  fields: [
    types.field('id', types.int64, { nullable: false }),
    types.field('name', types.string),
    types.field('few', types.string),
    types.field('flag', types.bool),
    types.field('price', types.decimal(30, 2)),
    types.field(
      'list',
      types.list(types.struct([types.field('x', types.int32), types.field('y', types.string)])),
    ),
    types.field('map', types.map(types.string, types.float64)),
  ],
  values: [
    Array.from({ length: rows }, (_, i) => BigInt(i)),
    Array.from({ length: rows }, (_, i) => (i % 5 === 0 ? null : `name ${i}`)),
    Array.from({ length: rows }, (_, i) => `few ${i % 9}`),
    Array.from({ length: rows }, (_, i) => i % 3 === 0),
    Array.from({ length: rows }, (_, i) => (i % 4 === 0 ? null : `${i}.25`)),
    Array.from({ length: rows }, (_, i) =>
      Array.from({ length: i % 4 }, (_, k) => (k === 2 ? null : { x: i, y: `y${k}` })),
    ),
    Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? null : [[`k${i % 7}`, i / 2]])),
  ] as Value[][],
};

/** What reading everything ends in: the table, or the code of its error. Anything else fails the test. */
async function outcome(bytes: Uint8Array): Promise<Table | string> {
  try {
    return await readTable(bytes);
  } catch (error) {
    if (!isSluiceError(error) || !error.code.startsWith('SLUICE-PARQUET-')) throw error;
    expect(error.class).toBe('contract');
    return error.code;
  }
}

const files: { [name: string]: Buffer } = {};
beforeAll(async () => {
  const options = { rowGroupRows: 900, pageBytes: 1500 };
  for (const codec of ['none', 'snappy', 'gzip', 'zstd'] as const) {
    files[codec] = await fileOfTable(table, { ...options, codec });
  }
});

describe.each(['none', 'snappy', 'gzip', 'zstd'])('a file, %s', (codec) => {
  test('cut short at every fiftieth of its length', async () => {
    const file = files[codec]!;
    for (let part = 0; part < 50; part++) {
      const cut = file.subarray(0, Math.floor((file.byteLength * part) / 50));
      expect(await outcome(cut), `${part}/50`).toBe(parquetErrors.notParquet.entry.code);
    }
  });

  test('whose middle is missing', async () => {
    const file = files[codec]!;
    const { damaged, tooLarge } = parquetErrors;
    for (let part = 1; part < 50; part++) {
      const at = Math.floor((file.byteLength * part) / 60);
      const holed = Buffer.concat([file.subarray(0, at), file.subarray(at + 100)]);
      expect([damaged.entry.code, tooLarge.entry.code], `${part}`).toContain(await outcome(holed));
    }
  });

  test('that ends while it is read', async () => {
    const file = files[codec]!;
    for (let part = 0; part < 50; part++) {
      const end = Math.floor((file.byteLength * part) / 50);
      const source = {
        size: file.byteLength,
        read: async (offset: number, length: number) => {
          // The footer is still there when the file is opened.
          const isFooter = offset + length === file.byteLength;
          return file.subarray(
            offset,
            isFooter ? offset + length : Math.max(offset, Math.min(end, offset + length)),
          );
        },
      };
      const reading = async () => {
        const opened = await openParquet(source);
        for (const group of opened.rowGroups.keys()) {
          for await (const _ of opened.readRowGroup(group, { batchRows: 500 }));
        }
      };
      // Pages near the end may be read together with the footer and are then complete.
      const error: unknown = await reading().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error !== undefined) expect(error).toMatchObject({ code: parquetErrors.damaged.entry.code });
      if (part < 25) expect(error).toBeDefined();
    }
  });

  test('with bytes changed anywhere', async () => {
    const file = files[codec]!;
    const footer = file.byteLength - 8 - file.readUInt32LE(file.byteLength - 8);
    const anywhere = fc.nat(file.byteLength - 1);
    const inFooter = fc.integer({ min: footer, max: file.byteLength - 1 });
    const changes = fc.array(fc.tuple(fc.oneof(anywhere, inFooter), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(changes, async (bytes) => {
        const changed = Buffer.from(file);
        for (const [at, value] of bytes) changed[at] = value;
        const begun = performance.now();
        const result = await outcome(changed);
        expect(performance.now() - begun).toBeLessThan(10_000);
        // The rows of a file that is read are as many as it says, whatever became of their values.
        if (typeof result !== 'string')
          expect(new Set(result.values.map((column) => column.length)).size).toBe(1);
      }),
      { numRuns: 250 },
    );
  }, 120_000);
});

test('the error says which column, and at which byte', async () => {
  const file = Buffer.from(files['none']!);
  const text = file.indexOf('name 1234');
  // A length that passes the end of the page.
  file.writeUInt32LE(0x7fffffff, text - 4);
  const error: unknown = await readTable(file).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: parquetErrors.damaged.entry.code, details: { column: 'name' } });
  const { offset } = (error as { details: { offset: number } }).details;
  expect(offset).toBeLessThan(text);
  expect(offset).toBeGreaterThan(text - 3000);
  expect((error as Error).message).toContain(`byte ${offset}`);
});

/** A file of one column and one page, whose header and footer say what they are told to. */
function crafted(
  page: Uint8Array,
  claims: { header?: object; chunk?: Partial<ColumnChunkMeta>; rows?: number },
): Buffer {
  const values = claims.rows ?? 10;
  const sizes = { values, encoding: 0, uncompressed: page.byteLength, compressed: page.byteLength };
  const header = encodeDataPageHeader({ ...sizes, ...claims.header });
  const chunk: ColumnChunkMeta = {
    type: Physical.BYTE_ARRAY,
    encodings: [0],
    path: ['s'],
    codec: 0,
    values,
    uncompressedSize: 0,
    compressedSize: header.byteLength + page.byteLength,
    dataPageOffset: 4,
    ...claims.chunk,
  };
  const meta: FileMeta = {
    schema: [
      { name: 'schema', children: 1 },
      { name: 's', type: chunk.type, repetition: Repetition.REQUIRED },
    ],
    rows: values,
    rowGroups: [{ columns: [chunk], rows: values, uncompressedSize: 0, compressedSize: 0, offset: 4 }],
    keyValue: new Map(),
  };
  const footer = encodeFileMeta(meta);
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(footer.byteLength);
  tail.write('PAR1', 4);
  return Buffer.concat([Buffer.from('PAR1'), header, page, footer, tail]);
}

describe('claims that are not believed', () => {
  const memory = async (file: Buffer): Promise<[result: Table | string, megabytes: number]> => {
    const before = process.memoryUsage();
    const result = await outcome(file);
    const after = process.memoryUsage();
    return [result, (after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed) / 2 ** 20];
  };
  const { damaged, tooLarge, unsupported, notParquet } = parquetErrors;

  test.each<[string, Buffer, string]>([
    [
      'a page of two gigabytes',
      crafted(Buffer.alloc(8), { header: { uncompressed: 2 ** 31 - 1 } }),
      tooLarge.entry.code,
    ],
    [
      'a page beyond its column',
      crafted(Buffer.alloc(8), { header: { compressed: 1 << 20 } }),
      damaged.entry.code,
    ],
    [
      'a snappy page that declares much more',
      crafted(Buffer.from('80808080100000', 'hex'), {
        header: { uncompressed: 1 << 27 },
        chunk: { codec: 1 },
      }),
      damaged.entry.code,
    ],
    [
      'an LZ4 page that cannot hold as much',
      crafted(Buffer.alloc(8), { header: { uncompressed: 1 << 27 }, chunk: { codec: 7 } }),
      damaged.entry.code,
    ],
    [
      'a column beyond the file',
      crafted(Buffer.alloc(8), { chunk: { compressedSize: 1 << 30 } }),
      damaged.entry.code,
    ],
    [
      'a column far beyond the file',
      crafted(Buffer.alloc(8), { chunk: { dataPageOffset: 2 ** 50 } }),
      damaged.entry.code,
    ],
    ['more rows than values', crafted(Buffer.alloc(8), { chunk: { values: 5 } }), damaged.entry.code],
    [
      'two billion values in eight bytes',
      crafted(Buffer.alloc(8), { rows: 2 ** 31 - 1 }),
      damaged.entry.code,
    ],
    [
      'delta lengths of two billion values',
      crafted(Buffer.from('8001048080808008000000', 'hex'), { rows: 2 ** 31 - 1, header: { encoding: 6 } }),
      tooLarge.entry.code,
    ],
    [
      'a codec that nobody defined',
      crafted(Buffer.alloc(8), { chunk: { codec: 3 } }),
      unsupported.entry.code,
    ],
    ['an unknown encoding', crafted(Buffer.alloc(8), { header: { encoding: 77 } }), damaged.entry.code],
    ['an encrypted footer', Buffer.from('PAR1....0000....PARE'), unsupported.entry.code],
    ['another format', Buffer.from('id,name\n1,somebody\n2,somebody else\n'), notParquet.entry.code],
    ['an empty file', Buffer.alloc(0), notParquet.entry.code],
    [
      'a footer longer than the file',
      Buffer.from('PAR1aaaaaaaa\xff\xff\x00\x00PAR1', 'latin1'),
      damaged.entry.code,
    ],
  ])('%s', async (_, file, code) => {
    const [result, megabytes] = await memory(file);
    expect(result).toBe(code);
    expect(megabytes).toBeLessThan(64);
  });

  test('compressed pages that expand beyond what they say', async () => {
    const { gzipSync, brotliCompressSync } = await import('node:zlib');
    const bomb = Buffer.alloc(16 << 20);
    for (const [codec, page] of [
      [2, gzipSync(bomb)],
      [4, brotliCompressSync(bomb)],
    ] as const) {
      const [result, megabytes] = await memory(
        crafted(page, { header: { uncompressed: 100 }, chunk: { codec } }),
      );
      expect(result).toBe(damaged.entry.code);
      expect(megabytes).toBeLessThan(8);
    }
  });

  test('schemas without end or bottom', async () => {
    const footerOf = (schema: FileMeta['schema']): Buffer => {
      const footer = encodeFileMeta({ schema, rows: 0, rowGroups: [], keyValue: new Map() });
      const tail = Buffer.alloc(8);
      tail.writeUInt32LE(footer.byteLength);
      tail.write('PAR1', 4);
      return Buffer.concat([Buffer.from('PAR1'), footer, tail]);
    };
    const deep = Array.from({ length: 5000 }, (_, i) => ({
      name: `g${i}`,
      children: 1,
      repetition: Repetition.OPTIONAL,
    }));
    expect(await outcome(footerOf([...deep, { name: 'leaf', type: 1 }]))).toBe(damaged.entry.code);
    expect(await outcome(footerOf([{ name: 'schema', children: 2 ** 31 - 1 }]))).toBe(damaged.entry.code);
    expect(
      await outcome(
        footerOf([
          { name: 'schema', children: 1 },
          { name: 'g', children: 0 },
        ]),
      ),
    ).toBe(damaged.entry.code);
    expect(
      await outcome(
        footerOf([
          { name: 'schema', children: 1 },
          { name: 'x', type: 99 },
        ]),
      ),
    ).toBe(damaged.entry.code);
    expect(await outcome(footerOf([]))).toBe(damaged.entry.code);
  });
});

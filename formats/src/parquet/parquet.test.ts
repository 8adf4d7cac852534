// What is written is read back: every type, nulls, nesting, however rows fall into batches, pages and row groups.
import { columnOf, type Field, type SluiceError, Special, types, UNCHANGED, type Value } from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parquetErrors } from './errors.js';
import { openParquet } from './file.js';
import { anyTable } from './testing/any-columns.js';
import { fileOf, fileOfTable, readTable, sourceOf } from './testing/memory-file.js';
import { ParquetWriter } from './writer.js';

const codecs = ['none', 'snappy', 'gzip', 'zstd'] as const;

describe('round trip', () => {
  test('any table comes back with its types and values, however it is cut', async () => {
    const cuts = fc.record({
      codec: fc.constantFrom(...codecs),
      dictionary: fc.boolean(),
      rowGroupRows: fc.integer({ min: 1, max: 60 }),
      pageBytes: fc.constantFrom(1, 16, 200, 1 << 20),
    });
    const batchRows = fc.integer({ min: 1, max: 50 });
    await fc.assert(
      fc.asyncProperty(
        anyTable(60),
        cuts,
        batchRows,
        batchRows,
        async (table, options, writeRows, readRows) => {
          const file = await fileOfTable(table, options, writeRows);
          expect(await readTable(file, { batchRows: readRows })).toEqual(table);
        },
      ),
      { numRuns: 400 },
    );
  }, 240_000);

  test('values that are drawn from few, over many pages', async () => {
    const rows = 20_000;
    const pick = (i: number, of: number) => (i * 7919) % of;
    const table = {
      fields: [
        types.field('text', types.string),
        types.field('number', types.int32),
        types.field('wide', types.int64),
        types.field('uuid', types.uuid),
        types.field('list', types.list(types.string)),
      ],
      values: [
        Array.from({ length: rows }, (_, i) => (pick(i, 5) === 0 ? null : `v${pick(i, 300)}`)),
        Array.from({ length: rows }, (_, i) => pick(i, 17)),
        Array.from({ length: rows }, (_, i) => BigInt(pick(i, 1000)) << 30n),
        Array.from(
          { length: rows },
          (_, i) => `00000000-0000-4000-8000-${`${pick(i, 40)}`.padStart(12, '0')}`,
        ),
        Array.from({ length: rows }, (_, i) => Array.from({ length: pick(i, 4) }, (_, k) => `i${k}`)),
      ] as Value[][],
    };
    for (const pageBytes of [300, 1 << 20]) {
      expect(await readTable(await fileOfTable(table, { pageBytes }, 3000), { batchRows: 4096 })).toEqual(
        table,
      );
    }
  });

  test('a dictionary that stops paying is left within the chunk', async () => {
    const rows = 60_000;
    const few = Array.from({ length: rows / 2 }, (_, i) => BigInt(i % 10));
    const many = Array.from({ length: rows / 2 }, (_, i) => BigInt(i) * 1_000_003n);
    const table = {
      fields: [types.field('n', types.int64), types.field('s', types.string)],
      values: [[...few, ...many], [...few, ...many].map((n) => `text ${n}`)],
    };
    const file = await fileOfTable(table, { codec: 'none' }, 2000);
    expect(await readTable(file)).toEqual(table);
    // Half of the numbers take a fraction of a byte, the others eight.
    expect(file.byteLength).toBeGreaterThan(rows * 4);
    const plain = await fileOfTable(table, { codec: 'none', dictionary: false }, 2000);
    expect(file.byteLength).toBeLessThan(plain.byteLength * 0.7);
  });

  test('values and lists larger than a page, and batches larger than a row group', async () => {
    const big = 'x'.repeat(3 << 20);
    const table = {
      fields: [types.field('s', types.string), types.field('l', types.list(types.int64))],
      values: [
        [big, null, '', `${big}y`, 'z'],
        [[], Array.from({ length: 300_000 }, (_, i) => BigInt(i)), null, [1n], [null]],
      ] as Value[][],
    };
    expect(await readTable(await fileOfTable(table, { rowGroupRows: 2 }))).toEqual(table);
  });

  test('more entries than a page may hold, in one batch', async () => {
    const rows = 300_000;
    const values = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i));
    const fields = [types.field('n', types.int64, { nullable: false }), types.field('e', types.nullType)];
    const columns = [
      { length: rows, data: { layout: 'fixed' as const, values } },
      { length: rows, data: { layout: 'none' as const } },
    ];
    const file = await openParquet(sourceOf(await fileOf(fields, [{ columns, rows }])));
    expect(file.rowGroups.map((group) => group.rows)).toEqual([262_144, 37_856]);
    const read: bigint[] = [];
    for (const group of [0, 1]) {
      for await (const batch of file.readRowGroup(group, { batchRows: 100_000 })) {
        const [numbers, nulls] = batch.columns;
        if (numbers!.data.layout === 'fixed') read.push(...(numbers!.data.values as BigInt64Array));
        expect(nulls).toEqual({ length: batch.rows, data: { layout: 'none' } });
      }
    }
    expect(BigInt64Array.from(read)).toEqual(values);
  });

  test('columns whose buffers begin anywhere and lie apart', async () => {
    const data = Buffer.from('..a....bcd..');
    const varlen = { layout: 'varlen', offsets: Int32Array.of(2, 3, 7, 10), data } as const;
    const unaligned = new Uint8Array(1 + 48).subarray(1);
    for (let i = 0; i < 48; i++) unaligned[i] = i;
    const fields = [types.field('s', types.string), types.field('u', types.uuid)];
    const columns = [
      // Row 1 is null, though it has bytes of its own.
      { length: 3, data: varlen, validity: Uint8Array.of(0b101) },
      { length: 3, data: { layout: 'bytes', width: 16, values: unaligned } as const },
    ];
    const { values } = await readTable(await fileOf(fields, [{ columns, rows: 3 }]));
    expect(values).toEqual([
      ['a', null, 'bcd'],
      [
        '00010203-0405-0607-0809-0a0b0c0d0e0f',
        '10111213-1415-1617-1819-1a1b1c1d1e1f',
        '20212223-2425-2627-2829-2a2b2c2d2e2f',
      ],
    ]);
  });

  test('a file without rows has its columns', async () => {
    const fields = [types.field('a', types.int32), types.field('b', types.list(types.string))];
    expect(await readTable(await fileOf(fields, []))).toEqual({ fields, values: [[], []] });
  });

  test('chosen columns, in the order that is asked for', async () => {
    const fields = [
      types.field('a', types.int32),
      types.field('b', types.struct([types.field('x', types.int32), types.field('y', types.string)])),
      types.field('c', types.string),
    ];
    const file = await fileOfTable({ fields, values: [[1], [{ x: 2, y: 'two' }], ['three']] });
    const reader = await openParquet(sourceOf(file));
    for await (const batch of reader.readRowGroup(0, { columns: [2, 0], batchRows: 10 })) {
      expect(batch.columns).toEqual([columnOf(fields[2]!, ['three']), columnOf(fields[0]!, [1])]);
    }
  });

  test('metadata, and types that Parquet has no name for', async () => {
    const fields = [
      types.field('e', types.enumOf('a', 'b'), { native: 'mood' }),
      types.field('i', types.interval),
    ];
    const values = [['a'], [{ months: 1, days: -2, nanos: 3n }]];
    const bytes = await fileOfTable({ fields, values }, { keyValue: { origin: 'shop' } });
    const file = await openParquet(sourceOf(bytes));
    expect(file.fields).toEqual(fields);
    expect([...file.keyValue]).toEqual([['origin', 'shop']]);
    expect(file.createdBy).toMatch(/^sluice version /);
    // Fields that are declared but not true of the schema, or no fields at all, do not count.
    const claim = JSON.stringify(fields);
    for (const [said, instead] of [
      ['"name":"i"', '"name":"j"'],
      ['"values":["a","b"]', '"values":["a", 7 ]'],
      ['"kind":"interval"', '"kind":"duration"'],
      ['"nullable":true', '"nullable":null'],
      ['{"name":"e"', '["name","e"'],
    ] as const) {
      const other = claim.replace(said, instead);
      expect(other).not.toBe(claim);
      const lied = Buffer.from(bytes.toString('latin1').replace(claim, other), 'latin1');
      const liar = await openParquet(sourceOf(lied));
      expect(liar.fields.map((field) => [field.name, field.type.kind])).toEqual([
        ['e', 'string'],
        ['i', 'struct'],
      ]);
    }
  });
});

describe('memory', () => {
  const fields = [types.field('n', types.int64, { nullable: false }), types.field('s', types.string)];
  const rows = 20_000;
  const columns = [
    columnOf(
      fields[0]!,
      Array.from({ length: rows }, (_, i) => BigInt(i)),
    ),
    columnOf(
      fields[1]!,
      Array.from({ length: rows }, (_, i) => `${i} ${'.'.repeat(100)}`),
    ),
  ];

  test('row groups end by rows or by bytes, and leave while the next ones fill', async () => {
    for (const options of [{ rowGroupRows: rows }, { rowGroupBytes: 1 << 20, pageBytes: 64 << 10 }]) {
      let out = 0;
      const take = async (bytes: Uint8Array) => {
        out += bytes.byteLength;
      };
      const writer = new ParquetWriter(fields, take, options);
      const left: number[] = [];
      for (let batch = 0; batch < 20; batch++) {
        await writer.write(columns, rows);
        left.push(out);
      }
      const { bytes } = await writer.finish();
      expect(out).toBe(bytes);
      // What has not left is never more than two row groups: a tenth of the file and the end of a slice.
      for (const [batch, size] of left.entries())
        expect((bytes * (batch + 1)) / 20 - size).toBeLessThan(bytes * 0.2);
    }
  });

  test('a large row group is read in pieces', async () => {
    const file = await fileOf(
      fields,
      Array.from({ length: 15 }, () => ({ columns, rows })),
      { codec: 'none', rowGroupRows: 1 << 20, rowGroupBytes: 1 << 30 },
    );
    expect(file.byteLength).toBeGreaterThan(30 << 20);
    let largest = 0;
    let total = 0;
    const read = async (offset: number, length: number) => {
      largest = Math.max(largest, length);
      total += length;
      return file.subarray(offset, offset + length);
    };
    const opened = await openParquet({ size: file.byteLength, read });
    expect(opened.rowGroups).toHaveLength(1);
    let count = 0;
    for await (const batch of opened.readRowGroup(0, { batchRows: 1000 })) count += batch.rows;
    expect(count).toBe(15 * rows);
    expect(largest).toBeLessThanOrEqual(2 << 20);
    // Nothing is read twice, but for what came with the footer.
    expect(total).toBeLessThanOrEqual(file.byteLength + (64 << 10));
  });
});

describe('values and types without a place', () => {
  const writing = async (fields: readonly Field[], ...batches: Value[][][]): Promise<SluiceError> => {
    const whole = batches.map((values) => ({
      columns: fields.map((field, i) => columnOf(field, values[i]!)),
      rows: values[0]!.length,
    }));
    const error: unknown = await fileOf(fields, whole).catch((thrown: unknown) => thrown);
    return error as SluiceError;
  };

  test('special and absent values are refused by column and row of the file', async () => {
    const fields = [types.field('id', types.int32), types.field('at', types.timestamp)];
    const error = await writing(
      fields,
      [
        [1, 2],
        [5n, null],
      ],
      [
        [3, 4],
        [7n, new Special('infinity')],
      ],
    );
    expect(error).toMatchObject({ code: parquetErrors.valueRefused.entry.code, class: 'data' });
    expect(error.details).toEqual({ column: 'at', row: 3 });
    expect(error.message).toContain('"infinity"');
    const absent = await writing(fields, [
      [1, UNCHANGED],
      [5n, 6n],
    ]);
    expect(absent.details).toEqual({ column: 'id', row: 1 });
  });

  test('inside lists the row is that of the list', async () => {
    const fields = [types.field('l', types.list(types.struct([types.field('x', types.float64)])))];
    const values = [[[{ x: 1 }, { x: 2 }], null, [], [{ x: 3 }, { x: new Special('NaN?') }]]];
    expect((await writing(fields, values)).details).toEqual({ column: 'l[].x', row: 3 });
  });

  test('a null in a column that allows none', async () => {
    const error = await writing([types.field('id', types.int32, { nullable: false })], [[1, null]]);
    expect(error.code).toBe(parquetErrors.valueRefused.entry.code);
    expect(error.details).toEqual({ column: 'id', row: 1 });
  });

  test.each<[string, Field[]]>([
    ['unions', [types.field('u', { kind: 'union', variants: [types.field('a', types.int32)] })]],
    ['structs without members', [types.field('s', types.struct([]))]],
    ['decimals of negative scale', [types.field('d', types.decimal(3, -2))]],
    ['no columns at all', []],
  ])('%s', (_, fields) => {
    expect(() => new ParquetWriter(fields, async () => {})).toThrow(
      expect.objectContaining({ code: parquetErrors.typeRefused.entry.code }),
    );
  });

  test('a failing output fails the writer and nothing else', async () => {
    const fields = [types.field('n', types.int32)];
    const writer = new ParquetWriter(fields, () => Promise.reject(new Error('disk full')), {
      rowGroupRows: 10,
    });
    const columns = [
      columnOf(
        fields[0]!,
        Array.from({ length: 100 }, (_, i) => i),
      ),
    ];
    const all = async () => {
      await writer.write(columns, 100);
      await writer.finish();
    };
    await expect(all()).rejects.toThrow('disk full');
  });
});

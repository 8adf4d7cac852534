import { type Column, columnValues, type Field, types, type Value } from '@sluice/sdk';
import { describe, expect, test } from 'vitest';
import type { TextPosition } from '../text/position.js';
import { type CsvReadOptions, openCsv } from './read.js';
import { type CsvWriteOptions, CsvWriter } from './write.js';

/** Bytes in pieces of a size, in one buffer that is used again and again. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(size);
  for (let at = 0; at < bytes.byteLength; at += size) {
    const part = bytes.subarray(at, at + size);
    buffer.set(part);
    yield buffer.subarray(0, part.byteLength);
    buffer.fill(0x22);
  }
}

interface Read {
  readonly names: readonly string[];
  readonly rows: Value[][];
  readonly positions: TextPosition[];
  readonly ends: number[];
}

async function read(
  text: string | Uint8Array,
  fields: readonly (Field | undefined)[],
  options: Partial<CsvReadOptions> & { readonly piece?: number } = {},
): Promise<Read> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const csv = await openCsv(pieces(bytes, options.piece ?? 1000), { file: 'test.csv', ...options });
  const result: Read = { names: csv.columns, rows: [], positions: [], ends: [] };
  for await (const { columns, rowCount, position } of csv.batches(fields)) {
    const values = columns.map((column, i) =>
      column === undefined ? [] : columnValues(fields[i]!.type, column),
    );
    for (let row = 0; row < rowCount; row++) result.rows.push(values.map((column) => column[row]!));
    result.positions.push(position);
    result.ends.push(result.rows.length);
  }
  return result;
}

/** As one text column each. */
function texts(columns: number): Field[] {
  return Array.from({ length: columns }, (_, i) => types.field(`c${i}`, types.string));
}

function written(
  fields: readonly Field[],
  columns: readonly Column[],
  rows: number,
  options: CsvWriteOptions = {},
): Buffer {
  const writer = new CsvWriter(fields, options);
  return Buffer.concat([writer.header(), writer.write(columns, rows)]);
}

describe('blocks', () => {
  const text =
    '\uFEFFid,name,note\r\n1,"a ""q"" b",x\r\n\r\n2,"line\r\nbreak\nand, more",\n#c,"\n3,ż😀,""\n4,\\N,"tail"\r5,lone,CR\r6,,last';
  const expected = [
    ['1', 'a "q" b', 'x'],
    ['2', 'line\r\nbreak\nand, more', null],
    ['3', 'ż😀', ''],
    ['4', null, 'tail'],
    ['5', 'lone', 'CR'],
    ['6', null, 'last'],
  ];

  test('how bytes arrive and blocks are cut does not matter', async () => {
    for (let size = 1; size <= 64; size++) {
      const options = { comment: '#', nulls: ['\\N'], piece: size };
      expect((await read(text, texts(3), { ...options, batchBytes: 1 << 20 })).rows).toEqual(expected);
      expect((await read(text, texts(3), { ...options, batchBytes: size })).rows).toEqual(expected);
    }
  });

  test('reading goes on from every position that a batch had, with the same lines in errors', async () => {
    const bytes = Buffer.from(`${text}\nbad`);
    const options = { comment: '#', nulls: ['\\N'], batchRows: 1 };
    const csv = await openCsv(pieces(bytes, 5), { file: 'test.csv', ...options });
    const seen: TextPosition[] = [];
    await expect(async () => {
      for await (const { position } of csv.batches(texts(3))) seen.push(position);
    }).rejects.toThrow('test.csv, line 12: the record has 1 fields where 3 are expected');
    expect(seen).toHaveLength(6);
    for (const [i, at] of seen.entries()) {
      const rest = read(bytes.subarray(at.offset), texts(3), {
        ...options,
        at,
        names: ['id', 'name', 'note'],
      });
      await expect(rest).rejects.toThrow('test.csv, line 12:');
      const good = await read(Buffer.from(text).subarray(at.offset), texts(3), {
        ...options,
        at,
        names: ['id', 'name', 'note'],
      });
      expect(good.rows).toEqual(expected.slice(i + 1));
    }
  });

  test('a batch ends at every cut', async () => {
    const { positions } = await read(text, texts(3), { comment: '#', nulls: ['\\N'], batchRows: 1 });
    const cuts = [positions[1]!, positions[3]!];
    const cut = await read(text, texts(3), { comment: '#', nulls: ['\\N'], cuts });
    expect(cut.rows).toEqual(expected);
    expect(cut.ends).toEqual([2, 4, 6]);
    expect(cut.positions.slice(0, 2)).toEqual(cuts);
  });

  test('a record larger than a block is read, one larger than allowed refused', async () => {
    const large = 'x'.repeat(300_000);
    const { rows } = await read(`a,b\n1,"${large}"\n2,y\n`, texts(2), { batchBytes: 1000 });
    expect(rows).toEqual([
      ['1', large],
      ['2', 'y'],
    ]);
    await expect(
      read(`a,b\n1,"${large}"\n`, texts(2), { batchBytes: 1000, maxRecordBytes: 10_000 }),
    ).rejects.toMatchObject({
      code: 'SLUICE-CSV-0005',
      details: { line: 2 },
    });
  });
});

describe('dialects', () => {
  test.each([
    ['a header of names given otherwise', 'x,y\n1,2\n', { names: ['p', 'q'] }, ['p', 'q'], [['1', '2']]],
    [
      'no header',
      '1,2\n3,4\n',
      { header: false },
      ['column_1', 'column_2'],
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['no header but names', '1,2', { header: false, names: ['p', 'q'] }, ['p', 'q'], [['1', '2']]],
    ['lines to skip', 'made by x\n"y\na,b\n1,2', { skip: 2 }, ['a', 'b'], [['1', '2']]],
    ['comments before the header', '# c\na,b\n1,2', { comment: '#' }, ['a', 'b'], [['1', '2']]],
    [
      'backslashes',
      'a,b\n"x\\"y\\\\",\\N',
      { escape: 'backslash', nulls: ['\\N'] },
      ['a', 'b'],
      [['x"y\\', null]],
    ],
    ['no quotes', 'a|b\n"x|y"', { delimiter: '|', quote: '' }, ['a', 'b'], [['"x', 'y"']]],
    ['single quotes', "a,b\n'x,''y','\"'", { quote: "'" }, ['a', 'b'], [["x,'y", '"']]],
    [
      'missing fields',
      'a,b\n1\n\n2,3',
      { pad: true },
      ['a', 'b'],
      [
        ['1', null],
        ['2', '3'],
      ],
    ],
    ['empty is null', 'a,b\n"",', { empty: 'null' }, ['a', 'b'], [[null, null]]],
    ['empty is text', 'a,b\n"",', { empty: 'text' }, ['a', 'b'], [['', '']]],
    ['quotes within a field', 'a,b\n1"2",x"', {}, ['a', 'b'], [['1"2"', 'x"']]],
    ['one column with nulls', 'a\n1\n\n"x"\n', {}, ['a'], [['1'], [null], ['x']]],
    ['an unnamed column', 'a,\n1,2', {}, ['a', 'column_2'], [['1', '2']]],
    ['a header alone', 'a,b', {}, ['a', 'b'], []],
    ['a header of quoted names', '"a ""1""","b\n2"\n1,2', {}, ['a "1"', 'b\n2'], [['1', '2']]],
    ['quoted words are not null', 'a,b\nNULL,"NULL"', { nulls: ['NULL'] }, ['a', 'b'], [[null, 'NULL']]],
  ] as const)('%s', async (_, text, options, names, rows) => {
    const back = await read(text, texts(names.length), options as Partial<CsvReadOptions>);
    expect(back.names).toEqual(names);
    expect(back.rows).toEqual(rows);
  });

  test('columns that are not asked for are passed over', async () => {
    const { rows } = await read('a,b,c\n1,x,3', [
      types.field('a', types.int32),
      undefined,
      types.field('c', types.int8),
    ]);
    expect(rows).toEqual([[1, undefined, 3]]);
  });

  test.each([
    [{ delimiter: ';;' }, 'delimiter'],
    [{ delimiter: '' }, 'delimiter'],
    [{ quote: ',' }, 'different'],
    [{ comment: '"' }, 'different'],
    [{ delimiter: '\n' }, 'delimiter'],
    [{ delimiter: '\\', escape: 'backslash' }, 'different'],
    [{ maxRecordBytes: 2 ** 31 }, 'maxRecordBytes'],
  ] as const)('%j is refused', async (options, why) => {
    await expect(read('a\n1', texts(1), options)).rejects.toMatchObject({
      code: 'SLUICE-CSV-0009',
      message: expect.stringContaining(why),
    });
  });
});

describe('what is broken is named by its line', () => {
  test.each([
    ['a,b\n1,2\n"x\ny",3\n4', 'SLUICE-CSV-0002', 5, 'has 1 fields where 2'],
    ['a,b\n1,2,3\n', 'SLUICE-CSV-0002', 2, 'has 3 fields where 2'],
    ['a,b\r\n"x\r\ny",2\r\n1,"open\r\n5,6\r\n', 'SLUICE-CSV-0003', 4, 'never closed'],
    ['a,b\n1,"x"y\n', 'SLUICE-CSV-0004', 2, 'closing quote'],
    ['a,a\n', 'SLUICE-CSV-0008', undefined, 'two columns are called a'],
    ['', 'SLUICE-CSV-0008', undefined, 'empty'],
    ['"a', 'SLUICE-CSV-0008', undefined, 'not well formed'],
  ])('%j', async (text, code, line, why) => {
    const error = await read(text, texts(2)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringContaining(why) });
    if (line !== undefined) expect(error).toMatchObject({ details: { file: 'test.csv', line } });
  });

  test('bytes that are no UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('a,b\n1,ż\n2,'), Buffer.from([0xe9]), Buffer.from('\n3,c\n')]);
    await expect(read(bytes, texts(2))).rejects.toMatchObject({
      code: 'SLUICE-CSV-0006',
      details: { line: 3 },
    });
    await expect(read(Buffer.from('\uFEFFa,b', 'utf16le'), texts(2))).rejects.toMatchObject({
      code: 'SLUICE-CSV-0006',
    });
  });

  test.each([
    ['int32', types.int32, ['x', '1.5', '2147483648', '', '1 ', '--1', '0x1']],
    ['uint8', types.uint8, ['-1', '256']],
    [
      'int64',
      types.int64,
      [
        '9223372036854775808',
        '-9223372036854775809',
        '1234567890+12345678',
        '1e3',
        '12345678901234567890123',
      ],
    ],
    ['uint64', types.uint64, ['-1', '18446744073709551616', '-18446744073709551615']],
    ['float64', types.float64, ['1,5', '0x10', '1e', '.', ' 1']],
    ['decimal(5,2)', types.decimal(5, 2), ['1000', '1.234', 'x', '1 2', '1.2.3', '-']],
    ['decimal(38,2)', types.decimal(38, 2), ['1.234', '1'.repeat(37)]],
    ['decimal', types.decimal(), ['x', '.', '1e99999']],
    ['bool', types.bool, ['2', 'tr', 'wahr']],
    ['date', types.date, ['2023-02-29', '2023-13-01', '23-01-01', '2023-1-1', '2023-01-01T00:00']],
    ['time', types.time, ['24:00:01', '12:60:00', '12:00:00.1234567', '9:00:00']],
    [
      'timestamp',
      types.timestamp,
      ['2024-01-01 00:00:00', '2024-01-01', '2024-01-01T25:00:00Z', '2024-01-01T00:00:00+25'],
    ],
    ['timestampLocal', types.timestampLocal, ['2024-01-01 00:00:00Z', '2024-02-30']],
    [
      'uuid',
      types.uuid,
      [
        'f4db99f6-1024-4336-887f-5f3176a5a63',
        'f4db99f6-1024-4336-887f-5f3176a5a63g',
        'f4db99f610-24-4336-887f-5f3176a5a63d',
      ],
    ],
    ['bytes', types.bytes, ['abc=d', '$$$$', 'a']],
    ['list', types.list(types.int32), ['[1', '1', '["x"]', '[1]x', 'null', '[1.5]']],
    ['struct', types.struct([types.field('a', types.int8)]), ['{"a":1,"b":2}', '{"a":300}', '[]']],
    ['interval', types.interval, ['P', 'PT', '1 day', 'P1', 'P99999999999M']],
    ['duration', types.duration, ['P1M', 'PT0.0000001S', 'PT9999999999999999S']],
    ['enum', types.enumOf('a', 'b'), ['c', 'A']],
  ] as const)('a value that is no %s', async (_, type, bad) => {
    for (const value of bad) {
      const quoted = `"${value.replaceAll('"', '""')}"`;
      const error = await read(`k,v\n1,\n2,${quoted}\n`, [
        types.field('k', types.int32),
        types.field('v', type),
      ]).catch((thrown: unknown) => thrown);
      expect(error, value).toMatchObject({
        code: 'SLUICE-CSV-0001',
        class: 'data',
        details: { line: 3, column: 'v' },
      });
      expect((error as Error).message).toContain(JSON.stringify(value).slice(1, 40).replace(/"$/, ''));
    }
  });

  test('a missing value where none may be', async () => {
    const field = types.field('v', types.int32, { nullable: false });
    await expect(read('k,v\n1,2\n3,\n', [types.field('k', types.int32), field])).rejects.toMatchObject({
      code: 'SLUICE-CSV-0007',
      details: { line: 3, column: 'v' },
    });
  });
});

describe('usual texts beside the canonical ones', () => {
  test.each([
    [types.bool, ['t', 'F', 'YES', 'off', '1', 'n'], [true, false, true, false, true, false]],
    [
      types.int64,
      ['+5', '-0', '00000000000000000000000042', '1234567890123456789'],
      [5n, 0n, 42n, 1234567890123456789n],
    ],
    [
      types.decimal(10, 2),
      ['1', '+1.5', '-.5', '1e3', '2.500'],
      ['1.00', '1.50', '-0.50', '1000.00', '2.50'],
    ],
    [types.decimal(), ['+1.50', '1e3', '.5', '1.'], ['1.50', '1000', '0.5', '1']],
    [
      types.float64,
      ['1e3', '-0', 'inf', '-Infinity', 'NaN', '.5', '0.1', '123456789012345678'],
      [1000, -0, Infinity, -Infinity, NaN, 0.5, 0.1, 123456789012345680],
    ],
    [
      types.timestamp,
      ['2024-01-01 00:00:00+00', '2024-01-01T02:00+02:00', '2024-01-01 00:00:00.000001-0130'],
      [1704067200000000n, 1704067200000000n, 1704072600000001n],
    ],
    [types.timestampLocal, ['2024-01-01', '2024-01-01 00:00'], [1704067200000000n, 1704067200000000n]],
    [types.date, ['-000043-03-15', '+012345-01-01'], [-735_160, 3_789_391]],
    [types.time, ['24:00:00', '23:59', '01:02:03.5'], [86_400_000_000n, 86_340_000_000n, 3_723_500_000n]],
    [
      types.uuid,
      ['{F4DB99F6-1024-4336-887F-5F3176A5A63D}', 'f4db99f610244336887f5f3176a5a63d'],
      Array(2).fill('f4db99f6-1024-4336-887f-5f3176a5a63d'),
    ],
    [
      types.interval,
      ['P1Y2M3W4DT5H6M7.5S', '-P1DT1H'],
      [
        { months: 14, days: 25, nanos: 18_367_500_000_000n },
        { months: 0, days: -1, nanos: -3_600_000_000_000n },
      ],
    ],
    [types.map(types.string, types.int32), ['{"a":1}', '[["b",2]]'], [[['a', 1]], [['b', 2]]]],
  ] as const)('%j', async (type, given, expected) => {
    const lines = given.map((text, i) => `${i},"${text.replaceAll('"', '""')}"`).join('\n');
    const { rows } = await read(`k,v\n${lines}\n`, [types.field('k', types.int32), types.field('v', type)]);
    expect(rows.map((row) => row[1])).toEqual(expected);
  });

  test('values outside their type’s range are kept as they stand', async () => {
    const fields = [
      types.field('n', types.decimal(10, 2)),
      types.field('d', types.date),
      types.field('t', types.timestamp),
    ];
    const text = 'n,d,t\nNaN,infinity,-infinity\n-Infinity,0044-03-15 BC,0000-00-00 00:00:00\n';
    const { rows } = await read(text, fields);
    expect(rows).toEqual([
      [{ text: 'NaN' }, { text: 'infinity' }, { text: '-infinity' }],
      [{ text: '-Infinity' }, { text: '0044-03-15 BC' }, { text: '0000-00-00 00:00:00' }],
    ]);
    const csv = await openCsv(pieces(Buffer.from(text), 100), { file: 'x' });
    for await (const { columns, rowCount } of csv.batches(fields)) {
      expect(written(fields, columns as Column[], rowCount).toString()).toBe(text);
    }
  });
});

describe('writing', () => {
  const one = (type: Parameters<typeof types.field>[1], column: Column) =>
    new CsvWriter([types.field('v', type)]).write([column], column.length);

  test('a value that was not sent is a data error', () => {
    const column: Column = {
      length: 1,
      data: { layout: 'fixed', values: Int32Array.of(0) },
      validity: Uint8Array.of(0),
      absent: Uint8Array.of(1),
    };
    expect(() => one(types.int32, column)).toThrow(
      expect.objectContaining({ code: 'SLUICE-CSV-0010', class: 'data' }),
    );
  });

  test('only what needs quotes has them', () => {
    const values = ['plain', 'a,b', 'say "x"', 'two\nlines', '', ' spaces ', '\uFEFFx'];
    const offsets = new Int32Array(values.length + 1);
    const data = Buffer.from(values.join(''));
    for (const [i, value] of values.entries()) offsets[i + 1] = offsets[i]! + Buffer.byteLength(value);
    const text = Buffer.from(
      one(types.string, { length: values.length, data: { layout: 'varlen', offsets, data } }),
    ).toString();
    expect(text).toBe('plain\n"a,b"\n"say ""x"""\n"two\nlines"\n""\n spaces \n"\uFEFFx"\n');
  });

  test.each([[{ delimiter: '""' }], [{ delimiter: '"' }], [{ null: 'a,b' }]])('%j is refused', (options) => {
    expect(() => new CsvWriter([], options)).toThrow(expect.objectContaining({ code: 'SLUICE-CSV-0009' }));
  });
});

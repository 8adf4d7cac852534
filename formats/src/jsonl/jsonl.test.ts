import { type Column, columnValues, type Field, formatType, types, type Value } from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TextPosition } from '../text/position.js';
import { sampleJson } from './infer.js';
import { type JsonReadOptions, RAW_FIELD, readJson, readRawJson } from './read.js';
import { parseJson, treeText } from './tree.js';
import { JsonLinesWriter } from './write.js';

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
  readonly rows: Value[][];
  readonly positions: TextPosition[];
  readonly ends: number[];
}

async function read(
  text: string | Uint8Array,
  fields: readonly Field[] | 'raw',
  options: Partial<JsonReadOptions> & { readonly piece?: number } = {},
): Promise<Read> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const source = pieces(bytes, options.piece ?? 1000);
  const all = { file: 'test.jsonl', ...options };
  const columns = fields === 'raw' ? [RAW_FIELD] : fields;
  const batches = fields === 'raw' ? readRawJson(source, all) : readJson(source, fields, all);
  const result: Read = { rows: [], positions: [], ends: [] };
  for await (const batch of batches) {
    const values = columns.map((f, i) => columnValues(f.type, batch.columns[i]!));
    for (let row = 0; row < batch.rowCount; row++) result.rows.push(values.map((column) => column[row]!));
    result.positions.push(batch.position);
    result.ends.push(result.rows.length);
  }
  return result;
}

const ab = [types.field('a', types.int64), types.field('b', types.string)];

describe('numbers keep their digits', () => {
  const text = '{"a":9007199254740993,"d":0.1234567890123456789,"s":12345678901234567890.10}\n';

  test('integers, decimals, and numbers that are read as text', async () => {
    const fields = [
      types.field('a', types.int64),
      types.field('d', types.decimal(38, 19)),
      types.field('s', types.string),
    ];
    expect((await read(text, fields)).rows).toEqual([
      [9007199254740993n, '0.1234567890123456789', '12345678901234567890.10'],
    ]);
    expect((await read(text, 'raw')).rows).toEqual([[text.trim()]]);
    const nested = [
      types.field(
        'x',
        types.list(types.struct([types.field('n', types.int64), types.field('j', types.json)])),
      ),
    ];
    const { rows } = await read('{"x":[{"n":9007199254740993,"j":{"k":[1.10,9007199254740993]}}]}', nested);
    expect(rows).toEqual([[[{ n: 9007199254740993n, j: '{"k":[1.10,9007199254740993]}' }]]]);
  });

  test('writers for readers that know floats only say what these would round as strings', () => {
    const columns: Column[] = [
      {
        length: 2,
        data: { layout: 'fixed', values: BigInt64Array.of(9007199254740991n, 9007199254740992n) },
      },
      { length: 2, data: { layout: 'fixed', values: BigInt64Array.of(150n, -1n) } },
    ];
    const fields = [types.field('i', types.int64), types.field('d', types.decimal(5, 2))];
    const lines = (numbers: 'exact' | 'safe') =>
      Buffer.from(new JsonLinesWriter(fields, { numbers }).write(columns, 2)).toString();
    expect(lines('exact')).toBe('{"i":9007199254740991,"d":1.50}\n{"i":9007199254740992,"d":-0.01}\n');
    expect(lines('safe')).toBe('{"i":9007199254740991,"d":"1.50"}\n{"i":"9007199254740992","d":"-0.01"}\n');
  });
});

describe('records', () => {
  const lines =
    '\uFEFF{"a":1,"b":"x\\ny"}\r\n\n{"b":"\\u017c\\ud83d\\ude00","a":null}\n  { "a" : 3 , "b" : "ż\\"" }  \n{}\n{"a":5,"a":6,"b":null}';
  const array =
    '\uFEFF [ {"a":1,"b":"x\\ny"},\n\n{"b":"\\u017c\\ud83d\\ude00","a":null}\n ,{ "a" :\n 3 , "b" : "ż\\"" },{},\n{"a":5,"a":6,"b":null}\n]\n';
  const expected = [
    [1n, 'x\ny'],
    [null, 'ż😀'],
    [3n, 'ż"'],
    [null, null],
    [6n, null],
  ];

  test.each([
    ['lines', lines],
    ['array', array],
  ] as const)('%s: how bytes arrive does not matter', async (layout, text) => {
    for (let piece = 1; piece <= 64; piece++) {
      expect((await read(text, ab, { layout, piece })).rows).toEqual(expected);
      expect((await read(text, ab, { layout, piece, batchBytes: piece })).rows).toEqual(expected);
    }
  });

  test.each([
    ['lines', `${lines}\n{"a":x}\n`, 7],
    ['array', array.replace(/\n\]\n$/, ',\n{"a":x}]'), 7],
  ] as const)('%s: reading goes on from every position that a batch had', async (layout, text, line) => {
    const bytes = Buffer.from(text);
    const positions: TextPosition[] = [];
    const whole = readJson(pieces(bytes, 7), ab, { file: 'test', layout, batchRows: 1 });
    await expect(async () => {
      for await (const { position } of whole) positions.push(position);
    }).rejects.toMatchObject({ code: 'SLUICE-JSON-0002', details: { line } });
    expect(positions).toHaveLength(5);
    for (const [i, at] of positions.entries()) {
      const rest: Value[][] = [];
      const failing = async () => {
        for await (const { columns, rowCount } of readJson(pieces(bytes.subarray(at.offset), 7), ab, {
          file: 'test',
          layout,
          at,
        })) {
          for (let row = 0; row < rowCount; row++)
            rest.push(ab.map((f, c) => columnValues(f.type, columns[c]!)[row]!));
        }
      };
      await expect(failing()).rejects.toMatchObject({ code: 'SLUICE-JSON-0002', details: { line } });
      expect(rest).toEqual(expected.slice(i + 1));
    }
  });

  test('a batch ends at every cut', async () => {
    const { positions } = await read(lines, ab, { batchRows: 1 });
    const cut = await read(lines, ab, { cuts: [positions[0]!, positions[2]!] });
    expect(cut.rows).toEqual(expected);
    expect(cut.ends).toEqual([1, 3, 5]);
  });

  test('documents of any kind, as they are', async () => {
    const { rows } = await read('{"a": [1, 2.50]}\n"text"\n 12 \nnull\n', 'raw');
    expect(rows).toEqual([['{"a": [1, 2.50]}'], ['"text"'], ['12'], ['null']]);
    expect((await read('[{"a":\n1},2]', 'raw', { layout: 'array' })).rows).toEqual([['{"a":\n1}'], ['2']]);
    expect((await read('[]', 'raw', { layout: 'array' })).rows).toEqual([]);
  });

  test('members in any order, missing, unknown, with escaped names', async () => {
    const text = '{"b":"1","a":2}\n{"\\u0061":3}\n{"a":4,"z":{"deep":[1,{"x":"}"}]},"b":"5"}\n';
    expect((await read(text, ab, { extra: 'ignore' })).rows).toEqual([
      [2n, '1'],
      [3n, null],
      [4n, '5'],
    ]);
    await expect(read(text, ab)).rejects.toMatchObject({
      code: 'SLUICE-JSON-0007',
      details: { line: 3, column: 'z' },
    });
  });

  test('a column of documents keeps strings as documents, a column of text takes what is written', async () => {
    const fields = [types.field('a', types.json), types.field('b', types.string)];
    const { rows } = await read(
      '{"a":"x","b":12.0}\n{"a":{"k": 1},"b":true}\n{"a":null,"b":[1, 2]}\n',
      fields,
    );
    expect(rows).toEqual([
      ['"x"', '12.0'],
      ['{"k": 1}', 'true'],
      [null, '[1, 2]'],
    ]);
  });
});

describe('what is broken is named by its line', () => {
  test.each([
    ['{"a":1}\n{"a":01}\n', 2],
    ['{"a":1}\n\n{"a":1', 3],
    ['{"a":1}\n{"a":"x\ty"}\n', 2],
    ['{"a":1}\n{"a":1,}\n', 2],
    ['{"a":1}\n{"a" 1}\n', 2],
    ['{"a":1}\n{a:1}\n', 2],
    ['{"a":1}\n{"a":1} {"a":2}\n', 2],
    ['{"a":1}\n{"b":"\\x"}\n', 2],
    ['{"a":1}\n{"b":"\\ud800"}\n', 2],
    ['{"a":1}\n{"b":"\\udc00\\ud800"}\n', 2],
    ['{"a":1}\n{"b":"open\n"}\n', 2],
    ['{"a":1}\n{"a":1.}\n', 2],
    ['{"a":1}\n{"a":-}\n', 2],
    ['{"a":1}\n{"a":1e}\n', 2],
    ['{"a":1}\n{"a":tru}\n', 2],
    ['{"a":1}\n{"a":[1 2]}\n', 2],
    [`{"a":1}\n{"a":${'['.repeat(300)}${']'.repeat(300)}}\n`, 2],
  ])('%j', async (text, line) => {
    await expect(read(text, ab)).rejects.toMatchObject({
      code: 'SLUICE-JSON-0002',
      class: 'data',
      details: { file: 'test.jsonl', line },
    });
  });

  test.each([
    ['', 1],
    ['{"a":1}', 1],
    ['[{"a":1},\n]', 2],
    ['[{"a":1}\n{"a":2}]', 1],
    ['[{"a":1}', 1],
    ['[{"a":1}]\n[', 2],
    ['[,{"a":1}]', 1],
    ['[{"a":1},\n{"a"', 2],
  ])('array %j', async (text, line) => {
    for (const piece of [1, 3, 100]) {
      await expect(read(text, ab, { layout: 'array', piece })).rejects.toMatchObject({
        code: 'SLUICE-JSON-0002',
        details: { line },
      });
    }
  });

  test('records that are no objects, bytes that are no UTF-8, records too large, values of another type', async () => {
    await expect(read('{"a":1}\n[1]\n', ab)).rejects.toMatchObject({
      code: 'SLUICE-JSON-0003',
      details: { line: 2 },
    });
    const bytes = Buffer.concat([Buffer.from('{"a":1}\n{"b":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
    await expect(read(bytes, ab)).rejects.toMatchObject({ code: 'SLUICE-JSON-0005', details: { line: 2 } });
    const large = `{"a":1}\n{"b":"${'x'.repeat(5000)}"}\n`;
    await expect(read(large, ab, { batchBytes: 100, maxRecordBytes: 1000 })).rejects.toMatchObject({
      code: 'SLUICE-JSON-0004',
      details: { line: 2 },
    });
    for (const bad of ['"x"', '1.5', 'true', '[1]', '9223372036854775808', '""']) {
      await expect(read(`{"a":1}\n{"b":"k","a":${bad}}\n`, ab)).rejects.toMatchObject({
        code: 'SLUICE-JSON-0001',
        details: { line: 2, column: 'a' },
      });
    }
    const strict = [types.field('a', types.int64, { nullable: false })];
    await expect(read('{"a":1}\n{}\n', strict)).rejects.toMatchObject({
      code: 'SLUICE-JSON-0006',
      details: { line: 2 },
    });
    const struct = [types.field('s', types.struct([types.field('x', types.int8)]))];
    await expect(read('{"s":{"x":1,"y":2}}', struct)).rejects.toMatchObject({ code: 'SLUICE-JSON-0001' });
    expect((await read('{"s":{"x":1,"y":2}}', struct, { extra: 'ignore' })).rows).toEqual([[{ x: 1 }]]);
  });
});

describe('trees', () => {
  test('agree with JSON.parse on what is a document', () => {
    const texts = fc.oneof(
      fc.json(),
      fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0019tfn -.eE') }),
      fc.json().map((text) => text.slice(1)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(parseJson(text)).toBeUndefined();
          return;
        }
        const tree = parseJson(text);
        expect(JSON.parse(treeText(tree!))).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('long strings and deep nesting do no harm', () => {
    expect(parseJson(`"${'x'.repeat(2_000_000)}"`)).toHaveLength(2_000_000);
    expect(parseJson('['.repeat(100_000))).toBeUndefined();
    expect(parseJson('"\\ud800"')).toBeUndefined();
  });
});

describe('guessing', () => {
  async function guessed(
    text: string,
    layout: 'lines' | 'array' = 'lines',
  ): Promise<{ [name: string]: string }> {
    const { guess, whole } = await sampleJson(
      pieces(Buffer.from(text), 50),
      { file: 'test.jsonl', layout },
      1000,
      1 << 20,
    );
    return Object.fromEntries(guess.fields(whole).map(({ name, type }) => [name, formatType(type)]));
  }

  test('scalars, lists and structs', async () => {
    const lines = [
      '{"i":1,"f":1.5,"e":1e3,"b":true,"s":"007","n":null,"ts":"2024-01-01T00:00:00Z","d":"2024-01-01","q":"12","l":[1,2],"o":{"x":1},"lo":[{"a":[]}]}',
      '{"i":9007199254740993,"f":2,"e":2,"b":null,"s":"x","ts":"2024-01-01 00:00:00+02","d":null,"q":"13","l":[],"o":{"y":"z"},"lo":[{"a":["t"]}]}',
    ];
    expect(await guessed(lines.join('\n'))).toEqual({
      i: 'int64',
      f: 'decimal(18,1)',
      e: 'float64',
      b: 'bool',
      s: 'string',
      n: 'json',
      ts: 'timestamp(us, utc)',
      d: 'date',
      q: 'string',
      l: 'list<int64>',
      o: 'struct<x: int64, y: string>',
      lo: 'list<struct<a: list<string>>>',
    });
    expect(await guessed(`[${lines.join(',')}]`, 'array')).toEqual(await guessed(lines.join('\n')));
  });

  test('what does not agree stays a document, or text where all of it is plain', async () => {
    expect(await guessed('{"a":1,"b":[1],"c":{},"d":[[]]}\n{"a":"x","b":{"k":1},"c":{},"d":[1]}')).toEqual({
      a: 'string',
      b: 'json',
      c: 'json',
      d: 'list<json>',
    });
    const dictionary = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i]));
    expect(await guessed(JSON.stringify({ d: dictionary }))).toEqual({ d: 'json' });
  });
});

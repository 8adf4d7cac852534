import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { LocalStorage, ParquetWriter } from '@sluice/formats';
import {
  type Catalog,
  type Column,
  type Context,
  columnOf,
  type Field,
  formatType,
  type Json,
  type Row,
  type Source,
  type Split,
  silentLogger,
  streamSchema,
  types,
  type Value,
} from '@sluice/sdk';
import { needsPythonReaders, pythonWithReaders } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileConfig } from './config.js';
import { DeclaredTypes } from './declared-types.js';
import { ParquetReader } from './parquet-reader.js';
import { FileSource } from './source.js';

const data = fileURLToPath(new URL('../../../node_modules/vega-datasets/data', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-source-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function context(): Context {
  return { signal: new AbortController().signal, log: silentLogger, cwd: folder, memory: 1 << 26 };
}

function sourceOf(config: object): Source {
  return new FileSource(fileConfig.parse(config));
}

async function write(files: { readonly [name: string]: string | Uint8Array }): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

interface ReadStream {
  readonly rows: Row[];
  readonly positions: Json[];
  readonly splits: Split[];
}

/** Reads a stream as the engine would, one split after the other. */
async function readStream(
  source: Source,
  stream: string,
  options: {
    mode?: 'full' | 'incremental';
    known?: readonly Split[];
    batchRows?: number;
    catalog?: Catalog;
  } = {},
): Promise<ReadStream> {
  const { mode = 'full', known = [], batchRows = 16_384 } = options;
  const { streams } = options.catalog ?? (await source.discover([stream], context()));
  const found = streams.find(({ schema }) => schema.stream === stream)!;
  const read = { stream, mode, schema: found.schema, generation: 1, options: {}, resumable: true };
  const result: ReadStream = { rows: [], positions: [], splits: [] };
  for await (const split of source.splits([read], known, context())) {
    result.splits.push(split);
    const request = { split, at: split.start, cuts: [], reads: [read], batchRows, batchBytes: 1 << 20 };
    const reader = await source.open(request, context());
    for await (const message of reader) {
      if (message.kind === 'batch') result.rows.push(...message.rows());
      if (message.kind === 'checkpoint') result.positions.push(message.position);
    }
    await reader.close();
  }
  return result;
}

async function namesOf(config: object): Promise<string[]> {
  const { streams } = await sourceOf(config).discover(undefined, context());
  return streams.map(({ schema }) => schema.stream);
}

async function typesOf(source: Source, stream: string): Promise<{ [column: string]: string }> {
  const { streams } = await source.discover([stream], context());
  if (streams[0]?.problem) throw streams[0].problem;
  return Object.fromEntries(streams[0]!.schema.fields.map(({ name, type }) => [name, formatType(type)]));
}

async function parquet(
  fields: readonly Field[],
  values: readonly (readonly Value[])[],
  rowGroupRows = 1 << 20,
) {
  const chunks: Uint8Array[] = [];
  const writer = new ParquetWriter(fields, async (chunk) => void chunks.push(Uint8Array.from(chunk)), {
    rowGroupRows,
  });
  const columns: Column[] = fields.map((f, i) => columnOf(f, values[i]!));
  await writer.write(columns, values[0]!.length);
  await writer.finish();
  return Buffer.concat(chunks);
}

describe('which files make which streams', () => {
  beforeEach(() =>
    write({
      'in/a.csv': 'x\n1\n',
      'in/b.tsv': 'x\ty\n1\t2\n',
      'in/c.csv.gz': gzipSync('x\n3\n'),
      'in/d.jsonl': '{"x":1}\n',
      'in/.hidden.csv': 'x\n9\n',
      'in/notes.txt': 'no data',
      'in/deep/e.csv': 'x\n5\n',
    }),
  );

  test.each([
    [{ path: 'in/a.csv' }, ['a']],
    [{ path: 'in' }, ['a', 'b', 'c', 'd']],
    [{ path: 'in/' }, ['a', 'b', 'c', 'd']],
    [{ path: 'in/*.csv' }, ['a']],
    [{ path: 'in/*.csv*' }, ['a', 'c']],
    [{ path: 'in/**/*.csv' }, ['a', 'e']],
    [{ path: 'in/{a,b}.?sv' }, ['a', 'b']],
    [{ path: 'in/*.csv*', stream: 'all' }, ['all']],
    [{ path: 'in', streams: { one: 'a.csv', two: '**/e.csv' } }, ['one', 'two']],
    [{ path: 'in/notes.txt', format: 'csv' }, ['notes.txt']],
  ])('%j', async (config, names) => {
    expect(await namesOf(config)).toEqual(names);
  });

  test('absolute paths and file URLs', async () => {
    const path = join(folder, 'in/a.csv');
    expect(await namesOf({ path })).toEqual(['a']);
    expect(await namesOf({ path: pathToFileURL(path).href })).toEqual(['a']);
  });

  test('a file whose name looks like a pattern is that file', async () => {
    await write({ 'in/[1].csv': 'x\n1\n', 'in/1.csv': 'x\n2\n' });
    expect((await readStream(sourceOf({ path: 'in/[1].csv' }), '[1]')).rows).toEqual([{ x: 1n }]);
  });

  test.each([
    [{ path: 'nowhere.csv' }, 'SLUICE-FILE-0001'],
    [{ path: 'in/*.parquet' }, 'SLUICE-FILE-0001'],
    [{ path: 'in', streams: { one: 'z.csv' } }, 'SLUICE-FILE-0001'],
    [{ path: 'in/notes.txt' }, 'SLUICE-FILE-0002'],
    [{ path: 'in/*', stream: 'all' }, 'SLUICE-FILE-0003'],
    [{ path: 'in/*.csv', stream: 'x', streams: { y: 'a.csv' } }, 'SLUICE-FILE-0003'],
  ])('%j is refused', async (config, code) => {
    await expect(sourceOf(config).check(context())).rejects.toMatchObject({ code, class: 'config' });
  });

  test('two files of one name are no two streams', async () => {
    await write({ 'in/deep/a.csv': 'x\n1\n' });
    await expect(sourceOf({ path: 'in/**/*.csv' }).check(context())).rejects.toMatchObject({
      code: 'SLUICE-FILE-0003',
    });
  });

  test('one broken file does not hide the other streams', async () => {
    await write({ 'in/a.csv': '"open' });
    const { streams } = await sourceOf({ path: 'in' }).discover(undefined, context());
    expect(streams.map(({ schema, problem }) => [schema.stream, problem?.code])).toEqual([
      ['a', 'SLUICE-CSV-0008'],
      ['b', undefined],
      ['c', undefined],
      ['d', undefined],
    ]);
  });
});

describe('columns of several files', () => {
  test('CSV: wider types, missing columns, notes that say so', async () => {
    await write({ 'p-1.csv': 'a,b\n1,x\n', 'p-2.csv': 'b,a,c\ny,2.5,t\n' });
    const source = sourceOf({ path: 'p-*.csv', stream: 'p' });
    expect(await typesOf(source, 'p')).toEqual({ a: 'decimal(18,1)', b: 'string', c: 'bool' });
    expect((await readStream(source, 'p')).rows).toEqual([
      { a: '1.0', b: 'x', c: null },
      { a: '2.5', b: 'y', c: true },
    ]);
    const { streams } = await source.discover(undefined, context());
    expect(streams[0]!.notes!.join('\n')).toContain('c is missing');
  });

  test('CSV without headers: the number of columns must agree', async () => {
    await write({ 'p-1.csv': '1,x\n', 'p-2.csv': '1\n' });
    const source = sourceOf({ path: 'p-*.csv', stream: 'p', csv: { header: false } });
    await expect(typesOf(source, 'p')).rejects.toMatchObject({
      code: 'SLUICE-FILE-0004',
      message: expect.stringMatching(/p-1\.csv has 2 columns, p-2\.csv has 1/),
    });
  });

  test('Parquet: wider types are read as such, others name both files', async () => {
    const one = await parquet(
      [types.field('n', types.int32, { nullable: false }), types.field('d', types.decimal(5, 2))],
      [[1], ['1.50']],
    );
    const two = await parquet(
      [types.field('n', types.int64), types.field('d', types.decimal(12, 4)), types.field('s', types.string)],
      [[2n], ['2.0001'], ['x']],
    );
    await write({ 'p-1.parquet': one, 'p-2.parquet': two });
    const source = sourceOf({ path: 'p-*.parquet', stream: 'p' });
    expect(await typesOf(source, 'p')).toEqual({ n: 'int64', d: 'decimal(12,4)', s: 'string' });
    expect((await readStream(source, 'p')).rows).toEqual([
      { n: 1n, d: '1.5000', s: null },
      { n: 2n, d: '2.0001', s: 'x' },
    ]);
    await write({ 'p-3.parquet': await parquet([types.field('n', types.string)], [['z']]) });
    await expect(typesOf(source, 'p')).rejects.toMatchObject({
      code: 'SLUICE-FILE-0004',
      class: 'contract',
      message: expect.stringMatching(/p-1\.parquet.*p-3\.parquet/),
    });
  });

  test('a column that appears after planning is an error, not silence', async () => {
    await write({ 'a.csv': 'x\n1\n' });
    const source = sourceOf({ path: 'a.csv' });
    const catalog = await source.discover(undefined, context());
    await write({ 'a.csv': 'x,y\n1,2\n' });
    await expect(readStream(source, 'a', { catalog })).rejects.toMatchObject({
      code: 'SLUICE-FILE-0004',
      details: { column: 'y' },
    });
  });

  test('declared types win, by column or by stream and column', async () => {
    await write({ 'a.csv': 'x,y\n007,1\n', 'b.csv': 'x\n5\n' });
    const declared = { path: '*.csv', types: { y: 'decimal(12,2)', 'b.x': 'int32' } };
    expect(await typesOf(sourceOf(declared), 'a')).toEqual({ x: 'string', y: 'decimal(12,2)' });
    expect(await typesOf(sourceOf(declared), 'b')).toEqual({ x: 'int32' });
    await expect(
      sourceOf({ ...declared, types: { z: 'int32' } }).discover(undefined, context()),
    ).rejects.toMatchObject({ code: 'SLUICE-FILE-0006' });
    expect(() => sourceOf({ ...declared, types: { y: 'itn32' } })).toThrow('did you mean int32');
    await write({ 'c.parquet': await parquet([types.field('n', types.int64)], [[1n]]) });
    await expect(typesOf(sourceOf({ path: 'c.parquet', types: { n: 'int32' } }), 'c')).rejects.toMatchObject({
      code: 'SLUICE-FILE-0007',
    });
  });
});

describe('reading again and on', () => {
  const lines = Array.from({ length: 40 }, (_, i) => `${i},"text\n${i}"\n`).join('');

  test.each([
    ['csv', `id,text\n${lines}`],
    ['csv.gz', gzipSync(`id,text\n${lines}`)],
    ['jsonl', Array.from({ length: 40 }, (_, i) => `{"id":${i},"text":"text\\n${i}"}\n`).join('')],
  ] as const)('%s: from every checkpoint, with a cut at every other', async (ending, content) => {
    await write({ [`a.${ending}`]: content });
    const source = sourceOf({ path: `a.${ending}` });
    const { rows, positions, splits } = await readStream(source, 'a', { batchRows: 7 });
    expect(rows).toEqual(Array.from({ length: 40 }, (_, i) => ({ id: BigInt(i), text: `text\n${i}` })));
    const { streams } = await source.discover(undefined, context());
    const reads = [
      {
        stream: 'a',
        mode: 'full' as const,
        schema: streams[0]!.schema,
        generation: 1,
        options: {},
        resumable: true,
      },
    ];
    for (const [i, at] of positions.entries()) {
      const cuts = positions.filter((_, c) => c > i);
      const reader = await source.open(
        { split: splits[0]!, at, cuts, reads, batchRows: 1000, batchBytes: 1 << 20 },
        context(),
      );
      const rest: Row[] = [];
      const seen: Json[] = [];
      for await (const message of reader) {
        if (message.kind === 'batch') rest.push(...message.rows());
        if (message.kind === 'checkpoint') seen.push(message.position);
      }
      expect(rest).toEqual(rows.slice((i + 1) * 7));
      expect(seen).toEqual(cuts.length > 0 ? cuts : [at]);
    }
  });

  test('Parquet: from rows within row groups, cut within them', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => i);
    await write({ 'a.parquet': await parquet([types.field('id', types.int32)], [ids], 20) });
    const source = sourceOf({ path: 'a.parquet' });
    const { rows, positions, splits } = await readStream(source, 'a', { batchRows: 6 });
    expect(rows.map(({ id }) => id)).toEqual(ids);
    expect(positions).toContainEqual({ group: 1, row: 12 });
    const { streams } = await source.discover(undefined, context());
    const reads = [
      {
        stream: 'a',
        mode: 'full' as const,
        schema: streams[0]!.schema,
        generation: 1,
        options: {},
        resumable: true,
      },
    ];
    let done = 0;
    for (const at of [splits[0]!.start, ...positions]) {
      const cuts = [
        { group: 1, row: 5 },
        { group: 2, row: 0 },
      ];
      const reader = await source.open(
        { split: splits[0]!, at, cuts, reads, batchRows: 9, batchBytes: 1 << 20 },
        context(),
      );
      const rest: Value[] = [];
      const ends: number[] = [];
      for await (const message of reader) {
        if (message.kind !== 'batch') continue;
        rest.push(...message.rows().map(({ id }) => id!));
        ends.push(done + rest.length);
      }
      expect(rest).toEqual(ids.slice(done));
      if (done < 25) expect(ends).toContain(25);
      const place = at as { group: number; row: number };
      const next = positions[positions.findIndex((p) => JSON.stringify(p) === JSON.stringify(place)) + 1] as
        | { group: number; row: number }
        | undefined;
      done = next === undefined ? 50 : Math.min(50, next.group * 20 + next.row);
    }
  });

  test('large Parquet files are several parts, which together are the file', async () => {
    const ids = Array.from({ length: 500 }, (_, i) => i);
    const bytes = await parquet([types.field('id', types.int32)], [ids], 100);
    await write({ 'a.parquet': bytes });
    const storage = new LocalStorage(folder);
    const file = { ...(await storage.stat('a.parquet'))!, format: 'parquet' as const, ending: '.parquet' };
    const reader = new ParquetReader(storage, new DeclaredTypes({}), 700);
    const parts = await reader.parts(file);
    expect(parts.map(({ spec }) => spec)).toEqual([
      { from: 0, to: 2 },
      { from: 2, to: 4 },
      { from: 4, to: 5 },
    ]);
    expect(new Set(parts.map(({ name }) => name)).size).toBe(3);
    const { fields } = await reader.inspect('a', [file], context());
    const seen: Value[][] = [];
    for (const { spec, start } of parts) {
      const own: Value[] = [];
      let isSealed = false;
      const request = { file, spec, schema: streamSchema('a', fields), at: start, cuts: [] };
      for await (const message of reader.read({ ...request, batchRows: 64, batchBytes: 1 << 20 })) {
        if (message.kind === 'batch') own.push(...message.rows().map(({ id }) => id!));
        if (message.kind === 'checkpoint') isSealed = message.sealed === true;
      }
      expect(isSealed).toBe(true);
      seen.push(own);
    }
    expect(seen).toEqual([ids.slice(0, 200), ids.slice(200, 400), ids.slice(400)]);
  });
});

describe('incremental: a set of files', () => {
  test('new files are new splits, read ones stay read, vanished ones do no harm', async () => {
    await write({ 'in/a.csv': 'x\n1\n', 'in/b.csv': 'x\n2\n' });
    const source = sourceOf({ path: 'in/*.csv', stream: 's' });
    const first = await readStream(source, 's', { mode: 'incremental' });
    expect(first.rows).toEqual([{ x: 1n }, { x: 2n }]);
    expect((await readStream(source, 's', { mode: 'incremental', known: first.splits })).rows).toEqual([]);
    await rm(join(folder, 'in/a.csv'));
    await write({ 'in/c.csv': 'x\n3\n' });
    const second = await readStream(sourceOf({ path: 'in/*.csv', stream: 's' }), 's', {
      mode: 'incremental',
      known: first.splits,
    });
    expect(second.rows).toEqual([{ x: 3n }]);
  });

  test('a changed file stops the run, or is read again where the job says so', async () => {
    await write({ 'in/a.csv': 'x\n1\n' });
    const { splits: known } = await readStream(sourceOf({ path: 'in', stream: 's' }), 's', {
      mode: 'incremental',
    });
    await appendFile(join(folder, 'in/a.csv'), '2\n');
    await expect(
      readStream(sourceOf({ path: 'in', stream: 's' }), 's', { mode: 'incremental', known }),
    ).rejects.toMatchObject({
      code: 'SLUICE-FILE-0005',
      class: 'contract',
      details: { file: 'a.csv' },
    });
    const again = sourceOf({ path: 'in', stream: 's', changed: 'reread' });
    const second = await readStream(again, 's', { mode: 'incremental', known });
    expect(second.rows).toEqual([{ x: 1n }, { x: 2n }]);
    const all = [...known, ...second.splits];
    expect((await readStream(again, 's', { mode: 'incremental', known: all })).rows).toEqual([]);
  });

  test('a file touched without a change of size is a changed one too', async () => {
    await write({ 'in/a.csv': 'x\n1\n' });
    const source = sourceOf({ path: 'in', stream: 's' });
    const { splits: known } = await readStream(source, 's', { mode: 'incremental' });
    await utimes(join(folder, 'in/a.csv'), 1, 1);
    await expect(readStream(source, 's', { mode: 'incremental', known })).rejects.toMatchObject({
      code: 'SLUICE-FILE-0005',
    });
  });

  test('a file that changes or goes between planning and reading stops the run', async () => {
    await write({ 'a.csv': 'x\n1\n' });
    const source = sourceOf({ path: 'a.csv' });
    const { splits } = await readStream(source, 'a');
    const { streams } = await source.discover(undefined, context());
    const reads = [
      {
        stream: 'a',
        mode: 'full' as const,
        schema: streams[0]!.schema,
        generation: 1,
        options: {},
        resumable: true,
      },
    ];
    const open = () =>
      source.open(
        { split: splits[0]!, at: splits[0]!.start, cuts: [], reads, batchRows: 10, batchBytes: 1000 },
        context(),
      );
    await appendFile(join(folder, 'a.csv'), '2\n');
    await expect(open()).rejects.toMatchObject({
      code: 'SLUICE-FILE-0005',
      message: expect.stringContaining('changed'),
    });
  });
});

describe('real files, as Python reads them', () => {
  needsPythonReaders();

  async function python(script: string): Promise<unknown> {
    return JSON.parse(
      execFileSync(await pythonWithReaders(), ['-c', script], { maxBuffer: 1 << 28 }).toString(),
    );
  }

  test('movies.json: an array of objects', async () => {
    const path = join(data, 'movies.json');
    const { rows } = await readStream(sourceOf({ path }), 'movies');
    const expected = (await python(
      `import json; print(json.dumps(json.load(open('${path}'), parse_float=str)))`,
    )) as { [name: string]: unknown }[];
    const wanted = expected.map((movie) =>
      Object.fromEntries(
        Object.entries(movie).map(([name, value]) => {
          if (name === 'Title' && value !== null) return [name, String(value)];
          if (name === 'IMDB Rating' && value !== null) return [name, Number(value).toFixed(1)];
          return [name, typeof value === 'number' ? BigInt(value) : value];
        }),
      ),
    );
    expect(rows).toEqual(wanted);
  });

  test('flights-3m.parquet: counts and sums', async () => {
    const path = join(data, 'flights-3m.parquet');
    const source = sourceOf({ path });
    const { streams } = await source.discover(undefined, context());
    const { schema } = streams[0]!;
    const read = {
      stream: 'flights-3m',
      mode: 'full' as const,
      schema,
      generation: 1,
      options: {},
      resumable: true,
    };
    let [rows, delay, distance, dates] = [0, 0n, 0n, 0n];
    for await (const split of source.splits([read], [], context())) {
      const reader = await source.open(
        { split, at: split.start, cuts: [], reads: [read], batchRows: 65_536, batchBytes: 8 << 20 },
        context(),
      );
      for await (const message of reader) {
        if (message.kind !== 'batch') continue;
        rows += message.rowCount;
        const sum = (name: string) => {
          const column = message.column(schema.fields.findIndex((f) => f.name === name));
          if (column.data.layout !== 'fixed') throw new TypeError(name);
          let total = 0n;
          for (const value of column.data.values) total += BigInt(value);
          return total;
        };
        delay += sum('delay');
        distance += sum('distance');
        dates += sum('date');
      }
      await reader.close();
    }
    const script = `import duckdb,json; print(json.dumps([str(v) for v in duckdb.sql("select count(*), sum(delay), sum(distance), sum(epoch_us(date)::hugeint) from '${path}'").fetchone()]))`;
    expect(await python(script)).toEqual([rows, delay, distance, dates].map(String));
  });
});

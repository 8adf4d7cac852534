/** Rows in folders by some of their columns, read by DuckDB and Arrow, which know the layout from Hive. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Storage } from '@sluice/formats';
import {
  Batch,
  type Context,
  type Epoch,
  type JsonObject,
  type Row,
  Special,
  type Split,
  silentLogger,
  streamSchema,
  type TablePlan,
  types,
  type Value,
} from '@sluice/sdk';
import { needsPythonReaders, pythonWithReaders } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileConfig } from '../config.js';
import { readStream, sourceOf } from '../source-folder.js';
import { createFileSink } from './create-sink.js';
import { FileSink } from './file-sink.js';
import { parquetParts } from './parquet-parts.js';

const schema = streamSchema('s', [
  types.field('n', types.int64),
  types.field('year', types.int32),
  types.field('s', types.string),
  types.field('day', types.date),
]);
const split: Split = { id: 's/0', streams: ['s'], phase: 'bulk', start: 0, spec: null };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-partitions-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const context = (memory = 512 << 20): Context => ({
  signal: new AbortController().signal,
  log: silentLogger,
  cwd: root,
  memory,
});

interface Load {
  readonly partitionBy?: readonly string[];
  readonly write?: 'append' | 'replace';
  readonly generation?: number;
  readonly memory?: number;
}

async function planFor(sink: FileSink, { partitionBy, write = 'append' }: Load): Promise<TablePlan> {
  const options: JsonObject = partitionBy === undefined ? {} : { partitionBy: [...partitionBy] };
  const request = { stream: 's', target: 't', schema, read: 'full', save: 'keep', encodings: [] } as const;
  return (await sink.plan([{ ...request, write, options }], context()))[0]!;
}

/** Writes batches of rows as one epoch, and publishes it. */
async function load(sink: FileSink, batches: readonly (readonly Row[])[], request: Load): Promise<void> {
  const { generation = 1, memory } = request;
  const c = context(memory);
  const job = { id: `job-${generation}`, source: 'src', fence: 1n };
  await sink.attach(job, c);
  await sink.adopt(
    job,
    {
      streams: { s: { generation, published: false } },
      splits: { [split.id]: { split, generation, epoch: 0, position: 0, sealed: false } },
    },
    c,
  );
  const table = await planFor(sink, request);
  await sink.applySchema(job, table, generation, c);
  const writer = await sink.open({ job, split, generation, tables: [table] }, c);
  for (const rows of batches) await writer.write(Batch.ofRows(schema, rows));
  const epoch: Epoch = { split, number: 1, generation, fence: 1n, version: 0n, position: 1, sealed: true };
  await writer.commit(await writer.prepare(epoch));
  await writer.close();
  await sink.publish(job, table, generation, { allowEmpty: false }, c);
}

function sinkOf(format: string, more: object = {}): FileSink {
  return createFileSink(fileConfig.parse({ path: root, format, ...more }));
}

const TEXTS = ['plain', 'a/b:c=d e%é', '', null, 'NULL', '__HIVE_DEFAULT_PARTITION__', '..', 'x\ny', "it's"];
const rows: Row[] = TEXTS.flatMap((s, i) => [
  { n: BigInt(i), year: 2024, s, day: 19_783 },
  { n: BigInt(i + 100), year: -1, s, day: null },
]);

const byN = (a: readonly unknown[], b: readonly unknown[]) => Number(a[0]) - Number(b[0]);

describe('other readers', () => {
  needsPythonReaders();

  async function python(script: string): Promise<unknown> {
    return JSON.parse(execFileSync(await pythonWithReaders(), ['-c', script], { cwd: root }).toString());
  }

  test.each([
    ['parquet', `read_parquet('t/**/*.parquet', hive_partitioning=true, hive_types_autocast=false)`],
    ['csv', `read_csv('t/**/*.csv', hive_partitioning=true, hive_types_autocast=false)`],
    ['jsonl', `read_json('t/**/*.jsonl', hive_partitioning=true, hive_types_autocast=false)`],
  ])('%s: DuckDB reads every value back', async (format, files) => {
    await load(sinkOf(format), [rows.slice(0, 5), rows.slice(5)], { partitionBy: ['year', 's', 'day'] });
    const read = await python(
      `import duckdb, json; print(json.dumps(duckdb.sql("select n, year, s, day from ${files} order by n").fetchall()))`,
    );
    const wanted = rows.map(({ n, year, s, day }) => [
      Number(n),
      String(year),
      s,
      day === null ? null : '2024-03-01',
    ]);
    expect(read).toEqual(wanted.sort(byN));
    const columns = await python(
      `import duckdb, json; print(json.dumps([d[0] for d in duckdb.sql("select * from ${files.replace('hive_partitioning=true, hive_types_autocast=false', 'hive_partitioning=false')}").description]))`,
    );
    expect(columns).toEqual(['n']);
  });

  test('Arrow reads every value back, as far as it knows null from the word for it', async () => {
    const known = rows.filter(({ s }) => s !== '__HIVE_DEFAULT_PARTITION__');
    await load(sinkOf('parquet'), [known], { partitionBy: ['s'], write: 'replace' });
    const read = (await python(`
import json, pyarrow as pa, pyarrow.dataset as ds
by = ds.partitioning(pa.schema([('s', pa.string())]), flavor='hive')
print(json.dumps([list(r.values()) for r in ds.dataset('t', partitioning=by).to_table(columns=['n', 'year', 's']).to_pylist()]))`)) as unknown[][];
    expect(read.sort(byN)).toEqual(known.map(({ n, year, s }) => [Number(n), year, s]).sort(byN));
  });
});

test.each(['parquet', 'csv.gz', 'jsonl.zst'])('%s: the source reads what the sink wrote', async (ending) => {
  const [format, suffix] = ending.split('.');
  const compression = suffix === undefined ? 'none' : suffix === 'gz' ? 'gzip' : 'zstd';
  await load(sinkOf(format!, { compression }), [rows], { partitionBy: ['s', 'day'] });
  const source = sourceOf({ path: join(root, 't'), types: { year: 'int32', s: 'string' } });
  const read = (await readStream(source, 't')).rows.map(
    ({ n, year, s, day }): Row => ({ n, year, s, day }) as Row,
  );
  expect(read.sort((a, b) => Number(a['n']) - Number(b['n']))).toEqual(
    [...rows].sort((a, b) => Number(a['n']) - Number(b['n'])),
  );
});

test('a replacement replaces all partitions, also those that get no rows', async () => {
  const year = (value: number, n: bigint): Row => ({ n, year: value, s: 'x', day: 0 });
  await load(sinkOf('csv'), [[year(2023, 1n), year(2024, 2n)]], { partitionBy: ['year'], write: 'replace' });
  const second = { partitionBy: ['year'], write: 'replace', generation: 2 } as const;
  await load(sinkOf('csv'), [[year(2025, 3n)]], second);
  const { rows: read } = await readStream(sourceOf({ path: join(root, 't') }), 't');
  expect(read.map(({ n, year: y }) => [n, y])).toEqual([[3n, 2025n]]);
});

describe('many partitions', () => {
  class CountingSink extends FileSink {
    held = 0;
    most = 0;
    protected override storage(c: Context): Storage {
      const storage = super.storage(c);
      const create = storage.create.bind(storage);
      storage.create = async (path) => {
        const file = await create(path);
        if (!path.includes('/part-')) return file;
        this.most = Math.max(this.most, ++this.held);
        const finish = file.finish.bind(file);
        file.finish = () => {
          this.held--;
          return finish();
        };
        return file;
      };
      return storage;
    }
  }

  test.each([
    [512, 32],
    [64, 5],
    [1, 1],
  ])('with %d MiB no more than %d files are open, and no row is lost', async (mebibytes, most) => {
    const format = parquetParts({});
    const rotation = { bytes: 1e9, rows: 1e9 };
    const config = fileConfig.parse({ path: root });
    const settings = { path: root, isFile: false, format, formatName: 'parquet', rotation, config } as const;
    const sink = new CountingSink(settings);
    const batches = [0, 1, 2].map((b) =>
      Array.from({ length: 80 }, (_, i): Row => ({ n: BigInt(b * 80 + i), year: i % 40, s: 'x', day: 0 })),
    );
    await load(sink, batches, { partitionBy: ['year'], memory: mebibytes << 20 });
    expect(sink.most).toBe(most);
    expect(sink.held).toBe(0);
    const { rows: read } = await readStream(sourceOf({ path: join(root, 't') }), 't');
    expect(read.map(({ n }) => Number(n)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 240 }, (_, i) => i),
    );
    expect(read.every(({ n, year }) => Number(n) % 40 === Number(year))).toBe(true);
  });
});

describe('refused', () => {
  const one = (s: Value): Row => ({ n: 1n, year: 1, s, day: 0 });

  test.each([
    [['nope'], 'SLUICE-FILESINK-0009'],
    [['n', 'year', 's', 'day'], 'SLUICE-FILESINK-0009'],
  ])('by %j', async (partitionBy, code) => {
    await expect(planFor(sinkOf('csv'), { partitionBy })).rejects.toMatchObject({ code, class: 'config' });
  });

  test('one file', async () => {
    const sink = createFileSink(fileConfig.parse({ path: join(root, 'out.csv') }));
    await expect(planFor(sink, { partitionBy: ['year'], write: 'replace' })).rejects.toMatchObject({
      code: 'SLUICE-FILESINK-0009',
    });
  });

  test('an append to a target with another layout; a replacement may change it', async () => {
    await load(sinkOf('csv'), [[one('x')]], { partitionBy: ['year'] });
    for (const partitionBy of [undefined, ['s'], ['year', 's']]) {
      const request = { ...(partitionBy !== undefined && { partitionBy }) };
      await expect(planFor(sinkOf('csv'), request)).rejects.toMatchObject({ code: 'SLUICE-FILESINK-0010' });
    }
    await planFor(sinkOf('csv'), { partitionBy: ['year'] });
    await planFor(sinkOf('csv'), { partitionBy: ['s'], write: 'replace' });
  });

  test.each([
    ['a name that is too long', 'é'.repeat(130)],
    ['a special value', new Special('infinity')],
  ])('%s, as the data error of its rows', async (_, value) => {
    const wrong = load(sinkOf('csv'), [[one('x'), one(value)]], { partitionBy: ['s'] });
    await expect(wrong).rejects.toMatchObject({ code: 'SLUICE-FILESINK-0011', class: 'data' });
  });
});

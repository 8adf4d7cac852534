/** Folders called `name=value`, as Hive, Spark and DuckDB lay out tables. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Row, type StreamRead, types } from '@sluice/sdk';
import { needsPythonReaders, pythonWithReaders } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  context,
  folder,
  makeFolder,
  namesOf,
  parquet,
  readOf,
  readStream,
  removeFolder,
  sourceOf,
  typesOf,
  write,
} from './source-folder.js';

beforeEach(makeFolder);
afterEach(removeFolder);

describe('columns from folders', () => {
  test.each(['csv', 'jsonl', 'parquet'])('%s: in all rows, typed by all paths', async (ending) => {
    const file = async (x: number) =>
      ending === 'csv'
        ? `x\n${x}\n`
        : ending === 'jsonl'
          ? `{"x":${x}}\n`
          : parquet([types.field('x', types.int64)], [[BigInt(x)]]);
    await write({
      [`orders/year=2024/day=2024-01-31/by=a%2Fb%20%C3%A9/p.${ending}`]: await file(1),
      [`orders/year=2024/day=2024-02-29/by=1/p.${ending}`]: await file(2),
      [`orders/year=__HIVE_DEFAULT_PARTITION__/day=2025-01-01/by=/p.${ending}`]: await file(3),
    });
    const source = sourceOf({ path: 'orders' });
    expect(await typesOf(source, 'orders')).toEqual({ x: 'int64', year: 'int64', day: 'date', by: 'string' });
    const day = (date: string) => Date.parse(date) / 86_400_000;
    expect((await readStream(source, 'orders')).rows).toEqual([
      { x: 1n, year: 2024n, day: day('2024-01-31'), by: 'a/b é' },
      { x: 2n, year: 2024n, day: day('2024-02-29'), by: '1' },
      { x: 3n, year: null, day: day('2025-01-01'), by: '' },
    ]);
    const off = sourceOf({ path: `orders/**/*.${ending}`, stream: 'orders', hive: false });
    expect(await typesOf(off, 'orders')).toEqual({ x: 'int64' });
  });

  test('one path among hundreds makes a column text', async () => {
    const files = Array.from({ length: 300 }, (_, i) => [`t/k=${i === 150 ? 'x' : i}/a.csv`, `n\n${i}\n`]);
    await write(Object.fromEntries(files));
    expect(await typesOf(sourceOf({ path: 't' }), 't')).toEqual({ n: 'int64', k: 'string' });
  });

  test('declared types win, and what does not fit them is an error with the path', async () => {
    await write({ 't/k=1/a.csv': 'n\n1\n', 't/k=02/a.csv': 'n\n2\n' });
    const rowsAs = async (type: string) =>
      (await readStream(sourceOf({ path: 't', types: { k: type } }), 't')).rows.map(({ k }) => k);
    expect(await rowsAs('string')).toEqual(['02', '1']);
    expect(await rowsAs('decimal(5,2)')).toEqual(['2.00', '1.00']);
    expect((await readStream(sourceOf({ path: 't' }), 't')).rows.map(({ k }) => k)).toEqual([2n, 1n]);
    await expect(rowsAs('date')).rejects.toMatchObject({
      code: 'SLUICE-FILE-0004',
      message: expect.stringMatching(/k=02\/a\.csv.*k /),
    });
  });

  test.each(['csv', 'jsonl', 'parquet'])('%s: the folder wins over the file’s own column', async (ending) => {
    const content =
      ending === 'csv'
        ? 'k,x\nseven,1\n'
        : ending === 'jsonl'
          ? '{"k":{"a":[7]},"x":1}\n'
          : await parquet([types.field('k', types.string), types.field('x', types.int64)], [['seven'], [1n]]);
    await write({ [`t/k=5/a.${ending}`]: content });
    expect((await readStream(sourceOf({ path: 't' }), 't')).rows).toEqual([{ x: 1n, k: 5n }]);
  });

  test('files in folders of other names, or in none, are refused and both named', async () => {
    await write({ 't/k=1/a.csv': 'n\n1\n', 't/k=1/l=2/b.csv': 'n\n2\n' });
    await expect(typesOf(sourceOf({ path: 't' }), 't')).rejects.toMatchObject({
      code: 'SLUICE-FILE-0004',
      message: expect.stringMatching(/k=1\/a\.csv \(k\) and k=1\/l=2\/b\.csv \(k\/l\)/),
    });
    const off = sourceOf({ path: 't/**/*.csv', stream: 't', hive: false });
    expect((await readStream(off, 't')).rows).toEqual([{ n: 1n }, { n: 2n }]);
  });

  test('resumed and cut, a file gives its folder’s values with the rows that are left', async () => {
    await write({ 't/k=5/a.csv': `n\n${Array.from({ length: 20 }, (_, i) => `${i}\n`).join('')}` });
    const source = sourceOf({ path: 't' });
    const { splits, positions } = await readStream(source, 't', { batchRows: 7 });
    const reads: StreamRead[] = [readOf(await source.discover(undefined, context()), 't')];
    const bounds = { cuts: [positions[1]!], batchRows: 100, batchBytes: 1 << 20 };
    const reader = await source.open({ split: splits[0]!, at: positions[0]!, reads, ...bounds }, context());
    const rows: Row[] = [];
    for await (const message of reader) if (message.kind === 'batch') rows.push(...message.rows());
    expect(rows).toEqual(Array.from({ length: 13 }, (_, i) => ({ n: BigInt(i + 7), k: 5n })));
  });
});

describe('streams of tables in folders', () => {
  beforeEach(() =>
    write({
      'lake/orders/year=2023/a.csv': 'x\n1\n',
      'lake/orders/year=2024/a.csv': 'x\n2\n',
      'lake/orders/_temporary/year=2025/a.csv': 'x\n9\n',
      'lake/people/p.csv': 'y\n3\n',
      'lake/flat.csv': 'z\n4\n',
    }),
  );

  test.each([
    [{ path: 'lake' }, ['flat', 'orders']],
    [{ path: 'lake/orders' }, ['orders']],
    [{ path: 'lake/orders/year=*/*.csv' }, ['orders']],
    [{ path: 'lake/orders/year=2024/a.csv' }, ['orders']],
    [{ path: 'lake/{orders,people}/[yp]*{/*,}.csv' }, ['orders', 'p']],
    [{ path: 'lake/orders/year=*/a.csv', stream: 's' }, ['s']],
    [{ path: 'lake', streams: { o: 'orders', p: 'people' } }, ['o', 'p']],
  ])('%j', async (config, names) => {
    expect((await namesOf(config)).sort()).toEqual([...names].sort());
  });

  test('a column that the configured path names is one too, one around the place of the job is not', async () => {
    await write({ 'k=1/lake/orders/year=2024/a.csv': 'x\n2\n' });
    const inside = { ...context(), cwd: join(folder, 'k=1') };
    const { streams } = await sourceOf({ path: 'lake/orders/year=2024' }).discover(undefined, inside);
    expect(streams[0]!.schema.stream).toBe('orders');
    expect(streams[0]!.schema.fields.map(({ name }) => name)).toEqual(['x', 'year']);
  });
});

describe('other readers', () => {
  needsPythonReaders();

  test('DuckDB and Arrow see the same rows in the same folders', async () => {
    for (const [i, where] of [
      'y=2023/s=a%2Fb',
      'y=2024/s=c d',
      'y=2024/s=__HIVE_DEFAULT_PARTITION__',
    ].entries()) {
      await write({
        [`t/${where}/a.parquet`]: await parquet([types.field('n', types.int64)], [[BigInt(i)]]),
      });
    }
    const script = `
import duckdb, json, sys, pyarrow.dataset as ds
rows = duckdb.sql("select n, y, s from read_parquet('t/*/*/*.parquet', hive_partitioning=true) order by n").fetchall()
table = ds.dataset('t', partitioning='hive').to_table(columns=['n', 'y', 's']).sort_by('n').to_pylist()
print(json.dumps([rows, [list(row.values()) for row in table]]))`;
    const [duck, arrow] = JSON.parse(
      execFileSync(await pythonWithReaders(), ['-c', script], { cwd: folder }).toString(),
    ) as [unknown[][], unknown[][]];
    const { rows } = await readStream(sourceOf({ path: 't/*/*/*.parquet' }), 't');
    const ours = rows
      .map(({ n, y, s }) => [Number(n), Number(y), s])
      .sort((a, b) => Number(a[0]) - Number(b[0]));
    expect(ours).toEqual(duck);
    expect(ours).toEqual(arrow);
  });
});

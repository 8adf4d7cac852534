import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { types } from '@sluice/sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  context,
  folder,
  makeFolder,
  namesOf,
  parquet,
  readStream,
  removeFolder,
  sourceOf,
  typesOf,
  write,
} from './source-folder.js';

beforeEach(makeFolder);
afterEach(removeFolder);

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

import { utimes } from 'node:fs/promises';
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
    const three = await parquet(
      [types.field('s', { kind: 'null' }), types.field('d', types.int32), types.field('n', types.int8)],
      [[null], [-3], [4]],
    );
    await write({ 'p-0.parquet': three });
    expect(await typesOf(source, 'p')).toEqual({ s: 'string', d: 'decimal(14,4)', n: 'int64' });
    expect((await readStream(source, 'p')).rows).toEqual([
      { s: null, d: '-3.0000', n: 4n },
      { s: null, d: '1.5000', n: 1n },
      { s: 'x', d: '2.0001', n: 2n },
    ]);
    await write({ 'p-3.parquet': await parquet([types.field('n', types.string)], [['z']]) });
    await expect(typesOf(source, 'p')).rejects.toMatchObject({
      code: 'SLUICE-FILE-0004',
      class: 'contract',
      message: expect.stringMatching(/p-0\.parquet.*p-3\.parquet/),
    });
  });

  test.each(['csv', 'jsonl'])(
    '%s: a column of nulls alone takes the type that others have',
    async (ending) => {
      const line = (id: string, v: string) =>
        ending === 'csv' ? `id,v\n${id},${v}\n` : `{"v":${v === '' ? 'null' : v},"id":${id}}\n`;
      await write({ [`p-1.${ending}`]: line('1', ''), [`p-2.${ending}`]: line('2.5', '7') });
      const source = sourceOf({ path: `p-*.${ending}`, stream: 'p' });
      const { rows } = await readStream(source, 'p');
      expect(rows).toEqual([
        { id: '1.0', v: null },
        { id: '2.5', v: 7n },
      ]);
    },
  );

  test('of many files those that were changed last are looked at, so that their new columns are known', async () => {
    const old = Array.from({ length: 200 }, (_, i) => [`in/${1000 + i}.csv`, 'id\n1\n']);
    await write(Object.fromEntries(old));
    for (const [name] of old) await utimes(join(folder, name!), 1, 1);
    for (let i = 0; i < 30; i++) await write({ [`in/${1050 + i}x.csv`]: `id,new_${i}\n1,2\n` });
    const source = sourceOf({ path: 'in', stream: 's' });
    const found = Object.keys(await typesOf(source, 's')).sort();
    expect(found).toEqual(['id', ...Array.from({ length: 30 }, (_, i) => `new_${i}`)].sort());
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

import { appendFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { LocalStorage } from '@sluice/formats';
import { type Json, type Row, type Source, type Split, streamSchema, types, type Value } from '@sluice/sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DeclaredTypes } from './declared-types.js';
import { ParquetReader } from './parquet-reader.js';
import {
  context,
  folder,
  makeFolder,
  parquet,
  readOf,
  readStream,
  removeFolder,
  sourceOf,
  write,
} from './source-folder.js';

beforeEach(makeFolder);
afterEach(removeFolder);

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
    const reads = [readOf(await source.discover(undefined, context()), 'a')];
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
    const reads = [readOf(await source.discover(undefined, context()), 'a')];
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
    const stored = (await storage.stat('a.parquet'))!;
    const file = { ...stored, format: 'parquet' as const, ending: '.parquet', folders: [] };
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
      const constants = new Map();
      const request = { file, spec, schema: streamSchema('a', fields), constants, at: start, cuts: [] };
      for await (const message of reader.read({
        ...request,
        tolerant: false,
        batchRows: 64,
        batchBytes: 1 << 20,
      })) {
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
    const source = sourceOf({ path: '*.csv' });
    const { splits } = await readStream(source, 'a');
    const reads = [readOf(await source.discover(undefined, context()), 'a')];
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
    await rm(join(folder, 'a.csv'));
    await expect(open()).rejects.toMatchObject({
      code: 'SLUICE-FILE-0005',
      message: expect.stringContaining('is gone'),
    });
  });

  test.each([
    ['grows', (path: string) => appendFile(path, '9999\n')],
    ['is cut', (path: string) => truncate(path, 20)],
    ['is written anew', (path: string) => writeFile(path, 'x\n7\n')],
    ['goes', (path: string) => rm(path)],
    ['is replaced by one of its size and time', replace],
  ])(
    'a file that %s while it is read is never complete, and nothing behind its size is read',
    async (_, change) => {
      const rows = Array.from({ length: 200_000 }, (_, i) => `${i}\n`);
      await write({ 'a.csv': `x\n${rows.join('')}` });
      const source = sourceOf({ path: 'a.csv' });
      const { splits } = await planned(source);
      const reads = [readOf(await source.discover(undefined, context()), 'a')];
      const bounds = { cuts: [], batchRows: 1000, batchBytes: 10_000 };
      const reader = await source.open(
        { split: splits[0]!, at: splits[0]!.start, reads, ...bounds },
        context(),
      );
      const seen: Value[] = [];
      let sealed = false;
      const readAll = async () => {
        let isChanged = false;
        for await (const message of reader) {
          if (message.kind === 'batch') seen.push(...message.rows().map(({ x }) => x!));
          if (message.kind === 'checkpoint') sealed ||= message.sealed === true;
          if (!isChanged) await change(join(folder, 'a.csv'));
          isChanged = true;
        }
      };
      await expect(readAll()).rejects.toMatchObject({ code: 'SLUICE-FILE-0005' });
      expect(sealed).toBe(false);
      expect(seen.length).toBeLessThanOrEqual(rows.length);
      await reader.close();
    },
  );
});

/** Puts a file in the place of another, of the same size and with the same time. */
async function replace(path: string): Promise<void> {
  const { size, atime, mtime } = await stat(path);
  await writeFile(`${path}.new`, '7\n'.repeat(size).slice(0, size));
  await utimes(`${path}.new`, atime, mtime);
  await rename(`${path}.new`, path);
}

/** The splits of the only stream, unread. */
async function planned(source: Source): Promise<{ splits: Split[] }> {
  const reads = [readOf(await source.discover(undefined, context()), 'a')];
  const splits: Split[] = [];
  for await (const split of source.splits(reads, [], context())) splits.push(split);
  return { splits };
}

/** A folder that changes while incremental runs over it repeat. */
import { rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Split } from '@sluice/sdk';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  context,
  folder,
  makeFolder,
  readOf,
  readStream,
  removeFolder,
  sourceOf,
  write,
} from './source-folder.js';

beforeEach(makeFolder);
afterEach(removeFolder);

const place = (name: string) => join(folder, name);

async function run(known: readonly Split[], changed: 'fail' | 'reread') {
  const source = sourceOf({ path: 'in/*.csv', stream: 's', changed });
  const { rows, splits } = await readStream(source, 's', { mode: 'incremental', known });
  return { xs: rows.map(({ x }) => Number(x)), known: [...known, ...splits] };
}

describe('a file with the size and the time that it had when it was read', () => {
  test.each([
    ['another one that took its place', 'in/a.csv.new'],
    ['the same one, written anew', 'in/a.csv'],
  ])('%s is a changed one', async (_, written) => {
    await write({ 'in/a.csv': 'x\n1\n' });
    const { known } = await run([], 'fail');
    const { atime, mtime } = await stat(place('in/a.csv'));
    await writeFile(place(written), 'x\n2\n');
    await utimes(place(written), atime, mtime);
    if (written !== 'in/a.csv') await rename(place(written), place('in/a.csv'));
    await expect(run(known, 'fail')).rejects.toMatchObject({ code: 'SLUICE-FILE-0005' });
    const again = await run(known, 'reread');
    expect(again.xs).toEqual([2]);
    expect((await run(again.known, 'reread')).xs).toEqual([]);
  });
});

test('a file under a new name is a new file', async () => {
  await write({ 'in/a.csv': 'x\n1\n', 'in/b.csv': 'x\n2\n' });
  const { known } = await run([], 'fail');
  await rename(place('in/a.csv'), place('in/c.csv'));
  const second = await run(known, 'fail');
  expect(second.xs).toEqual([1]);
  expect((await run(second.known, 'fail')).xs).toEqual([]);
});

test('what an earlier release has read, by size and modification time alone, stays read', async () => {
  await write({ 'in/a.csv': 'x\n1\n', 'in/b.csv': 'x\n2\n' });
  const { known } = await run([], 'fail');
  const older = known.map((split): Split => {
    const spec = split.spec as { version: string; path: string; size: number };
    const version = spec.version.split('.')[0]!;
    return { ...split, id: `s/${spec.path}@${spec.size}-${version}`, spec: { ...spec, version } };
  });
  expect((await run(older, 'fail')).xs).toEqual([]);
  await utimes(place('in/a.csv'), 1, 1);
  await expect(run(older, 'fail')).rejects.toMatchObject({ details: { file: 'a.csv' } });
});

test('a file that comes while a run reads is left to the next', async () => {
  await write({ 'in/a.csv': 'x\n1\n' });
  const source = sourceOf({ path: 'in/*.csv', stream: 's' });
  const read = readOf(await source.discover(undefined, context()), 's', 'incremental');
  const known: Split[] = [];
  for await (const split of source.splits([read], [], context())) {
    known.push(split);
    await write({ 'in/b.csv': 'x\n2\n' });
  }
  expect(known.map(({ spec }) => (spec as { path: string }).path)).toEqual(['a.csv']);
  expect((await run(known, 'fail')).xs).toEqual([2]);
});

test('files added, removed, replaced, renamed and appended to: each is read once as it is, in every order', async () => {
  const names = ['a', 'b', 'c'];
  const change = fc.tuple(
    fc.constantFrom('write', 'append', 'remove', 'rename', 'touch', 'none'),
    fc.constantFrom(...names),
    fc.constantFrom(...names),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { maxLength: 3 }), { minLength: 2, maxLength: 5 }),
      async (runs) => {
        await rm(place('in'), { recursive: true, force: true });
        await write({ 'in/z.csv': 'x\n0\n' });
        let known: Split[] = [];
        let next = 1;
        // What the files hold, and which of them has changed since the last run.
        const files = new Map<string, number[]>([['z', [0]]]);
        const fresh = new Set(['z']);
        for (const changes of runs) {
          for (const [what, name, to] of changes) {
            const held = files.get(name);
            if (what === 'write') files.set(name, [next++]);
            else if (held === undefined) continue;
            else if (what === 'append') files.set(name, [...held, next++]);
            else if (what === 'remove' || (what === 'rename' && to !== name)) {
              files.delete(name);
              fresh.delete(name);
              if (what === 'remove') await rm(place(`in/${name}.csv`));
              else await rename(place(`in/${name}.csv`), place(`in/${to}.csv`));
              if (what === 'rename') files.set(to, held);
              if (what === 'rename') fresh.add(to);
              continue;
            } else if (what === 'touch') await utimes(place(`in/${name}.csv`), next, next++);
            else continue;
            fresh.add(name);
            if (what !== 'touch') await write({ [`in/${name}.csv`]: `x\n${files.get(name)!.join('\n')}\n` });
          }
          const { xs, known: now } = await run(known, 'reread');
          const wanted = [...fresh].flatMap((name) => files.get(name)!);
          expect(xs.sort((a, b) => a - b)).toEqual(wanted.sort((a, b) => a - b));
          known = now;
          fresh.clear();
        }
      },
    ),
    { numRuns: 40 },
  );
});

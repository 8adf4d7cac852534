/** The disk that forgets, judged by `node:fs` on the same folder. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Files, PowerFailure, VolatileDisk } from './volatile-disk.js';

let root: string;
let disk: VolatileDisk;
let files: Files;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-disk-'));
  disk = new VolatileDisk(root);
  files = disk.files();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (...names: string[]) => join(root, ...names);
const text = (...names: string[]) => readFileSync(at(...names), 'utf8');

async function write(path: string, content: string, synced: boolean): Promise<void> {
  const file = await files.open(path, 'w');
  await file.writeFile(content);
  if (synced) await file.sync();
  await file.close();
}

async function syncFolder(path: string): Promise<void> {
  const folder = await files.open(path, 'r');
  await folder.sync();
  await folder.close();
}

it('loses content that was not synced, and the name where its folder was not', async () => {
  await write(at('both'), 'kept', true);
  await write(at('name-only'), 'lost', false);
  await syncFolder(root);
  await write(at('content-only'), 'lost', true);
  expect(readdirSync(root).sort()).toEqual(['both', 'content-only', 'name-only']);
  await disk.crash();
  expect(readdirSync(root).sort()).toEqual(['both', 'name-only']);
  expect([text('both'), text('name-only')]).toEqual(['kept', '']);
});

it('undoes moves whose folders were not both synced, and no others', async () => {
  for (const folder of ['a', 'b']) await files.mkdir(at(folder));
  for (const name of ['one', 'two', 'three']) await write(at('a', name), name, true);
  for (const folder of [root, at('a')]) await syncFolder(folder);
  await files.rename(at('a', 'one'), at('b', 'one'));
  for (const folder of ['b', 'a']) await syncFolder(at(folder));
  await files.rename(at('a', 'two'), at('b', 'two'));
  await syncFolder(at('b'));
  await files.rename(at('a', 'three'), at('a', 'four'));
  await disk.crash();
  expect(readdirSync(at('a')).sort()).toEqual(['three', 'two']);
  expect(readdirSync(at('b'))).toEqual(['one']);
});

it('brings back what was removed without a sync, and content that was overwritten', async () => {
  await write(at('gone'), 'here', true);
  await write(at('changed'), 'old', true);
  await syncFolder(root);
  await files.rm(at('gone'));
  await write(at('changed'), 'new', false);
  expect([existsSync(at('gone')), text('changed')]).toEqual([false, 'new']);
  await disk.crash();
  expect([text('gone'), text('changed')]).toEqual(['here', 'old']);
});

it('keeps some of it by chance, the same for the same seed', async () => {
  const left: string[] = [];
  for (const seed of [1, 1, 2, 3]) {
    rmSync(root, { recursive: true });
    mkdirSync(root);
    disk = new VolatileDisk(root);
    files = disk.files();
    for (let i = 0; i < 20; i++) await write(at(`f${i}`), 'content', false);
    await disk.crash(seed);
    left.push(
      readdirSync(root)
        .map((name) => `${name}:${text(name)}`)
        .join(),
    );
  }
  expect(left[0]).toBe(left[1]);
  expect(new Set(left).size).toBe(3);
  for (const names of left.map((one) => one.split(',').length)) expect(names).toBeGreaterThan(2);
});

it('refuses every step behind the failure', async () => {
  files = disk.files(2);
  const file = await files.open(at('f'), 'w');
  await file.write(Buffer.from('x'));
  await expect(file.sync()).rejects.toThrow(PowerFailure);
  await expect(files.readdir(root)).rejects.toThrow(PowerFailure);
  await file.close();
  await disk.crash();
  expect(await disk.files().readdir(root)).toEqual([]);
});

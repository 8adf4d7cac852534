import { mkdtemp, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalStorage } from './local.js';

let root: string;
let storage: LocalStorage;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-storage-'));
  storage = new LocalStorage(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bytes = (text: string) => Buffer.from(text);

async function text(path: string, range = {}): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of storage.read(path, range)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

async function stored(path: string, content: string): Promise<void> {
  await storage.put(path, bytes(content));
}

describe('reading', () => {
  test('whole files and ranges, also across the pieces in which they are read', async () => {
    const content = Array.from({ length: 200_000 }, (_, i) => i).join(',');
    await stored('big', content);
    expect(await text('big')).toBe(content);
    expect(await text('big', { from: 262_143, to: 600_000 })).toBe(content.slice(262_143, 600_000));
    expect(await text('big', { from: content.length })).toBe('');
    expect(Buffer.from(await storage.readAt('big', 524_280, 20)).toString()).toBe(
      content.slice(524_280, 524_300),
    );
    expect((await storage.readAt('big', content.length - 3, 10)).byteLength).toBe(3);
  });

  test('a chunk stays as it is until the next one is asked for', async () => {
    const content = 'x'.repeat(1 << 18) + 'y'.repeat(1 << 18) + 'z'.repeat(1 << 18);
    await stored('big', content);
    let seen = '';
    for await (const chunk of storage.read('big')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      seen += Buffer.from(chunk).toString();
    }
    expect(seen === content).toBe(true);
  });

  test('who stops early leaves no file open', async () => {
    await stored('big', 'x'.repeat(1 << 20));
    for await (const chunk of storage.read('big')) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
    const fds = await readdir('/proc/self/fd');
    const links = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    expect(links.filter((link) => link.startsWith(root))).toEqual([]);
  });

  test('what is missing is said with its whole path', async () => {
    for (const attempt of [() => text('no/such'), () => storage.readAt('no/such', 0, 1)]) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'SLUICE-STORAGE-0001',
        message: expect.stringContaining(join(root, 'no/such')),
      });
    }
    expect(await storage.stat('no/such')).toBeUndefined();
    expect(await storage.exists('no')).toBe(false);
    expect(await storage.names('no')).toEqual([]);
  });

  test('listing goes through folders in order, and follows links', async () => {
    await stored('b/2', 'x');
    await stored('b/1', 'xy');
    await stored('a', '');
    await symlink(join(root, 'a'), join(root, 'c'));
    await symlink(join(root, 'nowhere'), join(root, 'dangling'));
    const found = [];
    for await (const { path, size } of storage.list('.')) found.push([path, size]);
    expect(found).toEqual([
      ['a', 0],
      ['b/1', 2],
      ['b/2', 1],
      ['c', 0],
    ]);
    expect(await storage.names('.')).toEqual(['a', 'b', 'c', 'dangling']);
    expect(await storage.stat('b')).toBeUndefined();
    expect(await storage.exists('b')).toBe(true);
  });

  test('a version changes with the content', async () => {
    await stored('a', 'one');
    const first = (await storage.stat('a'))!;
    await new Promise((resolve) => setTimeout(resolve, 20));
    await stored('a', 'two');
    const second = (await storage.stat('a'))!;
    expect(second.size).toBe(first.size);
    expect(second.version).not.toBe(first.version);
  });
});

describe('writing', () => {
  test('put replaces whole and leaves nothing beside', async () => {
    await stored('deep/er/a', 'one');
    await stored('deep/er/a', 'two');
    expect(await text('deep/er/a')).toBe('two');
    expect(await readdir(join(root, 'deep/er'))).toEqual(['a']);
  });

  test('put of what must be new: one of many wins, the others know', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        new LocalStorage(root).put('once', bytes(`writer ${i}`), { ifAbsent: true }),
      ),
    );
    expect(answers.filter((won) => won)).toHaveLength(1);
    expect(await text('once')).toBe(`writer ${answers.indexOf(true)}`);
    expect(await readdir(root)).toEqual(['once']);
  });

  test('a file in pieces, finished or given up', async () => {
    await storage.makeFolder('out');
    const writer = await storage.create('out/a');
    await writer.write(bytes('one,'));
    await writer.write(bytes('two'));
    expect(await writer.finish()).toBe(7);
    await writer.abort();
    expect(await text('out/a')).toBe('one,two');
    const given = await storage.create('out/b');
    await given.write(bytes('x'));
    await given.abort();
    await given.abort();
    expect(await storage.names('out')).toEqual(['a']);
  });

  test('a folder that was taken away is not made again by those who write into it', async () => {
    await expect(storage.create('gone/a')).rejects.toMatchObject({ code: 'SLUICE-STORAGE-0001' });
    await expect(storage.makeFolderIn('gone/a')).rejects.toMatchObject({ code: 'SLUICE-STORAGE-0001' });
    await storage.makeFolder('x/y/z');
    await storage.makeFolder('x/y/z');
    await storage.makeFolderIn('x/y/z');
    expect(await storage.exists('x/y/z')).toBe(true);
    await stored('file', '');
    await expect(storage.makeFolder('file/x')).rejects.toMatchObject({
      code: expect.stringMatching(/^SLUICE-STORAGE-/),
    });
  });

  test('renaming: files over files, folders never over folders that hold something', async () => {
    await stored('a', 'new');
    await stored('b', 'old');
    await storage.rename('a', 'b');
    expect(await text('b')).toBe('new');
    expect(await storage.exists('a')).toBe(false);
    await stored('from/x', '1');
    await stored('to/y', '2');
    await expect(storage.rename('from', 'to')).rejects.toMatchObject({ code: 'SLUICE-STORAGE-0003' });
    expect(await text('to/y')).toBe('2');
    await expect(storage.rename('nothing', 'c')).rejects.toMatchObject({ code: 'SLUICE-STORAGE-0001' });
    await expect(storage.rename('from', 'no/where')).rejects.toMatchObject({ code: 'SLUICE-STORAGE-0001' });
    await storage.rename('from', 'moved');
    expect(await text('moved/x')).toBe('1');
  });

  test('removing is harmless when there is nothing', async () => {
    await stored('a/b/c', 'x');
    await storage.remove('a');
    await storage.remove('a');
    await storage.remove('no/such/thing');
    expect(await storage.names('.')).toEqual([]);
  });

  test('a full disk is said to be one', async () => {
    const full = new LocalStorage('/dev');
    const writer = await full.create('full');
    await expect(writer.write(bytes('x'))).rejects.toMatchObject({
      code: 'SLUICE-STORAGE-0004',
      class: 'transient',
    });
  });
});

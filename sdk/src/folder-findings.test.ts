import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { folderFindings } from './folder-findings.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice folder's-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('tells that a folder can be written to, and how much room there is', async () => {
  const [writable, space] = await folderFindings(folder);
  expect(writable).toEqual({ level: 'ok', what: `${folder} can be written to` });
  expect(space?.what).toMatch(/^\d+\.\d GB are free on the disk of /);
});

it('looks at the nearest folder above one that is not there', async () => {
  const [writable] = await folderFindings(join(folder, 'a/b'));
  expect(writable?.what).toBe(`${folder}, in which ${join(folder, 'a/b')} will be made, can be written to`);
});

it('fails where the way is blocked by a file', async () => {
  writeFileSync(join(folder, 'file'), '');
  for (const wanted of [join(folder, 'file'), join(folder, 'file/inside')]) {
    const [finding, ...others] = await folderFindings(wanted);
    expect(finding).toMatchObject({
      level: 'fail',
      class: 'config',
      what: expect.stringContaining('is a file'),
    });
    expect(others).toEqual([]);
  }
});

/** What the documentation tells people to type is typed here, and must do what it says. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { docsBlocks, firstMissing, runDocs } from './docs-blocks.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let folder: string | undefined;
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
});

/** A folder with nothing in it, and a PATH on which `sluice` is the one of this repository. */
function place(): { folder: string; env: NodeJS.ProcessEnv } {
  folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'));
  const bin = join(folder, '.bin');
  const work = join(folder, 'work');
  mkdirSync(bin);
  mkdirSync(work);
  const shim = join(bin, 'sluice');
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'cli/bin/sluice.js')}' "$@"\n`);
  chmodSync(shim, 0o755);
  const data = join(ROOT, 'node_modules/vega-datasets/data');
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}`, NO_COLOR: '1', DATA: data };
  return { folder: work, env };
}

describe('the documentation', () => {
  it.each(['docs/tutorial.md'])('%s does what it says', (page) => {
    const blocks = docsBlocks(readFileSync(join(ROOT, page), 'utf8'));
    expect(blocks.filter(({ kind }) => kind === 'command').length).toBeGreaterThan(3);
    const { folder: work, env } = place();
    runDocs(blocks, work, env);
  });
});

describe('the reader of documentation', () => {
  const page = [
    '# Page',
    '```sh run',
    'cat greeting; echo oops >&2',
    '```',
    '```sh',
    'this is only shown',
    '```',
    '```text output',
    'hello   …',
    'oops',
    '```',
    '```sh exit=3',
    'exit 3',
    '```',
    '',
  ].join('\n');
  const file = '```text file=greeting\nhello world\n```\n';

  it('runs what is marked, writes files and compares loosely', () => {
    const { folder: work, env } = place();
    runDocs(docsBlocks(file + page), work, env);
  });

  it('fails for a command that fails, and for output that differs', () => {
    const { folder: work, env } = place();
    expect(() => runDocs(docsBlocks(page), work, env)).toThrow(/line 2: ended with 1, not 0/);
    const other = file.replace('hello', 'goodbye') + page;
    expect(() => runDocs(docsBlocks(other), work, env)).toThrow(/no line like\n {2}hello/);
  });

  it('wants lines in order', () => {
    expect(firstMissing('a\nb', 'x\na\nx\nb\n')).toBeUndefined();
    expect(firstMissing('a\nb', 'b\na\n')).toBe('b');
    expect(firstMissing('a 1.…s', 'a   1.25 s')).toBeUndefined();
  });
});

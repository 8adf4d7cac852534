/** What the documentation tells people to type is typed here, and must do what it says. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadJob, Registry } from '@sluice/core';
import { runProgram } from '@sluice/test';
import { transforms } from '@sluice/transforms';
import { describe, expect, it } from 'vitest';
import { docsBlocks, firstMissing, runDocs } from './docs-blocks.js';
import { docsPlaces } from './docs-place.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const place = docsPlaces();

describe('the documentation', () => {
  it.each([
    'docs/tutorial.md',
    'docs/state.md',
    'docs/dead-letters.md',
    'docs/memory.md',
    'docs/increments.md',
    'docs/schemas.md',
    'docs/verify.md',
  ])('%s does what it says', { timeout: 300_000 }, (page) => {
    const blocks = docsBlocks(readFileSync(join(ROOT, page), 'utf8'));
    expect(blocks.filter(({ kind }) => kind === 'command').length).toBeGreaterThan(3);
    const { folder: work, env } = place();
    runDocs(blocks, work, env);
  });

  it('begins with a quickstart that moves what it says', { timeout: 300_000 }, async () => {
    const script = join(ROOT, 'scripts/quickstart.mjs');
    const exit = await runProgram({
      command: process.execPath,
      args: [script],
      env: { NO_COLOR: '1' },
      timeoutMs: 280_000,
    });
    expect(exit.code, exit.stderr).toBe(0);
    const missing = firstMissing(
      [
        '✔ quickstart: 2,972,857 rows in …',
        'flights main.flights 3,000,000 43,093 2,956,907 exactly once complete',
        "Chicago O'Hare International IL 164,731 24.7",
        '✔ quickstart: 627 rows in …',
        '2002 627 1,196,631',
        '627 rows: only those of birdstrikes-2002.csv. …',
      ].join('\n'),
      exit.stdout,
    );
    expect(missing, exit.stdout).toBeUndefined();
  });

  it('has no link that leads nowhere', () => {
    const pages = ['README.md', 'CONTRIBUTING.md', ...markdownBelow('docs')];
    expect(pages.flatMap((page) => brokenLinks(page))).toEqual([]);
  });
});

describe('the examples', () => {
  it.each(Object.keys(transforms))('of transform %s are what it takes', (name) => {
    const page = readFileSync(join(ROOT, `docs/transforms/${name}.md`), 'utf8');
    const examples = jsonBlocks(page);
    expect(examples.length).toBeGreaterThan(0);
    for (const { use, streams: _, ...options } of examples) {
      expect(use).toBe(name);
      transforms[name]!.options.parse(options);
    }
  });

  it.each(connectorPages())('of connector %s are what it takes', async (name) => {
    const registry = new Registry({ roots: [join(ROOT, 'cli')] });
    const { config } = await registry.connector(name);
    const examples = jsonBlocks(readFileSync(join(ROOT, `docs/connectors/${name}.md`), 'utf8'));
    for (const { connector, ...keys } of examples) {
      expect(connector).toBe(name);
      config.parse(keys);
    }
  });
});

function connectorPages(): string[] {
  const names = readdirSync(join(ROOT, 'docs/connectors')).map((file) => file.replace('.md', ''));
  return names.filter((name) => name !== 'index');
}

/** The JSON of a page; what would come from the environment is some text. */
function jsonBlocks(page: string): { [key: string]: unknown }[] {
  const blocks = [...page.matchAll(/^```json\n([\s\S]*?)^```/gm)].map((match) => match[1]!);
  return blocks.map((text) =>
    JSON.parse(text.replace(/\$\{env:\w+\}/g, 'postgres://localhost/from-the-environment')),
  );
}

describe('README.md', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

  it('shows a job that is valid', async () => {
    const [block] = docsBlocks(readme).filter(({ kind }) => kind === 'file');
    const { folder: work } = place();
    writeFileSync(join(work, 'shop.json'), block!.text);
    const job = await loadJob(join(work, 'shop.json'), {
      env: { SHOP_URL: 'postgres://localhost/shop', MASK_KEY: 'k' },
    });
    expect(job.flows[0]?.transforms.map(({ use }) => use)).toEqual(['filter', 'mask']);
  });

  it('shows a connector in under 30 lines that compiles, reads and goes on where it stopped', async () => {
    const [, source = ''] = /^```ts connector\n([\s\S]*?)^```/m.exec(readme) ?? [];
    expect(source.trimEnd().split('\n').length).toBeLessThan(30);
    const { folder: work, env } = place();
    compile(work, source);
    const server = await startHelpDesk();
    try {
      const job = {
        name: 'tickets',
        source: { connector: './helpdesk.js', url: server.url, token: 'let-me-in' },
        mode: 'incremental',
        sink: { connector: 'file', path: 'out', format: 'jsonl' },
      };
      writeFileSync(join(work, 'job.json'), JSON.stringify(job));
      const sluice = (...args: string[]) =>
        runProgram({
          command: process.execPath,
          args: [join(ROOT, 'cli/bin/sluice.js'), ...args],
          cwd: work,
          env,
        });
      const first = await sluice('run', 'job.json');
      expect(first.code, first.stderr).toBe(0);
      expect(JSON.parse(first.stdout)).toMatchObject({ status: 'succeeded', rows: 5 });
      server.open(6);
      const second = await sluice('run', 'job.json');
      expect(JSON.parse(second.stdout), second.stderr).toMatchObject({ status: 'succeeded', rows: 1 });
      const shown = await sluice('preview', 'job.json', '--json');
      expect(shown.stdout.split('\n')[1]).toBe('{"id":2,"subject":"ticket 2","closed":false,"price":"2.50"}');
      const wrong = { ...job, source: { ...job.source, token: 'wrong' } };
      writeFileSync(join(work, 'job.json'), JSON.stringify(wrong));
      expect((await sluice('preview', 'job.json')).stderr).toContain('the help desk answered 401');
    } finally {
      await server.close();
    }
  });

  it('shows types that refuse a row of another shape', () => {
    const [, source = ''] = /^```ts connector\n([\s\S]*?)^```/m.exec(readme) ?? [];
    const { folder: work } = place();
    expect(() => compile(work, source.replace('id: BigInt(ticket.id)', 'id: ticket.id'))).toThrow(/bigint/);
  });
});

/** Compiles the connector as its author would, strictly. */
function compile(folder: string, source: string): void {
  mkdirSync(join(folder, 'node_modules/@sluice'), { recursive: true });
  symlinkSync(join(ROOT, 'sdk'), join(folder, 'node_modules/@sluice/sdk'));
  symlinkSync(join(ROOT, 'sdk/node_modules/zod'), join(folder, 'node_modules/zod'));
  symlinkSync(join(ROOT, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'helpdesk.ts'), source);
  const options = [
    '--strict',
    '--target',
    'es2023',
    '--module',
    'nodenext',
    '--types',
    'node',
    '--skipLibCheck',
  ];
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, 'helpdesk.ts'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stdout);
}

/** A help desk with numbered tickets, two to a page. */
async function startHelpDesk() {
  let tickets = 5;
  const server = createServer((request, response) => {
    const after = Number(new URL(request.url!, 'http://localhost').searchParams.get('after'));
    if (request.headers.authorization !== 'Bearer let-me-in') return void response.writeHead(401).end();
    const ids = [after + 1, after + 2].filter((id) => id <= tickets);
    const page = ids.map((id) => ({
      id,
      subject: `ticket ${id}`,
      closed: id % 2 === 1,
      price: id === 2 ? '2.50' : null,
    }));
    return void response.end(JSON.stringify(page));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    open: (count: number) => {
      tickets = count;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

function markdownBelow(directory: string): string[] {
  const names = readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.md')).map((name) => join(directory, name));
}

/** Relative links whose file is not there, or whose anchor no heading makes. */
function brokenLinks(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor);
    })
    .map((link) => `${page}: ${link}`);
}

function anchorsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map((match) => match[1]!);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

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

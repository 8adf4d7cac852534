import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isSluiceError, type SluiceError } from '@sluice/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionAt } from './location.js';
import type { InstalledConnector } from './package-metadata.js';
import { Registry } from './registry.js';

let top: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-registry-')));
});
afterEach(() => rmSync(top, { recursive: true }));

function write(path: string, content: string | object): void {
  mkdirSync(dirname(join(top, path)), { recursive: true });
  writeFileSync(join(top, path), typeof content === 'string' ? content : JSON.stringify(content));
}
/** A module that exports a connector, and says that it was loaded. */
function module(name: string): string {
  return `globalThis.loadedConnectors = [...(globalThis.loadedConnectors ?? []), '${name}'];
    export default { name: '${name}', title: '', config: { safeParse: (x) => x }, source: { create() {} } };`;
}
/** Installs a package that is a connector. */
function install(where: string, packageName: string, sluice: object | undefined, more: object = {}): void {
  const folder = join(where, 'node_modules', packageName);
  const manifest = {
    name: packageName,
    version: '1.2.3',
    type: 'module',
    exports: { '.': { types: './x.d.ts', default: './main.js' } },
  };
  write(join(folder, 'package.json'), { ...manifest, ...(sluice && { sluice }), ...more });
  write(join(folder, 'main.js'), module(packageName));
}
function registry(...roots: string[]): Registry {
  return new Registry({ roots: roots.map((root) => join(top, root)) });
}
function loadedSince(mark: number): string[] {
  return (globalThis as { loadedConnectors?: string[] }).loadedConnectors?.slice(mark) ?? [];
}
async function failure(loading: Promise<unknown>): Promise<SluiceError> {
  try {
    await loading;
  } catch (error) {
    if (isSluiceError(error)) return error;
    throw error;
  }
  throw new Error('found');
}

describe('connectors are found', () => {
  it('by the name of one of ours, in the job folder before the command line', async () => {
    install('job', '@sluice/connector-alpha', { connector: 'alpha' });
    install('cli', '@sluice/connector-alpha', { connector: 'alpha' });
    install('cli', '@sluice/connector-beta', { connector: 'beta' });
    write('cli/node_modules/@sluice/connector-alpha/main.js', module('alpha of the command line'));
    mkdirSync(join(top, 'job/deep/er'), { recursive: true });
    const found = registry('job/deep/er', 'cli/dist');
    const mark = loadedSince(0).length;
    expect((await found.connector('alpha')).name).toBe('@sluice/connector-alpha');
    expect(loadedSince(mark), 'one connector is loaded and no other').toEqual(['@sluice/connector-alpha']);
    expect((await found.connector('beta')).name).toBe('@sluice/connector-beta');
    expect(found.connector('beta')).toBe(found.connector('beta'));
  });

  it('by the name of a package, or the name that it gives itself', async () => {
    write('job/package.json', {
      dependencies: { '@acme/sluice-ledgers': '1', 'sluice-connector-x': '1', plain: '1' },
    });
    install('job', '@acme/sluice-ledgers', { connector: 'ledgers' });
    install('job', 'sluice-connector-x', { connector: 'x' });
    install('job', '@acme/undeclared', undefined);
    for (const name of ['@acme/sluice-ledgers', 'ledgers']) {
      expect((await registry('job').connector(name)).name).toBe('@acme/sluice-ledgers');
    }
    expect((await registry('job').connector('sluice-connector-x')).name).toBe('sluice-connector-x');
    expect((await registry('job').connector('@acme/undeclared')).name).toBe('@acme/undeclared');
  });

  it('by a path from the folder of the job', async () => {
    write('job/mine.mjs', module('mine'));
    write('job/packaged/package.json', { name: 'p', type: 'module', main: './lib/entry.js' });
    write('job/packaged/lib/entry.js', module('packaged'));
    write('job/bare/package.json', { type: 'module' });
    write('job/bare/index.js', module('bare'));
    write('cwd/elsewhere.mjs', module('elsewhere'));
    const found = registry('job', 'cwd');
    expect((await found.connector('./mine.mjs')).name).toBe('mine');
    expect((await found.connector('./packaged')).name).toBe('packaged');
    expect((await found.connector('./bare')).name).toBe('bare');
    expect((await found.connector(join(top, 'cwd/elsewhere.mjs'))).name).toBe('elsewhere');
    const missing = await failure(found.connector('./elsewhere.mjs'));
    expect(missing).toMatchObject({
      code: 'SLUICE-CORE-0004',
      message: `there is no connector at ${top}/job/elsewhere.mjs`,
    });
    write('job/unbuilt/package.json', { type: 'module', exports: './dist/index.js' });
    expect((await failure(found.connector('./unbuilt'))).message).toContain(
      'job/unbuilt/dist/index.js is missing',
    );
  });

  it('through links, as pnpm makes them, with the packages beside the real folder', async () => {
    write('store/@sluice/connector-alpha/package.json', {
      name: '@sluice/connector-alpha',
      type: 'module',
      exports: { import: './main.js' },
    });
    write(
      'store/@sluice/connector-alpha/main.js',
      `import name from 'driver'; export default { name, title: '', config: { safeParse() {} }, sink: { create() {} } };`,
    );
    write('store/node_modules/driver/package.json', { name: 'driver', type: 'module', main: 'index.js' });
    write('store/node_modules/driver/index.js', `export default 'driven';`);
    mkdirSync(join(top, 'job/node_modules/@sluice'), { recursive: true });
    symlinkSync(
      join(top, 'store/@sluice/connector-alpha'),
      join(top, 'job/node_modules/@sluice/connector-alpha'),
    );
    expect((await registry('job').connector('alpha')).name).toBe('driven');
  });

  it('by the conditions of an exports map, in its order', async () => {
    const exports = {
      '.': { browser: './no.js', require: './no.cjs', node: { import: ['./main.js'] }, default: './no.js' },
    };
    install('job', '@sluice/connector-alpha', undefined, { exports });
    expect((await registry('job').connector('alpha')).name).toBe('@sluice/connector-alpha');
  });
});

describe('what is not there', () => {
  it('comes with the command that installs it', async () => {
    mkdirSync(join(top, 'job'));
    const error = await failure(registry('job').connector('alpha'));
    expect(error).toMatchObject({
      code: 'SLUICE-CORE-0004',
      message: 'connector "alpha" is not installed',
      help: 'Install it: npm install @sluice/connector-alpha',
    });
    write('pnpm-lock.yaml', '');
    expect((await failure(registry('job').connector('@acme/x'))).help).toBe('Install it: pnpm add @acme/x');
    expect((await failure(registry('job').connector('sluice-connector-x'))).help).toBe(
      'Install it: pnpm add sluice-connector-x',
    );
  });

  it('comes with the name that was meant', async () => {
    install('job', '@sluice/connector-alpha', { connector: 'alpha' });
    const error = await failure(registry('job').connector('alhpa'));
    expect(error.message).toBe('connector "alhpa" is not installed; did you mean "alpha"?');
    expect(error.help).toContain('npm install @sluice/connector-alhpa');
  });

  it('is not mistaken for a driver of the same name', async () => {
    install('job', 'pg', undefined);
    const mark = loadedSince(0).length;
    expect((await failure(registry('job').connector('pg'))).help).toContain('@sluice/connector-pg');
    expect(loadedSince(mark)).toEqual([]);
  });
});

describe('a package that is no connector', () => {
  const exported: { readonly [what: string]: [code: string, message: string] } = {
    'exports nothing': ['export const x = 1;', 'is missing, or no connector'],
    'has no name': ['export default {};', 'has no name'],
    'has no config': [`export default { name: 'x' };`, 'has no zod schema as its `config`'],
    'does nothing': [
      `export default { name: 'x', config: { safeParse() {} } };`,
      'has neither a source nor a sink',
    ],
    'has half a source': [
      `export default { name: 'x', config: { safeParse() {} }, source: {} };`,
      'without `create`',
    ],
    fails: [`throw new TypeError('boom');`, 'could not be loaded: boom'],
    'lacks a package': [`import 'not-there';`, "Cannot find package 'not-there'"],
  };
  for (const [what, [code, message]] of Object.entries(exported)) {
    it(`because it ${what}`, async () => {
      write('job/mine.mjs', code);
      const error = await failure(registry('job').connector('./mine.mjs'));
      expect(error.code).toBe('SLUICE-CORE-0005');
      expect(error.message).toContain(message);
      expect(error.message).toContain('mine.mjs');
    });
  }
});

describe('the list', () => {
  it('holds what is installed, without loading it', () => {
    install(
      'job',
      '@sluice/connector-beta',
      { connector: 'beta', urls: { Beta: 'url', bad: 1 }, files: { '.B': 'path' } },
      { description: 'the second' },
    );
    install('cli', '@sluice/connector-alpha', { connector: 'alpha', stdio: 'source' });
    install('cli', '@sluice/connector-beta', { connector: 'beta' }, { version: '9.9.9' });
    install('cli', '@sluice/connector-none', undefined);
    install('job', '@acme/x', { connector: 'x', urls: 'nonsense', stdio: 'both' });
    install('job', '@acme/unlisted', { connector: 'unlisted' });
    write('job/package.json', { dependencies: { '@acme/x': '1', '@acme/gone': '1' } });
    write('job/node_modules/@sluice/connector-broken/package.json', '{');
    const mark = loadedSince(0).length;
    expect(registry('job/sub', 'cli').list()).toEqual([
      {
        connector: 'alpha',
        stdio: 'source',
        package: '@sluice/connector-alpha',
        version: '1.2.3',
        description: '',
        folder: join(top, 'cli/node_modules/@sluice/connector-alpha'),
      },
      {
        connector: 'beta',
        urls: { beta: 'url' },
        files: { '.b': 'path' },
        package: '@sluice/connector-beta',
        version: '1.2.3',
        description: 'the second',
        folder: join(top, 'job/node_modules/@sluice/connector-beta'),
      },
      {
        connector: 'x',
        package: '@acme/x',
        version: '1.2.3',
        description: '',
        folder: join(top, 'job/node_modules/@acme/x'),
      },
    ]);
    expect(loadedSince(mark)).toEqual([]);
  });
});

describe('a location means', () => {
  const base = { version: '1', description: '', folder: '/' };
  const installed: InstalledConnector[] = [
    { ...base, package: 'p1', connector: 'db', urls: { db: 'url', dbs: 'url' } },
    {
      ...base,
      package: 'p2',
      connector: 'files',
      urls: { file: 'path' },
      files: { '.csv': 'path', '.csv.gz': 'path', '.gz': 'path' },
    },
    { ...base, package: 'p3', connector: 'zip', files: { '.gz': 'archive', '.duck': 'path' } },
    { ...base, package: 'p4', connector: 'in', stdio: 'source' },
    { ...base, package: 'p5', connector: 'out', stdio: 'sink' },
    { ...base, package: 'p6', connector: 'nothing' },
  ];
  const at = (location: string, side: 'source' | 'sink' = 'source') =>
    connectionAt(location, side, installed, top);
  const refusal = (location: string, side?: 'source' | 'sink') => {
    try {
      at(location, side);
    } catch (error) {
      if (isSluiceError(error) && error.code === 'SLUICE-CORE-0013') return `${error.message} ${error.help}`;
      throw error;
    }
    throw new Error('found');
  };

  it('a system by the scheme of its URL', () => {
    expect(at('db://u:p@h/x?y=z')).toEqual({ connector: 'db', url: 'db://u:p@h/x?y=z' });
    expect(at('DBS://h')).toEqual({ connector: 'db', url: 'DBS://h' });
    expect(at('nothing:')).toEqual({ connector: 'nothing' });
  });

  it('files by the longest ending', () => {
    expect(at('data/2024/*.CSV.gz')).toEqual({ connector: 'files', path: 'data/2024/*.CSV.gz' });
    expect(at('a.csv')).toEqual({ connector: 'files', path: 'a.csv' });
    expect(at('lake.duck')).toEqual({ connector: 'zip', path: 'lake.duck' });
    expect(at('a:b.csv')).toEqual({ connector: 'files', path: 'a:b.csv' });
    expect(at('C:\\data\\a.csv')).toEqual({ connector: 'files', path: 'C:\\data\\a.csv' });
    expect(at('file:///data/a%20b.csv')).toEqual({ connector: 'files', path: '/data/a b.csv' });
    expect(at('file:///data/lake.duck')).toEqual({ connector: 'zip', path: '/data/lake.duck' });
  });

  it('a set of files by a folder', () => {
    mkdirSync(join(top, 'folder'));
    expect(at('folder')).toEqual({ connector: 'files', path: 'folder' });
    expect(at('not/yet/')).toEqual({ connector: 'files', path: 'not/yet/' });
    expect(at('file:///data/')).toEqual({ connector: 'files', path: '/data/' });
  });

  it('standard input or output by a dash, and a connector by its name', () => {
    expect(at('-', 'source')).toEqual({ connector: 'in' });
    expect(at('-', 'sink')).toEqual({ connector: 'out' });
    expect(at('nothing')).toEqual({ connector: 'nothing' });
    expect(() => connectionAt('-', 'sink', [], top)).toThrow('no installed connector writes standard output');
  });

  it('nothing when nobody knows it, without a word of what a URL holds', () => {
    expect(refusal('notes.xyz')).toContain('notes.xyz');
    expect(refusal('notes.xyz')).toContain('.csv, .csv.gz');
    expect(refusal('dbz://u:hunter22@h')).toMatch(
      /no installed connector takes dbz: URLs; did you mean dbs?:\?/,
    );
    expect(refusal('mystery://u:hunter22@h')).not.toContain('hunter22');
    expect(refusal('file://otherhost/a.csv')).toContain('file: URL');
  });
});

// Each rule of arrows.mjs is broken once in a small repository, and the check must say so.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkArrows } from './check-arrows.mjs';

const folders = {
  sdk: { name: '@sluice/sdk', dependencies: ['zod'], references: [] },
  formats: { name: '@sluice/formats', dependencies: ['@sluice/sdk'], references: ['../sdk'] },
  core: { name: '@sluice/core', dependencies: ['@sluice/sdk', 'libsql'], references: ['../sdk'] },
  transforms: { name: '@sluice/transforms', dependencies: ['@sluice/sdk'], references: ['../sdk'] },
  'connectors/postgres': {
    name: '@sluice/connector-postgres',
    dependencies: ['@sluice/sdk', '@sluice/formats', 'pg'],
    references: ['../../sdk', '../../formats'],
  },
  'connectors/duckdb': {
    name: '@sluice/connector-duckdb',
    dependencies: ['@sluice/sdk'],
    references: ['../../sdk'],
  },
  test: { name: '@sluice/test', dependencies: ['@sluice/sdk', 'vitest'], references: ['../sdk'] },
  cli: { name: 'sluice', dependencies: ['@sluice/core', '@sluice/sdk'], references: ['../core', '../sdk'] },
  'test/e2e': { name: '@sluice/test-e2e', dependencies: ['sluice', 'pg'], references: ['../../cli'] },
};

let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-arrows-'));
  write(
    'pnpm-workspace.yaml',
    "packages:\n  - sdk\n  - formats\n  - core\n  - transforms\n  - 'connectors/*'\n",
  );
  append('pnpm-workspace.yaml', '  - cli\n  - test\n  - test/e2e\n\ncatalog:\n  zod: 1.0.0\n');
  write('tsconfig.json', JSON.stringify({ references: Object.keys(folders).map((path) => ({ path })) }));
  for (const [folder, { name, dependencies, references }] of Object.entries(folders)) {
    manifest(folder, { name, dependencies: versions(dependencies) });
    write(`${folder}/tsconfig.json`, JSON.stringify({ references: references.map((path) => ({ path })) }));
  }
  write('sdk/src/index.ts', "import { z } from 'zod';\nexport const schema = z.string();\n");
  write(
    'core/src/index.ts',
    "import Database from 'libsql';\nexport * from '@sluice/sdk';\nexport { Database };\n",
  );
  write(
    'core/src/registry.ts',
    'export const find = (name: string) => import(`@sluice/connector-${name}`);\n',
  );
  write(
    'connectors/postgres/src/index.ts',
    "import pg from 'pg';\nimport '@sluice/formats';\nexport { pg };\n",
  );
  write('transforms/src/mask.test.ts', "import { it } from 'vitest';\nimport { mask } from './mask.js';\n");
  write('test/e2e/src/copy.test.ts', "import pg from 'pg';\nimport 'sluice';\n");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function append(path, text) {
  writeFileSync(join(root, path), text, { flag: 'a' });
}

function manifest(folder, content) {
  write(`${folder}/package.json`, JSON.stringify(content));
}

function versions(names) {
  return Object.fromEntries(names.map((name) => [name, '*']));
}

describe('a repository that keeps the rules', () => {
  it('has no problem', () => {
    expect(checkArrows(root)).toEqual([]);
  });

  it('may use the conformance kit in the tests of a connector', () => {
    const references = ['../../sdk', '../../test'].map((path) => ({ path }));
    write('connectors/duckdb/tsconfig.json', JSON.stringify({ references }));
    manifest('connectors/duckdb', {
      name: '@sluice/connector-duckdb',
      dependencies: versions(['@sluice/sdk']),
      devDependencies: versions(['@sluice/test', '@types/node']),
    });
    write('connectors/duckdb/src/kit.test.ts', "import '@sluice/test';\nimport { it } from 'vitest';\n");
    expect(checkArrows(root)).toEqual([]);
  });
});

describe('an import against an arrow', () => {
  const cases = [
    ['core', 'transforms', "import { mask } from '@sluice/transforms';"],
    ['core', 'a connector, by a dynamic import', "await import('@sluice/connector-postgres');"],
    ['core', 'formats, by a type import', "type A = import('@sluice/formats').A;"],
    ['core', 'the command line, by a re-export', "export * from 'sluice';"],
    ['sdk', 'core', "import type { Run } from '@sluice/core';"],
    ['formats', 'core', "import '@sluice/core';"],
    ['transforms', 'formats', "import '@sluice/formats';"],
    ['connectors/postgres', 'core', "import '@sluice/core';"],
    ['connectors/postgres', 'transforms', "import '@sluice/transforms';"],
    ['connectors/postgres', 'another connector', "import '@sluice/connector-duckdb';"],
    ['connectors/postgres', 'the kit outside a test', "import '@sluice/test';"],
    ['test', 'core', "require('@sluice/core');"],
    ['cli', 'a private package', "import '@sluice/test-e2e';"],
    ['connectors/postgres', 'core by a sub-path', "import '@sluice/core/ledger';"],
    ['core', 'a connector, by resolving it', "import.meta.resolve('@sluice/connector-duckdb');"],
  ];
  it.each(cases)('%s -> %s', (folder, _what, code) => {
    write(`${folder}/src/wrong.ts`, `\n${code}\n`);
    const problems = checkArrows(root);
    expect(problems[0]).toMatch(new RegExp(`^${folder}/src/wrong\\.ts:2: ${folder} may not depend on `));
  });

  it('is caught in a test as well', () => {
    write('core/src/wrong.test.ts', "import '@sluice/connector-postgres';\n");
    expect(checkArrows(root)).toEqual([
      expect.stringContaining('core may not depend on @sluice/connector-postgres'),
    ]);
  });

  it('does not get round the rule by a relative path', () => {
    write('connectors/postgres/src/wrong.ts', "import '../../duckdb/src/index.js';\n");
    expect(checkArrows(root)).toEqual([expect.stringContaining('leaves the package connectors/postgres')]);
    write('connectors/postgres/src/wrong.ts', '');
    write('test/src/wrong.ts', "import '../e2e/src/helper.js';\n");
    expect(checkArrows(root)).toEqual([expect.stringContaining('leaves the package test;')]);
  });

  it('keeps the kit out of the tests of the sdk, on which it rests', () => {
    write('sdk/src/wrong.test.ts', "import '@sluice/test';\n");
    expect(checkArrows(root)).toEqual([expect.stringContaining('sdk may not depend on @sluice/test')]);
  });
});

describe('a package from elsewhere', () => {
  it('is zod and nothing else in the sdk', () => {
    write('sdk/src/wrong.ts', "import pino from 'pino';\n");
    expect(checkArrows(root)).toEqual(['sdk/src/wrong.ts:1: sdk may depend on zod only, not on pino']);
  });

  it.each([
    ['pg', 'core', 'connectors/postgres'],
    ['pg-cursor', 'connectors/duckdb', 'connectors/postgres'],
    ['@duckdb/node-api', 'transforms', 'connectors/duckdb'],
    ['libsql', 'formats', 'core or connectors/sqlite'],
    ['mysql2/promise', 'test', 'connectors/mysql or connectors/mariadb'],
  ])('%s is a driver that %s may not have', (driver, folder, owner) => {
    write(`${folder}/src/wrong.ts`, `import '${driver}';\n`);
    expect(checkArrows(root)).toEqual([
      expect.stringContaining(`belongs in ${owner} alone, not in ${folder}`),
    ]);
  });

  it('must be declared by the package that imports it', () => {
    write('core/src/wrong.ts', "import pino from 'pino';\n");
    expect(checkArrows(root)).toEqual([
      'core/src/wrong.ts:1: pino is imported but not declared in core/package.json',
    ]);
  });

  it('must be a dependency proper outside tests', () => {
    manifest('transforms', {
      name: '@sluice/transforms',
      dependencies: versions(['@sluice/sdk']),
      devDependencies: versions(['yaml']),
    });
    write('transforms/src/wrong.ts', "import 'yaml';\n");
    write('transforms/src/right.test.ts', "import 'yaml';\n");
    expect(checkArrows(root)).toEqual([
      expect.stringContaining('transforms/src/wrong.ts:1: yaml is imported'),
    ]);
  });
});

describe('package.json and tsconfig.json', () => {
  it('may not declare what may not be imported', () => {
    manifest('core', {
      name: '@sluice/core',
      dependencies: versions(['@sluice/sdk', 'libsql', '@sluice/formats']),
    });
    expect(checkArrows(root)).toEqual([
      'core/package.json: core may not depend on @sluice/formats (it may use: sdk)',
    ]);
  });

  it('may not declare a foreign driver, not even for development', () => {
    manifest('formats', {
      name: '@sluice/formats',
      dependencies: versions(['@sluice/sdk']),
      devDependencies: versions(['@duckdb/node-api']),
    });
    expect(checkArrows(root)).toEqual([
      expect.stringMatching(/^formats\/package.json: @duckdb\/node-api is a driver/),
    ]);
  });

  it('may not give the sdk a second dependency', () => {
    manifest('sdk', { name: '@sluice/sdk', dependencies: versions(['zod', 'yaml']) });
    expect(checkArrows(root)).toEqual(['sdk/package.json: sdk may depend on zod only, not on yaml']);
  });

  it('may not refer to what may not be imported', () => {
    write(
      'transforms/tsconfig.json',
      JSON.stringify({ references: [{ path: '../sdk' }, { path: '../core' }] }),
    );
    expect(checkArrows(root)).toEqual(['transforms/tsconfig.json: transforms may not refer to core']);
  });

  it('must refer to what is imported', () => {
    write('connectors/postgres/tsconfig.json', JSON.stringify({ references: [{ path: '../../sdk' }] }));
    expect(checkArrows(root)).toEqual([
      expect.stringContaining('connectors/postgres/tsconfig.json does not refer to formats'),
    ]);
  });

  it('must carry the name that belongs to the folder', () => {
    manifest('connectors/duckdb', { name: '@other/duckdb', dependencies: versions(['@sluice/sdk']) });
    expect(checkArrows(root)).toEqual([
      'connectors/duckdb/package.json: the name must be @sluice/connector-*, not @other/duckdb',
    ]);
  });

  it('must be part of the whole build', () => {
    write(
      'tsconfig.json',
      JSON.stringify({
        references: Object.keys(folders)
          .slice(1)
          .map((path) => ({ path })),
      }),
    );
    expect(checkArrows(root)).toEqual([expect.stringContaining('does not refer to sdk')]);
  });
});

describe('the table', () => {
  it('has a row for every package of the workspace', () => {
    write('pnpm-workspace.yaml', 'packages:\n  - sdk\n  - extras\n');
    manifest('extras', { name: '@sluice/extras' });
    expect(checkArrows(root)).toContainEqual(expect.stringMatching(/^extras: has no row/));
  });
});

describe('core', () => {
  it.each([
    ['a string', "export const known = '@sluice/connector-postgres';"],
    ['a template', 'export const known = (x: string) => `@sluice/connector-pg${x}`;'],
    ['a list', "export const known = ['see @sluice/connector-stdin for that'];"],
  ])('names no connector in %s', (_what, code) => {
    write('core/src/wrong.ts', `${code}\n`);
    expect(checkArrows(root)).toEqual([
      expect.stringMatching(/^core\/src\/wrong\.ts:1: core names a connector/),
    ]);
  });

  it('may hold the prefix alone', () => {
    write('core/src/prefix.ts', "export const prefix = '@sluice/connector-';\n");
    expect(checkArrows(root)).toEqual([]);
  });
});

/** What goes wrong: every kind has its exit code, and the person gets code, place, reason and what to do. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lines, resultOf, Workspace } from './cli-workspace.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SDK = join(ROOT, 'sdk/dist/index.js');
const ZOD = join(ROOT, 'sdk/node_modules/zod/index.js');

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

const toBlackhole = { name: 'job', sink: { connector: 'blackhole' } };

describe('the command line', () => {
  it.each([
    [['rnu', 'job.json'], 'did you mean run?'],
    [['run', 'job.json', '--qiet'], 'did you mean --quiet?'],
    [['run'], '`sluice run` needs <job>'],
    [['copy', 'a', 'b', '--mode', 'ful'], 'did you mean full?'],
    [['state'], '`sluice state show`'],
    [['run', 'job.json', '--memory', 'lots'], '--memory needs a size'],
  ])('%j is refused with 2 and a hint', async (args, hint) => {
    place.job('job.json', { ...toBlackhole, source: { connector: 'generate' } });
    const exit = await place.sluice(args);
    expect(exit.code).toBe(2);
    expect(exit.stdout).toBe('');
    expect(exit.stderr).toContain('SLUICE-CLI-0001');
    expect(exit.stderr.replace(/\s+/g, ' ')).toContain(hint);
  });

  it('has help for every command, with examples', async () => {
    const { stdout } = await place.sluice(['--help']);
    for (const name of [
      'init',
      'run',
      'copy',
      'plan',
      'check',
      'discover',
      'preview',
      'state show',
      'connectors list',
      'connectors show',
      'doctor',
      'completion',
      'schema',
    ]) {
      expect(stdout).toContain(`\n  ${name}`);
      const exit = await place.sluice([...name.split(' '), '--help']);
      expect(exit).toMatchObject({ code: 0, stderr: '' });
      expect(exit.stdout).toMatch(/Usage[\s\S]*For every command[\s\S]*Examples\n {2}# .*\n {2}sluice /);
    }
  });

  it('tells its version', async () => {
    const exit = await place.sluice(['--version']);
    expect(exit).toMatchObject({ code: 0, stderr: '' });
    expect(exit.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a job that is wrong', () => {
  const cases: [string, { [key: string]: unknown }, number, string[]][] = [
    [
      'a misspelt key',
      { ...toBlackhole, sorce: { connector: 'generate' } },
      2,
      ['job.json:', 'did you mean "source"?'],
    ],
    [
      'a misspelt key of a connection',
      { ...toBlackhole, source: { connector: 'generate', rwos: 1 } },
      2,
      ['SLUICE-SDK-0003', 'did you mean "rows"?'],
    ],
    [
      'a connector that is not installed',
      { ...toBlackhole, source: { connector: 'nonesuch' } },
      2,
      ['SLUICE-CORE-0004', 'npm install @sluice/connector-nonesuch'],
    ],
    [
      'a file that is not there',
      { ...toBlackhole, source: { connector: 'file', path: 'gone.csv' } },
      2,
      ['SLUICE-FILE-0001'],
    ],
    [
      'a stream that is not there',
      { ...toBlackhole, source: { connector: 'generate' }, streams: ['rosw'] },
      2,
      ['SLUICE-CORE-0007', 'did you mean "rows"?'],
    ],
    [
      'a write mode that the sink has not',
      { ...toBlackhole, source: { connector: 'generate' }, write: 'mirror' },
      2,
      ['SLUICE-CORE-0008'],
    ],
    [
      'a guarantee that would not hold',
      { ...toBlackhole, source: { connector: 'generate' }, delivery: { require: 'exactly-once' } },
      2,
      ['SLUICE-CORE-0009'],
    ],
    [
      'a variable that is not set',
      { ...toBlackhole, source: { connector: 'generate', rows: '${env:NOT_SET_ANYWHERE}' } },
      2,
      ['SLUICE-CORE-0003', 'NOT_SET_ANYWHERE'],
    ],
  ];

  it.each(cases)('by %s', async (_what, job, code, words) => {
    place.job('job.json', job);
    const exit = await place.sluice(['run', 'job.json']);
    expect(exit.code, exit.stderr).toBe(code);
    const text = exit.stderr.replace(/\s+/g, ' ');
    for (const word of words) expect(text).toContain(word);
    expect(text).toMatch(/error SLUICE-\S+ what .* do .* more docs\/errors\/index\.md#sluice-/);
    expect(exit.stderr).not.toMatch(/\n\s+at /);
  });

  it('is told as data with --json', async () => {
    place.job('job.json', { ...toBlackhole, source: { connector: 'generate' }, streams: ['rosw'] });
    const exit = await place.sluice(['run', 'job.json', '--json']);
    expect(exit.code).toBe(2);
    expect(resultOf(exit.stdout)).toMatchObject({ status: 'failed', error: { code: 'SLUICE-CORE-0007' } });
    expect(JSON.parse(lines(exit.stderr).at(-1)!)).toMatchObject({
      level: 'error',
      code: 'SLUICE-CORE-0007',
      class: 'config',
      docs: 'docs/errors/index.md#sluice-core-0007',
    });
  });

  it('has a stack only with --debug', async () => {
    place.job('job.json', { ...toBlackhole, source: { connector: 'generate' }, streams: ['rosw'] });
    expect((await place.sluice(['run', 'job.json', '--debug'])).stderr).toMatch(/\n\s+at /);
  });
});

describe('data that is wrong', () => {
  it('ends with 5 and names file and line', async () => {
    const broken = Array.from({ length: 2000 }, (_, i) => (i === 1500 ? 'x,"y' : `${i},n${i}`));
    place.write('in.csv', `id,name\n${broken.join('\n')}\n`);
    place.job('job.json', {
      ...toBlackhole,
      source: { connector: 'file', path: 'in.csv', sample: { rows: 100 } },
    });
    const exit = await place.sluice(['run', 'job.json']);
    expect(exit.code, exit.stderr).toBe(5);
    expect(exit.stderr).toMatch(/error SLUICE-CSV-\d{4}/);
    expect(exit.stderr).toMatch(/in\.csv.*line 1502/);
  });
});

describe('a connector that fails in the middle of a run', () => {
  it('ends with 1; the person gets the causes and the stack, to report them', async () => {
    place.write(
      'broken.mjs',
      `import { defineSource, t } from ${JSON.stringify(SDK)};
import { z } from ${JSON.stringify(ZOD)};
export default defineSource({ name: 'broken', title: 'Broken', config: z.strictObject({}),
  streams: { rows: { columns: { n: t.int32 }, async *read() {
    yield { rows: [{ n: 1 }], next: 1 };
    throw new Error('the answer makes no sense', { cause: new Error('unexpected token') });
  } } } });
`,
    );
    place.job('job.json', { ...toBlackhole, source: { connector: './broken.mjs' } });
    const exit = await place.sluice(['run', 'job.json']);
    expect(exit.code).toBe(1);
    expect(exit.stderr).toMatch(/what +the answer makes no sense\n +where +job job, in .*job\.json/);
    expect(exit.stderr).toMatch(/why +.*unexpected token/);
    expect(exit.stderr).toMatch(/at .*broken\.mjs:\d+/);
    expect(resultOf(exit.stdout)).toMatchObject({ status: 'failed', error: { class: 'internal' } });
  });
});

describe('secrets', () => {
  it('appear nowhere: neither in errors nor in plans nor in logs', async () => {
    const secret = 'hunter2-hunter2';
    const source = { connector: 'postgres', url: '${env:SHOP_URL}' };
    place.job('job.json', { ...toBlackhole, source });
    place.write('.env', `SHOP_URL=postgres://ann:${secret}@127.0.0.1:9/shop\n`);
    for (const args of [
      ['run', 'job.json'],
      ['check', 'job.json', '--json'],
      ['discover', 'job.json', '--debug'],
      ['plan', 'job.json', '--json', '--debug'],
    ]) {
      const exit = await place.sluice(args);
      expect(exit.code, args.join(' ')).toBeGreaterThan(0);
      expect(exit.stdout + exit.stderr, args.join(' ')).not.toContain(secret);
    }
    const copied = await place.sluice([
      'copy',
      `postgres://ann:${secret}@127.0.0.1:9/shop`,
      'lake.duckdb',
      '--debug',
    ]);
    expect(copied.code).toBe(75);
    expect(copied.stdout + copied.stderr).not.toContain(secret);
  });
});

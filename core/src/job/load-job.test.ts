import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConnector, defineJob, isSluiceError, type SluiceError, secret } from '@sluice/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkedStreamSettings, checkedTargetSettings, connectionConfig } from './flow-settings.js';
import { type Job, requirementOf } from './job.js';
import { loadJob } from './load-job.js';
import { streamSettings, targetSettings } from './stream-settings.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-job-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | object): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return path;
}
async function failure(pathOrSpec: Parameters<typeof loadJob>[0], env = {}): Promise<SluiceError> {
  try {
    await loadJob(pathOrSpec, { cwd: folder, env });
  } catch (error) {
    if (isSluiceError(error)) return error;
    throw error;
  }
  throw new Error('accepted');
}
/** The messages about a job, without their places. */
async function problems(job: object): Promise<string[]> {
  const { code, details } = await failure(job as never);
  expect(code).toBe('SLUICE-CORE-0001');
  return (details['problems'] as { path: string; message: string }[]).map(
    ({ path, message }) => `${path}: ${message}`,
  );
}

const short = {
  $schema: './node_modules/sluice/job.schema.json',
  name: 'shop-to-lake',
  source: { connector: 'postgres', url: '${env:SHOP_URL}' },
  streams: ['public.orders', 'public.cust*'],
  mode: 'cdc',
  transforms: [{ use: 'mask', streams: ['*.customers'], columns: { email: 'hmac' } }],
  sink: { connector: 'duckdb', path: 'lake.duckdb' },
  write: 'upsert',
};

const long = {
  version: 1,
  name: 'shop',
  connections: {
    shop: { connector: 'postgres', url: '${env:SHOP_URL}' },
    lake: { connector: 'duckdb', path: 'lake.duckdb' },
  },
  flows: {
    main: {
      source: 'shop',
      mode: 'incremental',
      was: 'first',
      streams: {
        'public.*': {},
        'public.tmp_*': false,
        'public.orders': {
          key: ['id'],
          columns: { total: { type: 'decimal(12,2)' } },
          source: { chunk: 'key' },
          was: 'orders',
        },
      },
      transforms: [{ use: 'filter', streams: ['public.orders'], where: 'total > 0' }],
      sinks: {
        lake: {
          to: 'lake',
          write: 'upsert',
          name: 'bronze.{schema}_{stream}',
          streams: { 'public.events': { write: 'append', options: {} } },
        },
      },
    },
    other: { source: 'shop', rate: { rows: '600/m' }, sinks: { lake: { to: 'lake' } } },
  },
  delivery: {
    require: 'exactly-once',
    commit: { every: '1s', rows: 1000, bytes: '64MB' },
    except: ['other.lake'],
  },
  types: { lossy: 'warn' },
  memory: '512Mi',
  rate: { rows: '5000/s', bytes: '10MiB/s' },
  parallel: 4,
  again: true,
};
const env = { SHOP_URL: 'postgres://shop:hunter22@db/shop' };

function shapeOf(job: Job): unknown {
  const { redactor: _r, resolved: _v, place: _p, ...rest } = job;
  return JSON.parse(JSON.stringify(rest));
}

describe('a job file', () => {
  it('of the short form stands for one flow and one sink, called main', async () => {
    const job = await loadJob(write('job.json', short), { env });
    expect(shapeOf(job)).toEqual({
      name: 'shop-to-lake',
      file: join(folder, 'job.json'),
      cwd: folder,
      connections: {
        source: {
          name: 'source',
          connector: 'postgres',
          settings: { values: { url: env.SHOP_URL }, paths: { url: ['source', 'url'] }, at: ['source'] },
        },
        sink: {
          name: 'sink',
          connector: 'duckdb',
          settings: { values: { path: 'lake.duckdb' }, paths: { path: ['sink', 'path'] }, at: ['sink'] },
        },
      },
      flows: [
        {
          name: 'main',
          connection: expect.objectContaining({ name: 'source' }),
          changes: { whenOver: 'warn' },
          mode: 'cdc',
          onFailure: 'stop',
          streams: [
            { pattern: 'public.orders', spec: {}, at: ['streams', 0] },
            { pattern: 'public.cust*', spec: {}, at: ['streams', 1] },
          ],
          transforms: [
            {
              use: 'mask',
              streams: ['*.customers'],
              settings: {
                values: { columns: { email: 'hmac' } },
                paths: { columns: ['transforms', 0, 'columns'] },
                at: ['transforms', 0],
              },
            },
          ],
          sinks: [
            {
              name: 'main',
              connection: expect.objectContaining({ name: 'sink' }),
              onFailure: 'stop',
              at: [],
              rules: [{ pattern: '*', spec: { write: 'upsert' }, at: [] }],
            },
          ],
        },
      ],
      delivery: { commit: {}, except: [] },
      lossy: 'fail',
      schema: { tables: 'evolve', columns: 'evolve', types: 'evolve' },
      again: false,
      allowEmpty: false,
    });
    expect(targetSettings(job.flows[0]!.sinks[0]!, 'public.orders')?.write).toBe('upsert');
  });

  it('of the long form is taken as it is', async () => {
    const job = await loadJob(write('job.json', long), { env });
    expect(job).toMatchObject({
      name: 'shop',
      delivery: {
        require: 'exactly-once',
        commit: { ms: 1000, rows: 1000, bytes: 64e6 },
        except: ['other.lake'],
      },
      lossy: 'warn',
      memory: { bytes: 2 ** 29 },
      rate: { rowsPerSecond: 5000, bytesPerSecond: 10 * 2 ** 20 },
      parallel: 4,
      again: true,
      allowEmpty: false,
    });
    expect(job.flows.map(({ name, was, mode, rate }) => ({ name, was, mode, rate }))).toEqual([
      { name: 'main', was: 'first', mode: 'incremental', rate: undefined },
      { name: 'other', was: undefined, mode: 'full', rate: { rowsPerSecond: 10 } },
    ]);
    expect(streamSettings(job.flows[0]!, 'public.orders')).toMatchObject({ key: ['id'], was: 'orders' });
    expect(requirementOf(job, job.flows[0]!, job.flows[0]!.sinks[0]!)).toBe('exactly-once');
    expect(requirementOf(job, job.flows[1]!, job.flows[1]!.sinks[0]!)).toBeUndefined();
  });

  it('reads the same from JSON, YAML, a module and an object', async () => {
    const json = await loadJob(write('job.json', short), { env });
    write('job.yaml', `# as YAML\n${JSON.stringify(short)}`);
    write(
      'job.yml',
      `name: shop-to-lake
source:
  connector: postgres
  url: \${env:SHOP_URL}
streams: [public.orders, public.cust*]
mode: cdc
transforms:
  - use: mask
    streams: ["*.customers"]
    columns: { email: hmac }
sink: { connector: duckdb, path: lake.duckdb }
write: upsert
`,
    );
    write('job.mjs', `export default ${JSON.stringify(short)};`);
    write('job.cjs', `module.exports = ${JSON.stringify(short)};`);
    const { file: _, ...expected } = shapeOf(json) as { file: string };
    for (const name of ['job.yaml', 'job.yml', 'job.mjs', 'job.cjs']) {
      const { file, ...rest } = shapeOf(await loadJob(name, { cwd: folder, env })) as { file: string };
      expect(rest, name).toEqual(expected);
      expect(file).toBe(join(folder, name));
    }
    expect(shapeOf(await loadJob(short as never, { cwd: folder, env }))).toEqual(expected);
  });

  it('may begin with a byte order mark', async () => {
    for (const name of ['bom.json', 'bom.yaml']) {
      const job = await loadJob(write(name, `\uFEFF${JSON.stringify(short)}`), { env });
      expect(job.name).toBe('shop-to-lake');
    }
    const error = await failure(write('bom.json', '\uFEFF{"name": "j", "nmae": 1}'));
    expect(error.message).toContain('bom.json:1:15: nmae');
  });

  it('is run in TypeScript by a Node that can, and any other says so', async () => {
    // The runner of these tests would compile the file; Node itself is asked, in a process of its own.
    const spec = `{ name: "j" as string, source: { connector: 'a' }, sink: { connector: 'b' } }`;
    const path = write('job.mts', `export default ${spec};`);
    const loader = new URL('../../dist/job/load-job.js', import.meta.url).href;
    const script = `import(${JSON.stringify(loader)}).then(({ loadJob }) => loadJob(${JSON.stringify(path)}))
      .then((job) => console.log(job.name), (e) => console.log(e.code, e.message, e.help))`;
    const said = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim();
    const able = 'typescript' in process.features && process.features.typescript !== false;
    expect(said).toMatch(
      able
        ? /^j$/
        : /^SLUICE-CORE-0002 Node \S+ cannot run TypeScript, which \S+job\.mts is written in Use Node 22\.18/,
    );
  });

  it('keeps functions that a module passes to a transform', async () => {
    write(
      'job.mjs',
      `export default { name: 'j', source: { connector: 'a' }, sink: { connector: 'b' }, transforms: [{ use: 'map', row: (r) => r.id * 2 }] };`,
    );
    const job = await loadJob('job.mjs', { cwd: folder, env });
    const row = job.flows[0]!.transforms[0]!.settings.values['row'] as (row: { id: number }) => number;
    expect(row({ id: 21 })).toBe(42);
  });
});

describe('variables', () => {
  const spec = {
    name: 'j',
    source: { connector: 'a', url: '${env:A}-${env:B}-${env:C}' },
    sink: { connector: 'b' },
  };

  it('come from the environment, then from .env beside the file, then from .env in the working folder', async () => {
    mkdirSync(join(folder, 'jobs'));
    write('jobs/.env', 'A=beside\nB=beside\n');
    write('.env', 'A=cwd\nB=cwd\nC=cwd\n');
    write('jobs/job.json', spec);
    const job = await loadJob('jobs/job.json', { cwd: folder, env: { A: 'real', C: undefined } });
    expect(job.connections['source']!.settings.values).toEqual({ url: 'real-beside-cwd' });
    expect(job.cwd).toBe(join(folder, 'jobs'));
  });

  it('that are missing are named with their key and place', async () => {
    write('.env', 'B=1\noops\n');
    const error = await failure(write('job.json', short));
    expect(error.code).toBe('SLUICE-CORE-0003');
    expect(error.message).toBe(
      `job.json:6:5: source.url: the environment variable SHOP_URL is not set (not understood and left out: line 2 of ${join(folder, '.env')})`,
    );
  });

  it('become what the schema wants, in the job and in connections', async () => {
    const job = await loadJob(
      {
        name: '${env:TENANT}-shop',
        source: { connector: 'pg', port: '${env:PORT}' },
        sink: { connector: 'x' },
        write: '${env:WRITE}',
        parallel: '${env:LANES}',
        allowEmpty: '${env:YES}',
      } as never,
      { cwd: folder, env: { TENANT: 'acme', PORT: '5433', WRITE: 'append', LANES: '3', YES: 'true' } },
    );
    expect(job).toMatchObject({ name: 'acme-shop', parallel: 3, allowEmpty: true });
    const connector = defineConnector({ name: 'pg', title: '', config: z.object({ port: z.int() }) });
    expect(connectionConfig(job, job.connections['source']!, connector)).toEqual({ port: 5433 });
  });

  it('are hidden wherever they could be printed', async () => {
    const job = await loadJob(short as never, { cwd: folder, env });
    expect(job.redactor.redact(`connect to ${env.SHOP_URL} failed; shop:hunter22@db`)).toBe(
      'connect to *** failed; shop:***@db',
    );
    const error = await failure({ ...short, write: '${env:W}' } as never, { ...env, W: 'hunter-mode' });
    expect(error.message).toContain('write: must be one of');
    expect(JSON.stringify(error.details) + error.message + error.stack).not.toContain('hunter-mode');
  });
});

describe('mistakes are named with their key and what was meant', () => {
  it('in the file, with line and column', async () => {
    const text = JSON.stringify(long, null, 2).replace('"write": "upsert"', '"wirte": "upsert"');
    const error = await failure(write('shop.json', text), env);
    const line = text.split('\n').findIndex((each) => each.includes('wirte')) + 1;
    expect(error.message).toBe(
      `shop.json:${line}:11: flows.main.sinks.lake.wirte: unknown key; did you mean "write"?`,
    );
    expect(error.details).toEqual({
      problems: [
        {
          path: 'flows.main.sinks.lake.wirte',
          message: 'unknown key; did you mean "write"?',
          place: `shop.json:${line}:11`,
        },
      ],
    });
    const yaml = await failure(write('shop.yaml', 'name: j\nsource: {connector: a}\nsnik: {connector: b}\n'));
    expect(yaml.message).toBe(
      '2 problems\n  shop.yaml:1:1: sink: is missing; it must be an object\n  shop.yaml:3:1: snik: unknown key; did you mean "sink"?',
    );
  });

  it('unknown keys', async () => {
    expect(await problems({ ...short, source: { connector: 'a' }, wirte: 'upsert' })).toEqual([
      'wirte: unknown key; did you mean "write"?',
    ]);
    expect(
      await problems({ ...short, source: { connector: 'a' }, streams: { 'public.*': { mdoe: 'cdc' } } }),
    ).toEqual(['streams["public.*"].mdoe: unknown key; did you mean "mode"?']);
  });

  it('keys of features that are not there yet are unknown, too', async () => {
    const base = { name: 'j', source: { connector: 'a' }, sink: { connector: 'b' } };
    for (const key of ['deadLetter', 'cdc', 'only']) {
      const [problem] = await problems({ ...base, [key]: {} });
      expect(problem, key).toMatch(new RegExp(`^${key}: unknown key`));
    }
    const sink = (more: object) => ({
      ...long,
      connections: { shop: { connector: 'a' }, lake: { connector: 'b' } },
      flows: { main: { source: 'shop', sinks: { lake: { to: 'lake', ...more } } } },
      delivery: {},
    });
    for (const key of ['activate']) {
      expect((await problems(sink({ [key]: {} })))[0], key).toMatch(
        `flows.main.sinks.lake.${key}: unknown key`,
      );
    }
  });

  it('values of the wrong type or choice', async () => {
    const base = { name: 'j', source: { connector: 'a' }, sink: { connector: 'b' } };
    expect(await problems({ ...base, mode: 'incremantal' })).toEqual([
      'mode: must be one of "full", "incremental", "cdc"; did you mean "incremental"?',
    ]);
    expect(await problems({ ...base, parallel: '4' })).toEqual(['parallel: must be a number, is a string']);
    expect(await problems({ ...base, parallel: 0 })).toEqual(['parallel: must be at least 1']);
    expect(await problems({ ...base, streams: 'orders' })).toEqual([
      'streams: must be a list or an object, is a string',
    ]);
    expect(await problems({ ...base, streams: { o: true } })).toEqual([
      'streams.o: must be an object or false, is true or false',
    ]);
    expect(await problems({ ...base, memory: '12 parsecs' })).toEqual([
      'memory: must be a size such as "512Mi" or a share such as "50%"',
    ]);
    expect(await problems({ ...base, rate: { rows: '5MB/s', bytes: 5, cells: '1/s' } })).toEqual([
      'rate.rows: must be a rate such as "5000/s", "600/m" or "100/h"',
      'rate.bytes: must be a string, is a number',
      'rate.cells: unknown key; there are rows, bytes',
    ]);
    expect(await problems({ ...base, delivery: { commit: { every: '0s', bytes: 'x' } } })).toEqual([
      'delivery.commit.every: must be a duration such as "500ms", "1s" or "5m"',
      'delivery.commit.bytes: must be a size such as "64MB" or "512Mi"',
    ]);
    const [type] = await problems({ ...base, streams: { o: { columns: { n: { type: 'decmal(1,2)' } } } } });
    expect(type).toMatch(/^streams\.o\.columns\.n\.type: .*decimal/);
    expect(await problems({ ...base, version: 2 })).toEqual([
      'version: this program reads job files of version 1, not 2',
    ]);
    for (const name of ['', 'a/b', '-x', 'ü', 'a b', 'x'.repeat(101)]) {
      expect((await problems({ ...base, name }))[0], name).toMatch(/^name: must /);
    }
  });

  it('forms that are mixed or incomplete', async () => {
    const [mixed] = await problems({ ...short, source: { connector: 'a' }, flows: {} });
    expect(mixed).toBe(
      'source: "source" belongs to the short form of a job and "flows" to the long form; move it into a flow',
    );
    expect(await problems({ name: 'j' })).toEqual([
      'source: is missing; it must be an object',
      'sink: is missing; it must be an object',
    ]);
    expect((await failure([] as never)).message).toContain('a job is an object');
    expect(await problems({ name: 'j', connections: {}, flows: {} })).toEqual([
      'flows: must hold at least one flow',
    ]);
  });

  it('connections and sinks that are missing', async () => {
    const connections = { shop: { connector: 'a' }, lake: { connector: 'b' } };
    const flow = { source: 'shp', sinks: { one: { to: 'lake' }, two: { to: 'nowhere-at-all' } } };
    expect(
      await problems({ name: 'j', connections, flows: { main: flow, none: { source: 'shop', sinks: {} } } }),
    ).toEqual([
      'flows.main.source: there is no connection "shp"; did you mean "shop"?',
      'flows.main.sinks.two.to: there is no connection "nowhere-at-all"; there are shop, lake',
      'flows.none.sinks: must hold a sink',
    ]);
    const good = { source: 'shop', sinks: { lake: { to: 'lake' } } };
    expect(
      await problems({ name: 'j', connections, flows: { main: good }, delivery: { except: ['main.lak'] } }),
    ).toEqual(['delivery.except[0]: there is no sink "main.lak"; did you mean "main.lake"?']);
  });

  it('streams that select nothing, twice, or rename many', async () => {
    const base = { name: 'j', source: { connector: 'a' }, sink: { connector: 'b' } };
    expect(await problems({ ...base, streams: [] })).toEqual(['streams: must not be empty']);
    expect(await problems({ ...base, streams: { 'tmp_*': false } })).toEqual([
      'streams: selects no streams; add "*": {} for all of them, or leave the key out',
    ]);
    expect(await problems({ ...base, streams: ['a', 'b', 'a'] })).toEqual(['streams[2]: "a" appears twice']);
    expect((await problems({ ...base, streams: { 'a*': { was: 'b' } } }))[0]).toMatch(
      /^streams\["a\*"\]\.was: only/,
    );
  });

  it('target names with unknown parts', async () => {
    const connections = { a: { connector: 'a' } };
    const flows = { main: { source: 'a', sinks: { s: { to: 'a', name: '{schma}.{stream}' } } } };
    expect(await problems({ name: 'j', connections, flows })).toEqual([
      'flows.main.sinks.s.name: {schma} stands for nothing; did you mean {schema}?',
    ]);
  });
});

describe('files that are no jobs', () => {
  it('are refused with their path and reason', async () => {
    const message = async (name: string) => {
      const error = await failure(join(folder, name));
      expect(error.code, name).toBe('SLUICE-CORE-0002');
      return error.message;
    };
    expect(await message('none.json')).toBe(
      `${join(folder, 'none.json')} cannot be read: there is no such file`,
    );
    expect(await message('none.mjs')).toContain('there is no such file');
    expect(await message('.')).toContain('is a folder');
    write('job.toml', '');
    expect(await message('job.toml')).toContain('does not end like a job file');
    write('job.jsn', '');
    expect(await message('job.jsn')).toContain('such as .json');
    writeFileSync(join(folder, 'utf16.json'), Buffer.from('\uFEFF{}', 'utf16le'));
    expect(await message('utf16.json')).toContain('it is not UTF-8');
    write('cut.json', '{"name": "j",\n "source": {');
    expect(await message('cut.json')).toBe(
      'cut.json:2:13: the file ends where a key in double quotes should be',
    );
    write('throws.mjs', 'throw new RangeError("boom");');
    expect(await message('throws.mjs')).toContain('could not be run: RangeError: boom');
    write('empty.mjs', 'export const job = 1;');
    expect(await message('empty.mjs')).toContain('exports no job');
    write('bad.yaml', 'a: [');
    expect(await message('bad.yaml')).toMatch(/^bad\.yaml:\d+:\d+: /);
  });

  it('that say a thing twice are refused as wrong', async () => {
    const json = await failure(write('twice.json', '{"name": "a",\n "name": "b"}'));
    expect(json).toMatchObject({ code: 'SLUICE-CORE-0001', details: { line: 2, column: 2 } });
    expect(json.message).toBe('twice.json:2:2: the key "name" appears twice, first in line 1');
    const yaml = await failure(write('twice.yaml', 'name: a\nname: b\n'));
    expect(yaml).toMatchObject({
      code: 'SLUICE-CORE-0001',
      message: 'twice.yaml:2:1: this key appears twice',
    });
  });
});

describe("a connector's own keys", () => {
  const connector = defineConnector({
    name: 'pg',
    title: '',
    config: z.object({ url: secret(), pool: z.object({ size: z.int() }).optional() }),
    source: {
      options: z.object({ chunk: z.enum(['key', 'ctid']), size: z.int().default(7) }),
      create: () => never(),
    },
    sink: { create: () => never() },
  });
  function never(): never {
    throw new Error('is not created in these tests');
  }

  it('are checked with its schemas, and named as the file has them', async () => {
    const spec = {
      name: 'j',
      source: { connector: 'pg', urll: 'postgres://u:verysecret@h', pool: { size: 'x' } },
      streams: { '*': { source: { chunk: 'kye' } } },
      sink: { connector: 'pg', url: 'x' },
      options: { any: 1 },
    };
    const text = JSON.stringify(spec, null, 1);
    const job = await loadJob(write('job.json', text), { env });
    const line = (part: string) => text.split('\n').findIndex((each) => each.includes(part)) + 1;
    expect(() => connectionConfig(job, job.connections['source']!, connector)).toThrow(
      `3 problems
  job.json:${line('urll')}:3: source.urll: unknown key; did you mean "url"?
  job.json:${line('"source": {')}:2: source.url: is missing; it must be a string
  job.json:${line('"size"')}:4: source.pool.size: must be a number, is a string`,
    );
    const flow = job.flows[0]!;
    expect(() => checkedStreamSettings(job, flow, connector, 'orders')).toThrow(
      `job.json:${line('kye')}:5: streams["*"].source.chunk: must be one of "key", "ctid"; did you mean "key"?`,
    );
    expect(() => checkedTargetSettings(job, flow.sinks[0]!, connector, 'orders')).toThrow(
      `job.json:${line('"any"')}:3: options.any: unknown key`,
    );
    expect(job.redactor.redact('u:verysecret@h')).toBe('u:***@h');
  });

  it('come with their defaults', async () => {
    const spec = defineJob({
      name: 'j',
      source: { connector: 'pg', url: 'postgres://h' },
      streams: { '*': { source: { chunk: 'key' } }, 'tmp.*': false },
      sink: { connector: 'pg', url: 'x' },
    });
    const job = await loadJob(spec, { cwd: folder, env });
    const flow = job.flows[0]!;
    expect(checkedStreamSettings(job, flow, connector, 'a')).toEqual({
      mode: 'full',
      onFailure: 'stop',
      columns: {},
      source: { chunk: 'key', size: 7 },
    });
    expect(checkedStreamSettings(job, flow, connector, 'tmp.a')).toBeUndefined();
    expect(checkedTargetSettings(job, flow.sinks[0]!, connector, 'a')).toEqual({ save: 'keep', options: {} });
  });
});

/** The commands that look and change nothing: plan, check, discover, preview, state, schema, connectors. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lines, Workspace } from './cli-workspace.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

async function ok(...args: string[]): Promise<string> {
  const exit = await place.sluice(args);
  expect(exit.code, exit.stderr).toBe(0);
  return exit.stdout;
}

const ORDERS = 'id,total,note\n1,5.00,first\n2,0.00,nothing\n3,7.50,last\n';

function shop() {
  place.write('in/orders.csv', ORDERS);
  place.write('in/people.csv', 'id,name\n1,Ann\n');
  return place.job('job.json', {
    name: 'shop',
    source: { connector: 'file', path: 'in' },
    transforms: [
      { use: 'filter', streams: ['orders'], where: 'total > 0' },
      { use: 'compute', streams: ['orders'], columns: { double: 'total * 2' } },
    ],
    sink: { connector: 'duckdb', path: 'lake.duckdb' },
  });
}

describe('plan', () => {
  it('tells streams, types, guarantees and statements, and leaves no target behind', async () => {
    shop();
    const plan = JSON.parse(await ok('plan', 'job.json', '--format', 'json'));
    expect(plan).toMatchObject({
      job: 'shop',
      flows: [{ source: { connector: 'file' }, sinks: [{ connector: 'duckdb' }] }],
    });
    const orders = plan.flows[0].streams.find(({ stream }: { stream: string }) => stream === 'orders');
    expect(orders).toMatchObject({
      read: 'full',
      write: 'replace',
      protocol: 'atomic',
      guarantee: 'exactly once',
      exists: false,
      columns: [
        { column: 'id', type: 'int64', target: 'BIGINT', verdict: 'exact' },
        { column: 'total', type: 'decimal(18,2)', verdict: 'exact' },
        { column: 'note', type: 'string' },
        { column: 'double' },
      ],
    });
    expect(orders.ddl.join(' ')).toContain('CREATE TABLE');
    const text = await ok('plan', 'job.json', '--streams', 'orders');
    expect(text).toContain('exactly once');
    expect(text).toContain('will be created');
    expect(text).not.toContain('people');
    expect(existsSync(place.path('lake.duckdb'))).toBe(false);
    expect(existsSync(place.path('.sluice'))).toBe(false);
  });

  it('draws the flow for Markdown', async () => {
    shop();
    const drawn = lines(await ok('plan', 'job.json', '--format', 'mermaid')).map((line) => line.trim());
    expect(drawn.slice(0, 5)).toEqual([
      '---',
      'title: "job shop"',
      '---',
      'flowchart LR',
      'subgraph flow1["flow main"]',
    ]);
    for (const line of [
      'flow1_source[("source: file")]',
      'flow1_source -->|"full"| flow1_stream1',
      'flow1_sink1_target1_step1{{"filter"}}',
      'flow1_stream1 --> flow1_sink1_target1_step1',
      'flow1_sink1_target1_step1 --> flow1_sink1_target1_step2',
      'flow1_sink1_target1_step2 -->|"replace, exactly once"| flow1_sink1_target1',
      'flow1_stream2 -->|"replace, exactly once"| flow1_sink1_target2',
    ])
      expect(drawn).toContain(line);
  });

  it('shows in red what would be lost', async () => {
    const columns = { at: { type: 'timestamp', unit: 'ns', zone: 'offset' } };
    const source = { connector: 'generate', streams: { x: { columns } } };
    place.job('job.json', {
      name: 'x',
      source,
      sink: { connector: 'duckdb', path: 'x.duckdb' },
      types: { lossy: 'warn' },
    });
    const exit = await place.sluice(['plan', 'job.json'], { env: { FORCE_COLOR: '1' } });
    const red = exit.stdout.split('\u001b[31m')[1]?.split('\u001b')[0];
    expect(red).toMatch(/^lossy: .*nanoseconds/);
    const copied = await place.sluice([
      'copy',
      'generate',
      'x.duckdb',
      '--from',
      `streams=${JSON.stringify({ x: { rows: 3, columns } })}`,
    ]);
    expect(copied.code, copied.stderr).toBe(0);
    expect(copied.stderr).toMatch(/warn {2}stream x: the target cannot keep at exactly, so they become text/);
    const [[type]] = (await place.query(
      'x.duckdb',
      "SELECT data_type FROM duckdb_columns() WHERE table_name = 'x'",
    )) as [[string]];
    expect(type).toBe('VARCHAR');
  });
});

describe('check', () => {
  it('says of each side whether it is ready', async () => {
    shop();
    expect(await ok('check', 'job.json')).toBe(
      '✔ source source (file) is ready\n✔ sink sink (duckdb) is ready\n',
    );
    place.job('bad.json', {
      name: 'bad',
      source: { connector: 'postgres', url: 'postgres://ann:pw@127.0.0.1:9/shop' },
      sink: { connector: 'duckdb', path: 'lake.duckdb' },
    });
    const text = await place.sluice(['check', 'bad.json']);
    expect(text.code).toBe(75);
    expect(text.stdout).toMatch(/✖ source source \(postgres\) is not ready\n {2}error SLUICE-/);
    expect(text.stdout).toContain('✔ sink sink (duckdb) is ready');
    const data = await place.sluice(['check', 'bad.json', '--json']);
    expect(JSON.parse(data.stdout)).toMatchObject({
      job: 'bad',
      ok: false,
      connections: [
        {
          connection: 'source',
          side: 'source',
          ok: false,
          error: { class: 'transient', details: { connection: 'source' } },
        },
        { connection: 'sink', side: 'sink', ok: true },
      ],
    });
  });
});

describe('discover', () => {
  it('finds the streams of a path, and of a job', async () => {
    shop();
    const found = JSON.parse(await ok('discover', 'in', '--json'));
    expect(found.connections[0].streams.map(({ stream }: { stream: string }) => stream)).toEqual([
      'orders',
      'people',
    ]);
    const one = JSON.parse(await ok('discover', 'job.json', '--json', '--streams', 'ord*'));
    expect(one.connections).toMatchObject([
      {
        connection: 'source',
        streams: [{ stream: 'orders', columns: [{ column: 'id', type: 'int64' }, {}, {}] }],
      },
    ]);
    const wrong = await place.sluice(['discover', 'job.json', '--connection', 'sorce']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('did you mean "source"?');
  });

  it('takes a JSON file of data for data, and a job for a job', async () => {
    place.write('movies.json', '[{"title":"A"},{"title":"B"}]');
    expect(await ok('discover', 'movies.json')).toMatch(/movies[\s\S]*title/);
  });
});

describe('preview', () => {
  it('shows rows behind the transforms, and writes nothing', async () => {
    shop();
    const rows = lines(await ok('preview', 'job.json', '--stream', 'orders', '--json')).map((line) =>
      JSON.parse(line),
    );
    expect(rows).toEqual([
      { id: 1, total: '5.00', note: 'first', double: '10.00' },
      { id: 3, total: '7.50', note: 'last', double: '15.00' },
    ]);
    expect(lines(await ok('preview', 'in/orders.csv', '--rows', '1'))).toHaveLength(2);
    expect(existsSync(place.path('lake.duckdb'))).toBe(false);
    expect(existsSync(place.path('.sluice'))).toBe(false);
  });

  it('asks which stream is meant', async () => {
    shop();
    const exit = await place.sluice(['preview', 'job.json']);
    expect(exit.code).toBe(2);
    expect(exit.stderr).toMatch(/say which with --stream[\s\S]*orders, people/);
    const wrong = await place.sluice(['preview', 'job.json', '--stream', 'order']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('did you mean "orders"?');
  });

  it('does not let data move the cursor', async () => {
    place.write('evil.csv', 'id,name\n1,\u001b[2Jgone\n');
    expect(await ok('preview', 'evil.csv')).toContain('\\u001b[2Jgone');
  });
});

describe('state show', () => {
  it('lists jobs, shows one by file or name, and knows the nearest name', async () => {
    shop();
    const missing = await place.sluice(['state', 'show', 'job.json']);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('there is no state');
    await ok('run', 'job.json', '--quiet');
    expect(JSON.parse(await ok('state', 'show', '--json'))).toMatchObject({
      jobs: [{ job: 'shop', status: 'succeeded', held: false }],
    });
    const byFile = JSON.parse(await ok('state', 'show', 'job.json', '--json'));
    expect(JSON.parse(await ok('state', 'show', 'shop', '--json'))).toEqual(byFile);
    expect(byFile.sinks[0].streams).toMatchObject([
      { stream: 'orders', generation: 1, published: 1 },
      { stream: 'people', generation: 1, published: 1 },
    ]);
    expect(await ok('state', 'show', 'shop')).toMatch(/succeeded[\s\S]*orders[\s\S]*done/);
    const wrong = await place.sluice(['state', 'show', 'shpo']);
    expect(wrong.stderr).toContain('did you mean "shop"?');
  });
});

describe('state forget', () => {
  it('lets a job begin anew where its target is gone', async () => {
    place.write('in/events.csv', 'id\n1\n2\n');
    place.job('job.json', {
      name: 'events',
      source: { connector: 'file', path: 'in/events.csv' },
      mode: 'incremental',
      sink: { connector: 'duckdb', path: 'lake.duckdb' },
      write: 'append',
    });
    await ok('run', 'job.json', '--quiet');
    for (const name of ['lake.duckdb', 'lake.duckdb.wal']) rmSync(place.path(name), { force: true });
    const lost = await place.sluice(['run', 'job.json']);
    expect(lost.code, lost.stderr).toBe(4);
    expect(lost.stderr).toContain('sluice state forget');

    expect(await ok('state', 'forget', 'job.json')).toBe(
      'would forget 1 stream in 1 part of job events; --yes does it\n',
    );
    expect((await place.sluice(['run', 'job.json', '--quiet'])).code).toBe(4);
    const done = JSON.parse(await ok('state', 'forget', 'events', '--yes', '--json'));
    expect(done).toEqual({ job: 'events', forgotten: true, streams: 1, parts: 1 });
    await ok('run', 'job.json', '--quiet');
    expect(await place.query('lake.duckdb', 'SELECT id::INTEGER FROM events ORDER BY id')).toEqual([
      [1],
      [2],
    ]);
  });
});

describe('schema', () => {
  it('describes jobs with the connectors that are installed', async () => {
    const schema = JSON.parse(await ok('schema'));
    const connectors = JSON.stringify(schema.$defs.connection);
    for (const name of ['postgres', 'file', 'duckdb', 'generate', 'stdin', 'stdout'])
      expect(connectors).toContain(`"${name}"`);
    expect(schema).toEqual(JSON.parse(readFileSync(join(ROOT, 'cli/job.schema.json'), 'utf8')));
  });
});

describe('connectors list', () => {
  it('tells what each can do', async () => {
    const { connectors } = JSON.parse(await ok('connectors', 'list', '--json'));
    const named = Object.fromEntries(
      connectors.map((connector: { name: string }) => [connector.name, connector]),
    );
    expect(named.file).toMatchObject({
      source: { modes: ['full', 'incremental'] },
      sink: { modes: { replace: 'two-phase' } },
    });
    expect(named.postgres.urls).toContain('postgres');
    expect(named.duckdb.files).toContain('.duckdb');
    expect(await ok('connectors', 'list')).toMatch(/^connector +reads +writes/);
  });

  it('finds a connector that is installed beside the job', async () => {
    place.write(
      'node_modules/@sluice/connector-mine/package.json',
      JSON.stringify({
        name: '@sluice/connector-mine',
        version: '1.0.0',
        type: 'module',
        exports: './index.js',
        sluice: { connector: 'mine', urls: { mine: 'url' } },
      }),
    );
    const sdk = join(ROOT, 'sdk/dist/index.js');
    const zod = join(ROOT, 'sdk/node_modules/zod/index.js');
    place.write(
      'node_modules/@sluice/connector-mine/index.js',
      `import { defineSource, t } from ${JSON.stringify(sdk)};
import { z } from ${JSON.stringify(zod)};
export default defineSource({ name: 'mine', title: 'Mine', config: z.strictObject({ url: z.string() }),
  streams: { one: { columns: { n: t.int32 }, async *read() { yield { rows: [{ n: 7 }] }; } } } });
`,
    );
    expect(await ok('connectors', 'list')).toContain('mine://');
    expect(await ok('preview', 'mine://anything', '--json')).toBe('{"n":7}\n');
  });
});

describe('connectors show', () => {
  it('tells modes, keys, and errors of one', async () => {
    const shown = JSON.parse(await ok('connectors', 'show', 'postgres', '--json'));
    expect(shown).toMatchObject({
      name: 'postgres',
      package: '@sluice/connector-postgres',
      urls: ['postgres', 'postgresql'],
      source: { modes: ['full', 'incremental', 'cdc'] },
      sink: { modes: { upsert: 'atomic' } },
    });
    const keys = Object.fromEntries(shown.config.map((key: { key: string }) => [key.key, key]));
    expect(keys.password).toMatchObject({ type: 'text', secret: true, required: false });
    expect(keys.schema).toMatchObject({ default: 'public' });
    expect(keys['ssl.mode'].type).toContain('"verify-full"');
    expect(shown.sourceOptions).toContainEqual(expect.objectContaining({ key: 'chunk' }));
    expect(shown.errors).toContainEqual(expect.objectContaining({ code: 'SLUICE-PG-0008', class: 'auth' }));
    const text = await ok('connectors', 'show', 'file');
    expect(text).toMatch(/^file {2}Files: CSV.*\n {2}from .*@sluice\/connector-file/);
    expect(text).toMatch(/\n {2}path +text +required /);
    expect(text).toContain('csv.delimiter');
    expect(text).toContain('SLUICE-FILE-0001');
  });

  it('knows the nearest name', async () => {
    const { code, stderr } = await place.sluice(['connectors', 'show', 'postgers']);
    expect(code).toBe(2);
    expect(stderr.replace(/\s+/g, ' ')).toContain('did you mean "postgres"?');
  });
});

describe('explain', () => {
  it('says what a code of any package means', async () => {
    expect(await ok('explain', 'csv-3')).toMatch(
      /^SLUICE-CSV-0003\n {2}what .+\n {2}class {2}data: .+ 5\)\n {2}do {5}.+/,
    );
    const index = readFileSync(join(ROOT, 'docs/errors/index.md'), 'utf8');
    for (const family of ['CLI', 'CORE', 'PG', 'FILESINK', 'SDK']) {
      const explained = JSON.parse(await ok('explain', `${family}-1`, '--json'));
      const entry = index.slice(index.indexOf(`### ${explained.code}`)).split('###')[1];
      expect(entry).toContain(`Class \`${explained.class}\`, exit code ${explained.exitCode}.`);
    }
  });

  it('knows the nearest code', async () => {
    const { code, stderr } = await place.sluice(['explain', 'SLUICE-CSB-0003']);
    expect(code).toBe(2);
    expect(stderr.replace(/\s+/g, ' ')).toContain('did you mean SLUICE-CSV-0003?');
  });
});

describe('the files that are made from the code', () => {
  it('are up to date', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/generate.mjs'), '--check'], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
  });
});

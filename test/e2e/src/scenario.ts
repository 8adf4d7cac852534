/**
 * Scenarios that are disturbed and run again: a job between real systems, its target emptied before each try, and both
 * sides dumped by readers that are not ours.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobSpec, SinkSpec, StreamSpec } from '@sluice/sdk';
import {
  type Dump,
  dumpDuckdb,
  dumpParquet,
  dumpPostgres,
  expectSameRows,
  killAt,
  killAtRandom,
  listFailpoints,
  type PostgresServer,
  type Program,
  runProgram,
  UnexpectedExit,
  wasKilled,
} from '@sluice/test';

const SLUICE = fileURLToPath(new URL('../../../cli/bin/sluice.js', import.meta.url));

export interface Scenario {
  readonly name: string;
  /** `sluice run` of the scenario's job. */
  readonly program: Program;
  /** Target and state as before the first run. */
  reset(): Promise<void>;
  source(): Promise<Dump>;
  /** The same rows as the source, in every sink. */
  targets(): Promise<Dump[]>;
  remove(): void;
}

/** How a try went: whether the process really was killed, for tests that must not pass by never killing. */
export interface Try {
  readonly killed: boolean;
}

/** Every named point that an undisturbed run passes, with how often. */
export async function pointsOf(scenario: Scenario): Promise<{ name: string; hits: number }[]> {
  await scenario.reset();
  return listFailpoints(scenario.program);
}

/** Kills at a point, runs again, and compares. */
export async function dieAt(scenario: Scenario, point: string): Promise<void> {
  await scenario.reset();
  await killAt(scenario.program, point);
  await finishAndCompare(scenario, `killed at ${point}`);
}

/** Kills after a while that the seed chooses, up to three times in a row, runs again, and compares. */
export async function dieSometime(scenario: Scenario, maxMs: number, seed: number): Promise<Try> {
  await scenario.reset();
  let killed = false;
  for (let times = 0; times <= seed % 3; times++) {
    const exit = await killAtRandom(scenario.program, { minMs: 100, maxMs }, seed * 31 + times);
    killed ||= wasKilled(exit);
  }
  await finishAndCompare(scenario, `random instant, seed ${seed}`);
  return { killed };
}

/**
 * The same command again, which must succeed at once (or, for an append whose run had ended when it was killed, say
 * that it is complete); then both sides must hold the same rows.
 */
export async function finishAndCompare(scenario: Scenario, what: string): Promise<void> {
  const exit = await runProgram(scenario.program);
  const wasComplete = exit.code === 2 && exit.stdout.includes('"SLUICE-CORE-0108"');
  if (exit.code !== 0 && !wasComplete)
    throw new UnexpectedExit(scenario.program, `${what}: the run after it must succeed`, exit);
  await compareSides(scenario, what);
}

/** Source and targets hold the same rows. */
export async function compareSides(scenario: Scenario, what: string): Promise<void> {
  const source = await scenario.source();
  for (const target of await scenario.targets()) {
    expectSameRows(source, target, { expected: 'source', actual: `target (${what})` });
  }
}

const ROWS = 6000;

/** What the tables hold; awkward values among them. */
const TABLE = `id bigint PRIMARY KEY, ref uuid NOT NULL, name text, amount numeric(12,2), qty integer, active boolean, at timestamptz, day date, doc jsonb`;
const FILL = `SELECT g, md5(g::text)::uuid, CASE WHEN g % 11 = 0 THEN NULL WHEN g % 13 = 0 THEN '' ELSE E'näme, "q"\\n' || g END,
  (g * 37 % 100000)::numeric / 100 - 300, g * 31 % 1000 - 500, g % 3 = 0, timestamptz '2020-01-01 00:00:00Z' + g * interval '61.000001 seconds',
  date '1999-12-31' + g % 5000, CASE WHEN g % 7 = 0 THEN NULL ELSE jsonb_build_object('k', g, 'list', jsonb_build_array(1, 'zwei', NULL)) END
  FROM generate_series(1, ${ROWS}) g`;

/** Columns as text that Postgres, DuckDB and Python print alike. */
const PG_TEXT = `id::text, ref::text, name, amount::text, qty::text, active::text, (extract(epoch FROM at) * 1000000)::bigint::text AS at, day::text, doc::text`;
const DUCK_TEXT = `id::VARCHAR AS id, ref::VARCHAR AS ref, name, amount::VARCHAR AS amount, qty::VARCHAR AS qty, active::VARCHAR AS active, epoch_us("at")::VARCHAR AS "at", day::VARCHAR AS day, doc::VARCHAR AS doc`;

/** Small epochs, so that there are many instants at which one is half done. */
const DELIVERY: JobSpec['delivery'] = { require: 'exactly-once', commit: { every: '100ms', rows: 500 } };

class Base {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-kill-'));

  program(job: JobSpec): Program {
    const file = join(this.folder, 'job.json');
    writeFileSync(file, JSON.stringify(job));
    const args = [SLUICE, 'run', file, '--quiet', '--state', this.state];
    return { command: process.execPath, args, cwd: this.folder };
  }

  get state(): string {
    return join(this.folder, 'state', 'state.db');
  }

  clear(...names: string[]): void {
    for (const name of ['state', ...names]) rmSync(join(this.folder, name), { recursive: true, force: true });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Fills the source table once per server. */
export async function createSource(server: PostgresServer): Promise<string> {
  const url = await server.createDatabase();
  await server.psql(
    `CREATE SCHEMA "Src"; CREATE TABLE "Src".orders (${TABLE}); INSERT INTO "Src".orders ${FILL}; CREATE INDEX ON "Src".orders (at); ANALYZE`,
    url,
  );
  return url;
}

/** How the source is read: by page ranges, by key ranges, which later runs resume, or for increments. */
const READS: { readonly [by: string]: StreamSpec } = {
  ctid: { source: { chunk: 'ctid' } },
  key: { source: { chunk: 'key' } },
  cursor: { mode: 'incremental', cursor: { column: 'at', clock: 'database' } },
};

/** How the job reaches a database; not how dumps do. */
type Way = (url: string) => string;
const straight: Way = (url) => url;

interface Ways {
  readonly from: Way;
  readonly to: Way;
}
const STRAIGHT: Ways = { from: straight, to: straight };

/** Postgres → Postgres. */
export async function postgresToPostgres(
  server: PostgresServer,
  source: string,
  by: 'ctid' | 'key' | 'cursor',
  write: 'replace' | 'append' | 'upsert' | 'mirror',
  ways: Ways = STRAIGHT,
): Promise<Scenario> {
  const base = new Base();
  const target = await server.createDatabase();
  const job: JobSpec = {
    name: `pg-pg-${by}-${write}`,
    connections: {
      from: { connector: 'postgres', url: ways.from(source) },
      to: { connector: 'postgres', url: ways.to(target) },
    },
    flows: {
      main: {
        source: 'from',
        streams: { 'Src.orders': READS[by]! },
        sinks: { main: { to: 'to', name: 'out.orders', write } },
      },
    },
    delivery: DELIVERY,
  };
  return {
    name: `Postgres → Postgres, by ${by}, ${write}`,
    program: base.program(job),
    async reset() {
      base.clear();
      await clearTarget(server, target);
    },
    source: () => dumpPostgres(source, `SELECT ${PG_TEXT} FROM "Src".orders`),
    targets: async () => [await dumpPostgres(target, `SELECT ${PG_TEXT} FROM out.orders`)],
    remove: () => base.remove(),
  };
}

/** CSV files → DuckDB. */
export async function csvToDuckdb(
  server: PostgresServer,
  source: string,
  write: 'replace' | 'append' | 'mirror',
): Promise<Scenario> {
  const base = new Base();
  mkdirSync(join(base.folder, 'in'));
  const columns = 'id, ref, name, amount, qty, active, at, day, doc';
  for (const part of [0, 1, 2]) {
    const file = join(base.folder, 'in', `orders-${part}.csv`);
    await server.psql(
      `\\copy (SELECT ${columns} FROM "Src".orders WHERE id % 3 = ${part} ORDER BY id) TO '${file}' (FORMAT csv, HEADER)`,
      source,
    );
  }
  const types = {
    id: 'int64',
    ref: 'uuid',
    name: 'string',
    amount: 'decimal(12,2)',
    qty: 'int32',
    active: 'bool',
    at: 'timestamp(us, utc)',
    day: 'date',
    doc: 'json',
  };
  const job: JobSpec = {
    name: `csv-duckdb-${write}`,
    connections: {
      from: { connector: 'file', path: join(base.folder, 'in', '*.csv'), stream: 'orders' },
      to: { connector: 'duckdb', path: join(base.folder, 'lake', 'lake.duckdb') },
    },
    flows: {
      main: {
        source: 'from',
        streams: {
          orders: {
            key: ['id'],
            columns: Object.fromEntries(Object.entries(types).map(([k, type]) => [k, { type }])),
          },
        },
        sinks: { main: { to: 'to', name: 'main.orders', write } },
      },
    },
    delivery: DELIVERY,
  };
  return {
    name: `CSV → DuckDB, ${write}`,
    program: base.program(job),
    async reset() {
      base.clear('lake');
      mkdirSync(join(base.folder, 'lake'));
    },
    source: () => dumpPostgres(source, `SELECT ${PG_TEXT} FROM "Src".orders`),
    targets: async () => [
      await dumpDuckdb(join(base.folder, 'lake', 'lake.duckdb'), `SELECT ${DUCK_TEXT} FROM main.orders`),
    ],
    remove: () => base.remove(),
  };
}

/** Postgres → DuckDB. */
export async function postgresToDuckdb(source: string, write: 'replace', from: Way): Promise<Scenario> {
  const base = new Base();
  const lake = join(base.folder, 'lake', 'lake.duckdb');
  const job: JobSpec = {
    name: `pg-duckdb-${write}`,
    connections: {
      from: { connector: 'postgres', url: from(source) },
      to: { connector: 'duckdb', path: lake },
    },
    flows: {
      main: {
        source: 'from',
        streams: { 'Src.orders': { source: { chunk: 'key' } } },
        sinks: { main: { to: 'to', name: 'main.orders', write } },
      },
    },
    delivery: DELIVERY,
  };
  return {
    name: `Postgres → DuckDB, ${write}`,
    program: base.program(job),
    async reset() {
      base.clear('lake');
      mkdirSync(join(base.folder, 'lake'));
    },
    source: () => dumpPostgres(source, `SELECT ${PG_TEXT} FROM "Src".orders`),
    targets: async () => [await dumpDuckdb(lake, `SELECT ${DUCK_TEXT} FROM main.orders`)],
    remove: () => base.remove(),
  };
}

/** Postgres → a folder of Parquet files. */
export async function postgresToParquet(
  source: string,
  write: 'replace' | 'append',
  from: Way = straight,
): Promise<Scenario> {
  const base = new Base();
  const out = join(base.folder, 'lake');
  const job: JobSpec = {
    name: `pg-parquet-${write}`,
    connections: {
      from: { connector: 'postgres', url: from(source) },
      to: { connector: 'file', path: out, format: 'parquet' },
    },
    flows: {
      main: {
        source: 'from',
        streams: { 'Src.orders': { source: { chunk: 'key' } } },
        sinks: { main: { to: 'to', name: 'orders', write } },
      },
    },
    delivery: DELIVERY,
  };
  return {
    name: `Postgres → Parquet, ${write}`,
    program: base.program(job),
    async reset() {
      base.clear('lake');
    },
    source: () => dumpPostgres(source, `SELECT ${PG_TEXT} FROM "Src".orders`),
    targets: async () => [await dumpFolder(join(out, 'orders'))],
    remove: () => base.remove(),
  };
}

async function dumpFolder(folder: string): Promise<Dump> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.parquet'));
  if (files.length === 0) throw new Error('there are no Parquet files');
  return dumpParquet(join(folder, '*.parquet'), `SELECT ${DUCK_TEXT} FROM files`, 'duckdb');
}

/** Postgres → Postgres and a folder of Parquet files in one flow, which commit at their own pace. */
export async function postgresToBoth(
  server: PostgresServer,
  source: string,
  write: 'replace' | 'append',
  ways: Ways = STRAIGHT,
): Promise<Scenario> {
  const base = new Base();
  const target = await server.createDatabase();
  const lake = join(base.folder, 'lake');
  const job: JobSpec = {
    name: `pg-both-${write}`,
    connections: {
      from: { connector: 'postgres', url: ways.from(source) },
      to: { connector: 'postgres', url: ways.to(target) },
      lake: { connector: 'file', path: lake, format: 'parquet' },
    },
    flows: {
      main: {
        source: 'from',
        streams: { 'Src.orders': { source: { chunk: 'key' } } },
        sinks: {
          main: { to: 'to', name: 'out.orders', write },
          lake: { to: 'lake', name: 'orders', write },
        },
      },
    },
    delivery: DELIVERY,
  };
  return {
    name: `Postgres → Postgres and Parquet, ${write}`,
    program: base.program(job),
    async reset() {
      base.clear('lake');
      await clearTarget(server, target);
    },
    source: () => dumpPostgres(source, `SELECT ${PG_TEXT} FROM "Src".orders`),
    targets: async () => [
      await dumpPostgres(target, `SELECT ${PG_TEXT} FROM out.orders`),
      await dumpFolder(join(lake, 'orders')),
    ],
    remove: () => base.remove(),
  };
}

/** A job that reads changes of a table: it was copied once, and transactions since are in the log. */
async function changesJob(
  server: PostgresServer,
  base: Base,
  to: { readonly connector: string; readonly [setting: string]: string },
  sink: Omit<SinkSpec, 'to'>,
  from: Way = straight,
): Promise<Pick<Scenario, 'program' | 'reset' | 'source'>> {
  const source = await server.createDatabase();
  const slot = `kill_${source.replace(/.*_/, '')}`;
  const program = base.program({
    name: `changes-${sink.write}`,
    connections: { from: { connector: 'postgres', url: from(source), slot }, to },
    flows: {
      main: {
        source: 'from',
        mode: 'cdc',
        streams: { 'Src.orders': {} },
        sinks: { main: { to: 'to', ...sink } },
      },
    },
    delivery: DELIVERY,
  });
  return {
    program,
    async reset() {
      await server.psql(
        `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${slot}';
         DROP SCHEMA IF EXISTS "Src" CASCADE; CREATE SCHEMA "Src"; CREATE TABLE "Src".orders (${TABLE});
         INSERT INTO "Src".orders ${FILL} OFFSET ${ROWS / 2}`,
        source,
      );
      const copy = await runProgram(program);
      if (copy.code !== 0) throw new UnexpectedExit(program, 'the copy must succeed', copy);
      await server.psql(CHANGES, source);
    },
    source: () => dumpPostgres(source, `SELECT ${PG_TEXT} FROM "Src".orders`),
  };
}

/** What is kept of changes beside the rows as they are now, and which rows of the target those are. */
const KEPT = {
  nothing: { sink: { write: 'upsert' }, now: 'true' },
  deleted: { sink: { write: 'upsert', deletes: 'soft' }, now: '_deleted_at IS NULL' },
  versions: { sink: { write: 'history' }, now: '_valid_to IS NULL' },
} as const;

/** Changes of Postgres → DuckDB. */
export async function changesToDuckdb(
  server: PostgresServer,
  kept: keyof typeof KEPT = 'nothing',
  from: Way = straight,
): Promise<Scenario> {
  const base = new Base();
  const file = join(base.folder, 'lake', 'lake.duckdb');
  const to = { connector: 'duckdb', path: file };
  const { sink, now } = KEPT[kept];
  const job = await changesJob(server, base, to, { name: 'main.orders', ...sink }, from);
  return {
    ...job,
    name: `Changes of Postgres → DuckDB, ${kept === 'nothing' ? 'upsert' : `${kept} kept`}`,
    async reset() {
      base.clear('lake');
      mkdirSync(join(base.folder, 'lake'));
      await job.reset();
    },
    targets: async () => [await dumpDuckdb(file, `SELECT ${DUCK_TEXT} FROM main.orders WHERE ${now}`)],
    remove: () => base.remove(),
  };
}

/** Changes of Postgres → Postgres, as a log of them, which has the last state of every row and nothing twice. */
export async function changesToLog(
  server: PostgresServer,
  sink = server,
  ways: Ways = STRAIGHT,
): Promise<Scenario> {
  const base = new Base();
  const target = await sink.createDatabase();
  const to = { connector: 'postgres', url: ways.to(target) };
  const job = await changesJob(server, base, to, { name: 'out.orders', write: 'append' }, ways.from);
  return {
    ...job,
    name: 'Changes of Postgres → Postgres, append',
    async reset() {
      base.clear();
      await clearTarget(sink, target);
      await job.reset();
    },
    async targets() {
      const twice =
        'SELECT _position FROM out.orders WHERE _position <> (SELECT min(_position) FROM out.orders)';
      const found = await sink.psql(`${twice} GROUP BY 1 HAVING count(*) > 1 LIMIT 1`, target);
      if (found !== '') throw new Error(`the change ${found} is in the log twice`);
      return [await dumpPostgres(target, LAST_OF_LOG)];
    },
    remove: () => base.remove(),
  };
}

/** The rows that a log ends in; a large name that an update left as it was stands further back. */
const LAST_OF_LOG = `WITH log AS (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY _position COLLATE "C" DESC) AS n,
           max(_position COLLATE "C") FILTER (WHERE _unchanged IS NULL) OVER (PARTITION BY id ORDER BY _position COLLATE "C") AS named
    FROM out.orders
    WHERE _position > COALESCE((SELECT max(_position COLLATE "C") FROM out.orders WHERE _op = 'truncate'), ''))
  SELECT ${PG_TEXT.replace(' name,', ' whole.name,')} FROM log
  JOIN (SELECT id AS owner, _position AS place, name FROM out.orders) AS whole ON owner = id AND place = named
  WHERE n = 1 AND _op <> 'delete'`;

/** Of every kind: new rows, values that are not sent because they stay, keys that change, rows and all rows that go. */
const CHANGES = `
  INSERT INTO "Src".orders (id, ref) VALUES (-1, md5('x')::uuid); TRUNCATE "Src".orders;
  DO $$ BEGIN FOR i IN 0..19 LOOP
    INSERT INTO "Src".orders ${FILL} OFFSET i * 300 LIMIT 300;
    UPDATE "Src".orders SET name = (SELECT string_agg(md5(k::text), '') FROM generate_series(1, 200) k) WHERE id = i * 300 + 5;
    UPDATE "Src".orders SET qty = qty + 1 WHERE id % 5 = 0 AND id > i * 300;
    UPDATE "Src".orders SET id = -id WHERE id = i * 300 + 5 OR id = i * 300 + 205;
    DELETE FROM "Src".orders WHERE id % 9 = 1 AND id > i * 300;
    COMMIT;
  END LOOP; END $$`;

async function clearTarget(server: PostgresServer, url: string): Promise<void> {
  await server.psql(
    'DROP SCHEMA IF EXISTS out CASCADE; DROP TABLE IF EXISTS _sluice_jobs, _sluice_streams, _sluice_commits',
    url,
  );
}

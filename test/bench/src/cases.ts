/** The comparisons: the same rows moved by the floor and by Sluice. */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { ConnectionSpec, SinkSpec, TransformSpec } from '@sluice/sdk';
import type { PostgresServer } from '@sluice/test';
import type { BenchFiles } from './bench-files.js';
import { applyChanges } from './changes/apply-changes.js';
import { debezium } from './changes/debezium.js';
import { firstCopy } from './changes/first-copy.js';
import { readChanges } from './changes/read-changes.js';
import type { Comparison, Contender } from './compare.js';
import { COLUMNS, DUCKDB_COLUMNS } from './dataset.js';
import { readNothingNew } from './nothing-new.js';
import { shell } from './process-run.js';
import { readVerify } from './verify.js';

export interface Place {
  readonly server: PostgresServer;
  readonly files: BenchFiles;
  readonly rows: number;
  /** Of the server: those of others are to be the same. */
  readonly settings: { readonly [name: string]: string };
}

export const CASES: { readonly [name: string]: (place: Place) => Promise<Comparison> } = {
  'pg-pg': async (p) => ({
    name: 'Postgres → Postgres, same types',
    rows: p.rows,
    atMost: p.rows >= 10_000_000 ? 1.15 : 1.3,
    floor: psqlCopy(p),
    ours: toPostgres(p, 'pg-pg', []),
  }),
  'pg-pg-transform': async (p) => ({
    name: 'Postgres → Postgres, mask + filter + compute',
    rows: p.rows,
    atMost: 1.6,
    floor: psqlCopy(p),
    ours: toPostgres(p, 'pg-pg-transform', [
      { use: 'mask', columns: { note: 'hmac' }, key: 'not-a-secret-only-a-benchmark' },
      { use: 'filter', where: 'qty >= 0' },
      { use: 'compute', columns: { total: 'amount * decimal(qty)' } },
    ]),
  }),
  'csv-pg': async (p) => {
    const csv = p.files.path('rows.csv');
    await p.server.psql(`\\copy (SELECT * FROM bench.rows ORDER BY id) TO '${csv}' (FORMAT csv, HEADER)`);
    return {
      name: `CSV (${Math.round(statSync(csv).size / 1e6)} MB) → Postgres`,
      rows: p.rows,
      atMost: 1.4,
      floor: {
        command: shell(
          'psql \\copy csv',
          `psql -q '${p.server.url}' -c "\\copy bench.target FROM '${csv}' (FORMAT csv, HEADER)"`,
        ),
        prepare: () => emptyTarget(p),
        landed: () => count(p),
      },
      ours: {
        ...toPostgres(p, 'csv-pg', []),
        command: p.files.run({
          name: 'csv-pg',
          connections: { source: { connector: 'file', path: csv }, target: postgres(p) },
          flows: { main: { source: 'source', streams: { rows: { key: ['id'] } }, sinks: { main: TARGET } } },
        }),
      },
    };
  },
  /** Against the slower of the two alone, which reads, transforms and commits as much. */
  'pg-both': async (p) => ({
    name: 'Postgres → Postgres and Parquet in one flow, against Postgres alone',
    rows: p.rows,
    atMost: 1.25,
    floor: toPostgres(p, 'pg-alone', []),
    ours: toBoth(p),
  }),
  /** One row in a thousand has an amount that is no number. */
  'csv-bad-rows': async (p) => {
    const good = await csvFile(p, 'good.csv', '');
    const bad = await csvFile(p, 'bad.csv', ` WHERE id % 1000 <> 7 UNION ALL ${BAD_ROWS} ORDER BY id`);
    return {
      name: 'CSV → Postgres with 0.1% bad rows, dead letters to a file, against none bad',
      rows: p.rows,
      oursRows: p.rows - Math.floor((p.rows + 993) / 1000),
      atMost: 1.3,
      floor: fromCsv(p, 'csv-good', good),
      ours: fromCsv(p, 'csv-bad', bad),
    };
  },
  'pg-changes': (p) => readChanges(p, 'pg-changes', 100),
  'pg-changes-single': (p) => readChanges(p, 'pg-changes-single', 1),
  'pg-apply': (p) => applyChanges(p, 'pg-apply', 100),
  'pg-apply-single': (p) => applyChanges(p, 'pg-apply-single', 1),
  debezium: (p) => applyChanges(p, 'debezium', 100, debezium, 0.5),
  'first-copy': firstCopy,
  'nothing-new': readNothingNew,
  verify: readVerify,
  'pg-parquet': async (p) => ({
    name: 'Postgres → Parquet (snappy)',
    rows: p.rows,
    atMost: 1.35,
    floor: duckdbFloor(p, 'parquet'),
    ours: {
      command: p.files.run({
        name: 'pg-parquet',
        source: postgres(p),
        streams: ['bench.rows'],
        sink: { connector: 'file', path: p.files.path('parquet-ours'), format: 'parquet', codec: 'snappy' },
        write: 'replace',
      }),
      prepare: async () => {
        p.files.forget('pg-parquet');
        rmSync(p.files.path('parquet-ours'), { recursive: true, force: true });
      },
      landed: () => duckdbCount(':memory:', `read_parquet('${p.files.path('parquet-ours')}/**/*.parquet')`),
    },
  }),
  'pg-duckdb': async (p) => ({
    name: 'Postgres → DuckDB',
    rows: p.rows,
    atMost: 1.5,
    floor: duckdbFloor(p, 'table'),
    ours: {
      command: p.files.run({
        name: 'pg-duckdb',
        source: postgres(p),
        streams: ['bench.rows'],
        sink: { connector: 'duckdb', path: p.files.path('ours.duckdb') },
        write: 'replace',
      }),
      prepare: async () => {
        p.files.forget('pg-duckdb');
        for (const end of ['', '.wal']) rmSync(p.files.path(`ours.duckdb${end}`), { force: true });
      },
      landed: () => duckdbCount(p.files.path('ours.duckdb'), 'bench.rows'),
    },
  }),
};

/** A full copy into a table of its own, as the floors have one. */
const TARGET: SinkSpec = { to: 'target', write: 'replace', name: 'bench.target' };

const CSV_COLUMNS = 'id::text, ref, name, note, amount::text, qty, active, at, day, doc';
const BAD_ROWS = `SELECT id, ref, name, note, 'no number' AS amount, qty, active, at, day, doc FROM bench.rows WHERE id % 1000 = 7`;

async function csvFile(p: Place, name: string, rest: string): Promise<string> {
  const file = p.files.path(name);
  const columns = rest === '' ? '*' : CSV_COLUMNS.replace('id::text', 'id');
  const sql = `SELECT ${columns} FROM bench.rows${rest === '' ? ' ORDER BY id' : rest}`;
  await p.server.psql(`\\copy (${sql}) TO '${file}' (FORMAT csv, HEADER)`);
  return file;
}

/** A CSV file that is read tolerantly. */
function fromCsv(p: Place, name: string, csv: string): Contender {
  const letters = p.files.path(`${name}-letters`);
  const { prepare, landed } = toPostgres(p, name, []);
  return {
    command: p.files.run({
      name,
      connections: {
        source: { connector: 'file', path: csv, types: { amount: 'decimal(12,2)' } },
        target: postgres(p),
        letters: { connector: 'file', path: letters, format: 'jsonl' },
      },
      flows: {
        main: { source: 'source', streams: { '*': { key: ['id'] } }, sinks: { main: TARGET } },
      },
      errors: { deadLetter: 'letters', max: '1%' },
    }),
    prepare: async () => {
      await prepare();
      rmSync(letters, { recursive: true, force: true });
    },
    landed,
  };
}

/** One flow with two sinks. */
function toBoth(p: Place): Contender {
  const parquet = p.files.path('both-parquet');
  const { prepare, landed } = toPostgres(p, 'pg-both', []);
  return {
    command: p.files.run({
      name: 'pg-both',
      connections: {
        source: postgres(p),
        target: postgres(p),
        lake: { connector: 'file', path: parquet, format: 'parquet', codec: 'snappy' },
      },
      flows: {
        main: {
          source: 'source',
          streams: ['bench.rows'],
          sinks: { main: TARGET, lake: { to: 'lake', write: 'replace' } },
        },
      },
    }),
    prepare: async () => {
      await prepare();
      rmSync(parquet, { recursive: true, force: true });
    },
    landed: async () => {
      const files = await duckdbCount(':memory:', `read_parquet('${parquet}/**/*.parquet')`);
      const rows = await landed();
      if (files !== rows) throw new Error(`${files} rows landed in Parquet, ${rows} in Postgres`);
      return rows;
    },
  };
}

function postgres({ server }: Place): ConnectionSpec {
  return { connector: 'postgres', url: server.url };
}

function psqlCopy(p: Place): Contender {
  const { url } = p.server;
  const line = `psql -q '${url}' -c 'COPY bench.rows TO STDOUT (FORMAT binary)' | psql -q '${url}' -c 'COPY bench.target FROM STDIN (FORMAT binary)'`;
  return { command: shell('psql | psql', line), prepare: () => emptyTarget(p), landed: () => count(p) };
}

function toPostgres(p: Place, name: string, transforms: TransformSpec[]): Contender {
  return {
    command: p.files.run({
      name,
      connections: { source: postgres(p), target: postgres(p) },
      flows: { main: { source: 'source', streams: ['bench.rows'], transforms, sinks: { main: TARGET } } },
    }),
    prepare: async () => {
      p.files.forget(name);
      await p.server.psql(
        'DROP TABLE IF EXISTS bench.target; DROP TABLE IF EXISTS _sluice_jobs, _sluice_streams, _sluice_commits; CHECKPOINT;',
      );
    },
    landed: () => count(p),
  };
}

async function emptyTarget({ server }: Place): Promise<void> {
  await server.psql(`DROP TABLE IF EXISTS bench.target; CREATE TABLE bench.target (${COLUMNS}); CHECKPOINT;`);
}

async function count({ server }: Place): Promise<number> {
  return Number((await server.psql('SELECT count(*) FROM bench.target')).trim());
}

async function duckdbCount(database: string, relation: string): Promise<number> {
  const instance = await DuckDBInstance.create(database);
  try {
    const connection = await instance.connect();
    const rows = await connection.runAndReadAll(`SELECT count(*) FROM ${relation}`);
    connection.closeSync();
    return Number(rows.getRows()[0]![0]);
  } finally {
    instance.closeSync();
  }
}

/** `psql` writes CSV into a pipe that DuckDB reads. */
function duckdbFloor(p: Place, into: 'parquet' | 'table'): Contender {
  const pipe = p.files.path(`floor-${into}.pipe`);
  const file = p.files.path(into === 'parquet' ? 'floor.parquet' : 'floor.duckdb');
  const script = p.files.path(`floor-${into}.mjs`);
  const rows = `read_csv('${pipe}', header=false, columns=${DUCKDB_COLUMNS}, parallel=false)`;
  const statement =
    into === 'parquet'
      ? `COPY (SELECT * FROM ${rows}) TO '${file}' (FORMAT parquet, COMPRESSION snappy)`
      : `CREATE TABLE target AS SELECT * FROM ${rows}`;
  const api = new URL(import.meta.resolve('@duckdb/node-api')).pathname;
  writeFileSync(
    script,
    `import duckdb from ${JSON.stringify(api)};
const instance = await duckdb.DuckDBInstance.create(${JSON.stringify(into === 'parquet' ? ':memory:' : file)});
const connection = await instance.connect();
await connection.run(${JSON.stringify(statement)});
connection.closeSync();
instance.closeSync();
`,
  );
  const line = `rm -f '${pipe}'; mkfifo '${pipe}'; psql -q '${p.server.url}' -c 'COPY bench.rows TO STDOUT (FORMAT csv)' > '${pipe}' & '${process.execPath}' '${script}'; wait`;
  return {
    command: shell(`CSV into DuckDB, ${into}`, line),
    prepare: async () => {
      for (const end of ['', '.wal']) rmSync(join(`${file}${end}`), { force: true });
    },
    landed: () =>
      into === 'parquet' ? duckdbCount(':memory:', `read_parquet('${file}')`) : duckdbCount(file, 'target'),
  };
}

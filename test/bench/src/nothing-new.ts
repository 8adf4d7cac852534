/** A thousand tables that have not changed since the last increment: what a run costs that has nothing to do. */
import { writeFileSync } from 'node:fs';
import type { StreamSpec } from '@sluice/sdk';
import type { Place } from './cases.js';
import type { Comparison } from './compare.js';
import { measure, shell } from './process-run.js';

const NAME = 'nothing-new';
const STREAMS = 1000;
const ROWS = 100;

export async function readNothingNew({ server, files }: Place): Promise<Comparison> {
  await server.psql(makeTables());
  const read: StreamSpec = { mode: 'incremental', cursor: { column: 'at', clock: 'database' } };
  const job = files.run({
    name: NAME,
    connections: {
      source: { connector: 'postgres', url: server.url },
      target: { connector: 'postgres', url: server.url },
    },
    flows: {
      main: {
        source: 'source',
        streams: { 'bench_many.t*': read },
        sinks: { main: { to: 'target', write: 'upsert', name: 'bench_many_copy.{stream}' } },
      },
    },
  });
  await measure(job);
  const questions = files.path(`${NAME}.sql`);
  writeFileSync(
    questions,
    tableNames()
      .map((name) => `SELECT max(at) FROM ${name};\n`)
      .join(''),
  );
  const landed = () => server.psql(`SELECT count(*) FROM bench_many_copy.t7`).then(Number);
  const prepare = async () => {};
  return {
    name: `Increments of ${STREAMS} tables with nothing new, against one SELECT max each`,
    rows: ROWS,
    atMost: 2,
    floor: {
      command: shell('psql', `psql -qAt '${server.url}' -f ${questions} -o /dev/null`),
      prepare,
      landed,
    },
    ours: { command: job, prepare, landed },
  };
}

function tableNames(): string[] {
  return Array.from({ length: STREAMS }, (_, i) => `bench_many.t${i}`);
}

function makeTables(): string {
  const tables = tableNames().map(
    (name) => `
    CREATE TABLE ${name} (id bigint PRIMARY KEY, name text, at timestamptz NOT NULL);
    INSERT INTO ${name} SELECT g, 'row ' || g, now() - interval '1 day' FROM generate_series(1, ${ROWS}) g;
    CREATE INDEX ON ${name} (at);`,
  );
  const schemas = `DROP SCHEMA IF EXISTS bench_many CASCADE; DROP SCHEMA IF EXISTS bench_many_copy CASCADE; CREATE SCHEMA bench_many;`;
  return `${schemas}${tables.join('')} ANALYZE;`;
}

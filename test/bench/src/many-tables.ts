/** Planning of many tables: how long it takes and how much memory, beside psql asking the catalogue for the columns. */
import type { PostgresServer } from '@sluice/test';
import type { BenchFiles } from './bench-files.js';
import { median } from './compare.js';
import { measure, shell } from './process-run.js';

export interface ManyTables {
  readonly name: string;
  readonly tables: number;
  /** Of psql, which asks for all columns and their types. */
  readonly floorSeconds: number;
  readonly oursSeconds: number;
  readonly oursPeakMiB: number;
  readonly atMostSeconds: number;
  readonly atMostMiB: number;
  readonly within: boolean;
}

const TABLES = 10_000;
const AT_MOST_SECONDS = 10;
const AT_MOST_MIB = 300;

/** Committed in parts, since a transaction holds a lock on each table that it makes. */
const CREATE = `DO $$ BEGIN FOR i IN 1..${TABLES} LOOP
  EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY, name text NOT NULL, code varchar(20), amount numeric(12,2),
    at timestamptz NOT NULL, day date, flag boolean, doc jsonb, ref uuid, n integer)', i);
  IF i % 500 = 0 THEN COMMIT; END IF;
END LOOP; END $$`;

const CATALOGUE = `SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1, 2, a.attnum`;

/** With targets that are to be made, and with targets that are there. */
export async function manyTables(
  server: PostgresServer,
  files: BenchFiles,
  rounds: number,
): Promise<ManyTables[]> {
  const [source, empty, full] = [
    await server.createDatabase(),
    await server.createDatabase(),
    await server.createDatabase(),
  ];
  for (const url of [source, full]) await server.psql(CREATE, url);
  return [
    await planned('to be made', source, empty, files, rounds),
    await planned('there', source, full, files, rounds),
  ];
}

async function planned(
  targets: string,
  source: string,
  target: string,
  files: BenchFiles,
  rounds: number,
): Promise<ManyTables> {
  const floor = shell('psql', `psql -AtX '${source}' -c "${CATALOGUE}"`);
  const ours = files.plan({
    name: `many-tables-${targets.replaceAll(' ', '-')}`,
    source: { connector: 'postgres', url: source },
    streams: ['public.t*'],
    sink: { connector: 'postgres', url: target },
    write: 'replace',
  });
  const floors: number[] = [];
  const times: number[] = [];
  let peak = 0;
  for (let round = 0; round <= rounds; round++) {
    const asked = await measure(floor);
    const mine = await measure(ours);
    const found = /[\d,]+(?= streams)/.exec(mine.stdout)?.[0] ?? 'none';
    if (found !== TABLES.toLocaleString('en')) throw new Error(`${found} of ${TABLES} tables were planned`);
    if (round === 0) continue;
    floors.push(asked.seconds);
    times.push(mine.seconds);
    peak = Math.max(peak, mine.peakMiB);
  }
  const oursSeconds = median(times);
  return {
    name: `plan of ${TABLES.toLocaleString('en')} tables, targets ${targets}`,
    tables: TABLES,
    floorSeconds: median(floors),
    oursSeconds,
    oursPeakMiB: peak,
    atMostSeconds: AT_MOST_SECONDS,
    atMostMiB: AT_MOST_MIB,
    within: oursSeconds <= AT_MOST_SECONDS && peak <= AT_MOST_MIB,
  };
}

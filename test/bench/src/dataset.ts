/** The benchmark's table: ten mixed columns, about 140 bytes a row as text. */
import type { PostgresServer } from '@sluice/test';

/** Column definitions, as both sides of every comparison have them. */
export const COLUMNS = `
  id bigint PRIMARY KEY, ref uuid NOT NULL, name text NOT NULL, note text, amount numeric(12,2) NOT NULL,
  qty integer NOT NULL, active boolean NOT NULL, at timestamptz NOT NULL, day date NOT NULL, doc jsonb`;

/** The same columns for DuckDB's CSV reader. */
export const DUCKDB_COLUMNS = `{'id':'BIGINT','ref':'UUID','name':'VARCHAR','note':'VARCHAR','amount':'DECIMAL(12,2)','qty':'INTEGER','active':'BOOLEAN','at':'TIMESTAMPTZ','day':'DATE','doc':'JSON'}`;

/** Creates `bench.rows` with so many rows; the same rows every time. */
export async function createDataset(server: PostgresServer, rows: number): Promise<void> {
  await server.psql(`
    DROP SCHEMA IF EXISTS bench CASCADE;
    CREATE SCHEMA bench;
    CREATE TABLE bench.rows (${COLUMNS});
    INSERT INTO bench.rows
    SELECT g, md5(g::text)::uuid, 'customer ' || (g * 7919 % 100003), CASE WHEN g % 10 = 0 THEN NULL ELSE 'note, "q" ' || left(md5((g * 3)::text), 8) END,
      ((g * 37) % 1000000)::numeric / 100, ((g * 31) % 10000)::int, g % 3 = 0,
      timestamptz '2020-01-01 00:00:00Z' + g * interval '1 minute' + (g % 1000) * interval '1 microsecond',
      date '2020-01-01' + (g % 2000)::int, CASE WHEN g % 7 = 0 THEN NULL ELSE jsonb_build_object('k', g % 100, 't', 'v' || g % 10) END
    FROM generate_series(1::bigint, ${rows}) g;
    VACUUM ANALYZE bench.rows;
    CHECKPOINT;`);
}

import { describeWithServer, needsPythonReaders } from '@sluice/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  changesToDuckdb,
  createSource,
  csvToDuckdb,
  dieAt,
  dieSometime,
  finishAndCompare,
  pointsOf,
  postgresToBoth,
  postgresToParquet,
  postgresToPostgres,
  type Scenario,
} from './scenario.js';

const MINUTES = 60_000;
/** Random instants per scenario; `npm run soak` has two hundred. */
const INSTANTS = 4;

describeWithServer('postgres-15', (server) => {
  needsPythonReaders();
  let source: string;
  beforeAll(async () => {
    source = await createSource(server());
  });

  const scenarios: { readonly [name: string]: () => Promise<Scenario> } = {
    'Postgres → Postgres, page ranges, replace': () =>
      postgresToPostgres(server(), source, 'ctid', 'replace'),
    'Postgres → Postgres, key ranges, append': () => postgresToPostgres(server(), source, 'key', 'append'),
    'Postgres → Postgres, key ranges, upsert': () => postgresToPostgres(server(), source, 'key', 'upsert'),
    'Postgres → Postgres, by a cursor, append': () =>
      postgresToPostgres(server(), source, 'cursor', 'append'),
    'Postgres → Postgres, page ranges, mirror': () => postgresToPostgres(server(), source, 'ctid', 'mirror'),
    'CSV → DuckDB, mirror': () => csvToDuckdb(server(), source, 'mirror'),
    'CSV → DuckDB, replace': () => csvToDuckdb(server(), source, 'replace'),
    'CSV → DuckDB, append': () => csvToDuckdb(server(), source, 'append'),
    'Postgres → Parquet, replace': () => postgresToParquet(source, 'replace'),
    'Postgres → Parquet, append': () => postgresToParquet(source, 'append'),
    'Changes of Postgres → DuckDB, upsert': () => changesToDuckdb(server()),
    'Postgres → Postgres and Parquet, append': () => postgresToBoth(server(), source, 'append'),
  };

  describe.each(Object.entries(scenarios))('%s', (_, make) => {
    let scenario: Scenario;
    beforeAll(async () => {
      scenario = await make();
    });
    afterAll(() => scenario.remove());

    it(
      'undisturbed, ends equal to the source',
      async () => {
        await scenario.reset();
        await finishAndCompare(scenario, 'undisturbed');
      },
      2 * MINUTES,
    );

    it(
      'killed at every named point, ends equal to the source',
      async () => {
        const points = await pointsOf(scenario);
        expect(points.map(({ name }) => name)).toContain('commit.before-ledger');
        expect(points.length).toBeGreaterThan(8);
        for (const { name, hits } of points) {
          const middle = Math.ceil(hits / 2);
          await dieAt(scenario, `${name}@${middle}`);
        }
      },
      15 * MINUTES,
    );

    it(
      'killed at random instants, ends equal to the source',
      async () => {
        let killed = 0;
        await scenario.reset();
        const began = performance.now();
        await finishAndCompare(scenario, 'undisturbed');
        const window = Math.min(1200, performance.now() - began);
        for (let seed = 1; seed <= INSTANTS; seed++) {
          if ((await dieSometime(scenario, window, seed)).killed) killed++;
        }
        expect(killed).toBeGreaterThan(0);
      },
      5 * MINUTES,
    );
  });
});

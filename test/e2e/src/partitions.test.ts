/** Rows in folders by their columns, from the job's option to a job that reads them again. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resultOf, Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

async function run(job: object): Promise<number[]> {
  const exit = await place.sluice([
    'run',
    place.job('job.json', job as { [key: string]: unknown }),
    '--quiet',
  ]);
  expect(exit.code, exit.stderr + exit.stdout).toBe(0);
  return resultOf(exit.stdout).streams.map(({ committed }) => committed);
}

it('increments go into folders by partitionBy, and come back from there by increments', async () => {
  const out = {
    name: 'out',
    source: { connector: 'file', path: 'in/*.csv', stream: 'orders' },
    mode: 'incremental',
    sink: { connector: 'file', path: 'lake' },
    write: 'append',
    options: { partitionBy: ['year', 'kind'] },
  };
  const back = {
    name: 'back',
    source: { connector: 'file', path: 'lake' },
    mode: 'incremental',
    sink: { connector: 'duckdb', path: 'back.duckdb' },
    write: 'append',
  };
  place.write('in/1.csv', 'id,year,kind\n1,2023,a/b\n2,2024,\n');
  expect(await run(out)).toEqual([2]);
  expect(await run(back)).toEqual([2]);
  place.write('in/2.csv', 'id,year,kind\n3,2024,c\n4,2023,a/b\n');
  expect(await run(out)).toEqual([2]);
  expect(await run(back)).toEqual([2]);
  expect(await run(back)).toEqual([0]);
  const rows = [
    ['1', '2023', 'a/b'],
    ['2', '2024', null],
    ['3', '2024', 'c'],
    ['4', '2023', 'a/b'],
  ];
  expect(await place.query('back.duckdb', 'SELECT id, year, kind FROM main.orders ORDER BY id')).toEqual(
    rows,
  );
  const theirs = `SELECT id, year, kind FROM read_parquet('${place.path('lake/orders')}/*/*/*.parquet', hive_partitioning=true) ORDER BY id`;
  expect(await place.query('back.duckdb', theirs)).toEqual(rows);
});

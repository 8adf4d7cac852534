/** A folder whose later files have other columns than earlier ones, read by increments. */
import { DuckDBInstance } from '@duckdb/node-api';
import type { JobSpec } from '@sluice/sdk';
import { dumpParquet, expectSameRows, needsPythonReaders } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resultOf, Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
  place.write('in/.keep', '');
});
afterEach(() => place.remove());

/** Files as DuckDB writes them. */
const FORMATS = { csv: 'CSV, HEADER', jsonl: 'JSON', parquet: 'PARQUET' } as const;
type Ending = keyof typeof FORMATS;

async function put(ending: Ending, name: string, select: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(
    `COPY (${select}) TO '${place.path(`in/${name}.${ending}`)}' (FORMAT ${FORMATS[ending]})`,
  );
  connection.closeSync();
  instance.closeSync();
}

function job(ending: Ending, more: Partial<JobSpec> = {}): string {
  return place.job('job.json', {
    name: 'evolving',
    connections: {
      inbox: { connector: 'file', path: `in/*.${ending}`, stream: 's' },
      lake: { connector: 'duckdb', path: 'lake.duckdb' },
      files: { connector: 'file', path: 'files' },
    },
    flows: {
      main: {
        source: 'inbox',
        mode: 'incremental',
        streams: { s: {} },
        sinks: { lake: { to: 'lake', write: 'append' }, files: { to: 'files', write: 'append' } },
      },
    },
    ...more,
  } as JobSpec);
}

async function run(file: string, code = 0) {
  const exit = await place.sluice(['run', file, '--quiet']);
  expect(exit.code, exit.stderr + exit.stdout).toBe(code);
  return resultOf(exit.stdout);
}

/** Runs the job; how many rows each sink has got. */
async function newRows(file: string): Promise<number[]> {
  return (await run(file)).streams.map(({ committed }) => committed);
}

const inLake = (columns: string) => place.query('lake.duckdb', `SELECT ${columns} FROM main.s ORDER BY id`);

describe.each(Object.keys(FORMATS) as Ending[])('%s', (ending) => {
  needsPythonReaders();

  it('columns that come, go and move are followed by both sinks; each file is read once', async () => {
    await put(ending, '1', `SELECT 1 AS id, 'Ada' AS name, 'x' AS gone`);
    const file = job(ending);
    await run(file);
    await put(ending, '2', `SELECT 'Bob' AS name, 2 AS id, 'b@x' AS email`);
    expect(await newRows(file)).toEqual([1, 1]);
    await put(ending, '3', `SELECT 3 AS id, 2.5 AS score`);
    expect(await newRows(file)).toEqual([1, 1]);
    expect(await newRows(file)).toEqual([0, 0]);
    const columns = 'CAST(id AS VARCHAR) AS id, name, gone, email, CAST(score AS VARCHAR) AS score';
    expect(await inLake(columns)).toEqual([
      ['1', 'Ada', 'x', null, null],
      ['2', 'Bob', null, 'b@x', null],
      ['3', null, null, null, '2.5'],
    ]);
    const files = place.path('files/s/*.parquet');
    const union = `SELECT ${columns} FROM read_parquet('${files}', union_by_name=true)`;
    const rows = ['"1","Ada","x",,', '"2","Bob",,"b@x",', '"3",,,,"2.5"'];
    expectSameRows({ heading: 'id,name,gone,email,score', rows }, await dumpParquet(files, union, 'duckdb'));
  });
});

it('a new column ends the run where the job freezes them, or is left out', async () => {
  await put('csv', '1', `SELECT 1 AS id, 'Ada' AS name`);
  await run(job('csv'));
  await put('csv', '2', `SELECT 2 AS id, 'b@x' AS email, 'Bob' AS name`);
  const { error } = await run(job('csv', { schema: { columns: 'freeze' } }), 4);
  expect(error).toMatchObject({
    code: 'SLUICE-CORE-0115',
    message: 'stream s has changed: column email is new',
  });
  await run(job('csv', { schema: { columns: 'discard_value' } }));
  expect(await inLake('*')).toEqual([
    [expect.anything(), 'Ada'],
    [expect.anything(), 'Bob'],
  ]);
});

it('a type that widens in a later file ends the run before anything is written, where the target cannot follow', async () => {
  place.write('in/1.csv', 'id,n\n1,5\n');
  await run(job('csv'));
  place.write('in/2.csv', 'id,n\n2,5.5\n');
  const { error } = await run(job('csv'), 4);
  expect(error).toMatchObject({ class: 'contract', details: { column: 'n' } });
  expect(await inLake('id, n')).toHaveLength(1);
  await run(job('csv', { schema: { types: 'discard_value' } }));
  expect(await inLake('n')).toEqual([['5'], [null]]);
});

it('a type that widens in a later Parquet file is followed by the target', async () => {
  await put('parquet', '1', 'SELECT 1 AS id, 5::SMALLINT AS n');
  await run(job('parquet'));
  await put('parquet', '2', 'SELECT 2 AS id, 5000000000::BIGINT AS n');
  await run(job('parquet'));
  expect(await inLake('n')).toEqual([['5'], ['5000000000']]);
});

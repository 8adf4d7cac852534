/** `sluice run --refresh`: one stream is copied afresh from its beginning, the others go on where they are. */
import { cpSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import type { JobSpec } from '@sluice/sdk';
import { killAt, listFailpoints, type Program } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resultOf, SLUICE, Workspace } from './cli-workspace.js';

const MINUTE = 60_000;

let place: Workspace;
let job: string;
beforeEach(async () => {
  place = new Workspace();
  await change(`
    CREATE TABLE orders (id INTEGER PRIMARY KEY, note VARCHAR);
    CREATE TABLE people (id INTEGER PRIMARY KEY, note VARCHAR);
    INSERT INTO orders SELECT range, 'old' FROM range(100);
    INSERT INTO people SELECT range, 'old' FROM range(50)`);
  const spec: JobSpec = {
    name: 'shop',
    source: { connector: 'duckdb', path: 'shop.duckdb' },
    streams: { 'main.*': { key: ['id'], cursor: { column: 'id', clock: 'database' } } },
    mode: 'incremental',
    sink: { connector: 'duckdb', path: 'mart.duckdb' },
    write: 'upsert',
  };
  job = place.job('job.json', spec);
});
afterEach(() => place.remove());

/** Changes the source, as another program does. */
async function change(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(place.path('shop.duckdb'));
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

async function run(...more: string[]): Promise<ReturnType<typeof resultOf>> {
  const exit = await place.sluice(['run', job, ...more]);
  expect(exit.code, exit.stderr).toBe(0);
  return resultOf(exit.stdout);
}

/** How many rows of a table say what in the target. */
const target = async (table: string) =>
  Object.fromEntries(
    await place.query('mart.duckdb', `SELECT note, count(*)::int FROM ${table} GROUP BY note ORDER BY note`),
  );

/** Rows behind the cursor change, which no increment sees. */
const CHANGED = `UPDATE orders SET note = 'new' WHERE id < 30; UPDATE people SET note = 'new'; INSERT INTO people VALUES (50, 'more')`;

it(
  'begins one stream anew and lets the others go on',
  async () => {
    await run();
    await change(CHANGED);
    const { streams } = await run('--refresh', 'main.orders');
    expect(
      Object.fromEntries(streams.map(({ stream, generation, read }) => [stream, [generation, read]])),
    ).toEqual({
      'main.orders': [2, 100],
      'main.people': [1, 1],
    });
    expect(await target('orders')).toEqual({ new: 30, old: 70 });
    expect(await target('people')).toEqual({ more: 1, old: 50 });
    await change(`INSERT INTO orders VALUES (100, 'more')`);
    expect((await run()).rows).toBe(1);
    expect(await target('orders')).toEqual({ more: 1, new: 30, old: 70 });
  },
  MINUTE,
);

it(
  'adds nothing to a full append that is complete, but to the stream that is asked for',
  async () => {
    const spec: JobSpec = {
      name: 'append',
      source: { connector: 'duckdb', path: 'shop.duckdb' },
      sink: { connector: 'duckdb', path: 'mart.duckdb' },
      write: 'append',
    };
    job = place.job('append.json', spec);
    await run();
    await run('--refresh', 'main.orders');
    expect([await target('orders'), await target('people')]).toEqual([{ old: 200 }, { old: 50 }]);
  },
  MINUTE,
);

it(
  'names a stream that the job has',
  async () => {
    const exit = await place.sluice(['run', job, '--refresh', 'main.order']);
    expect(exit.code).toBe(2);
    expect(exit.stderr).toContain('SLUICE-CLI-0003');
    expect(exit.stderr.replace(/\s+/g, ' ')).toContain(
      'no stream of job shop matches main.order; there are main.orders, main.people',
    );
  },
  MINUTE,
);

it(
  'killed anywhere: the same job without it completes the refresh that has begun, and none that has not',
  async () => {
    const program: Program = {
      command: process.execPath,
      args: [SLUICE, 'run', job, '--refresh', 'main.orders'],
      cwd: place.folder,
    };
    const names = ['.sluice', 'mart.duckdb', 'shop.duckdb'];
    await run();
    await change(`UPDATE orders SET note = 'new' WHERE id < 30`);
    for (const name of names) cpSync(place.path(name), place.path('saved', name), { recursive: true });
    const restore = () => {
      place.forget(...names, 'mart.duckdb.wal');
      cpSync(place.path('saved'), place.folder, { recursive: true });
    };
    // The sink's own points are tried where its commits are.
    const ofTheEngine = /^(settle|plan|prepare|commit|publish)\./;
    const passed = (await listFailpoints(program)).map(({ name }) => name);
    const points = [...new Set(passed)].filter((name) => ofTheEngine.test(name));
    expect(points.length).toBeGreaterThan(7);
    const outcomes = new Set<string>();
    for (const point of points) {
      restore();
      await killAt(program, point);
      const { streams } = await run();
      const { generation } = streams.find(({ stream }) => stream === 'main.orders')!;
      outcomes.add(`generation ${generation}`);
      expect(await target('orders'), `killed at ${point}`).toEqual(
        generation === 2 ? { new: 30, old: 70 } : { old: 100 },
      );
      expect(await target('people')).toEqual({ old: 50 });
    }
    expect([...outcomes].sort()).toEqual(['generation 1', 'generation 2']);
    expect((await run()).rows, 'nothing is left to do').toBe(0);
  },
  5 * MINUTE,
);

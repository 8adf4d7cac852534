/**
 * A disk that is full: each place where a run writes ends it with a coded error that names the place and says what to do, and
 * with the exit code for what may pass by itself. When there is space again, the same command ends in the same data.
 */
import type { JobSpec } from '@sluice/sdk';
import {
  dumpDuckdb,
  dumpParquet,
  expectSameRows,
  needsPythonReaders,
  needsSmallDisk,
  SmallDisk,
} from '@sluice/test';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lines, resultOf, Workspace } from './cli-workspace.js';

const MiB = 1 << 20;
const MINUTE = 60_000;
const TRANSIENT = 75;

let disk: SmallDisk;
let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => {
  place.remove();
  disk.empty();
});

const source = { connector: 'generate', rows: 60_000, splitRows: 20_000 };
const delivery = { commit: { rows: 5000 } };

const onDisk = (name: string) => `${disk.folder}/${name}`;

/** Runs the job on a disk with so little space, and again with all of it. */
async function runTwice(job: JobSpec, spare: number): Promise<ReturnType<typeof resultOf>> {
  const file = place.job('job.json', job);
  disk.leave(spare);
  const failed = await place.sluice(['run', file]);
  expect(failed.code, failed.stderr).toBe(TRANSIENT);
  disk.free();
  const again = await place.sluice(['run', file]);
  expect(again.code, again.stderr).toBe(0);
  const result = resultOf(failed.stdout);
  expect(failed.stderr.replace(/\s+/g, ' ')).toMatch(/[Ss]pace|[Rr]oom/);
  expect(result.error?.message).toContain(disk.folder);
  return result;
}

describe('a full disk', () => {
  needsSmallDisk();
  needsPythonReaders();
  beforeAll(async () => {
    disk = await SmallDisk.mount(64 * MiB);
  });
  afterAll(() => disk.unmount());

  it(
    'under a file sink with CSV',
    async () => {
      const job = (path: string): JobSpec => ({
        name: 'csv',
        source,
        sink: { connector: 'file', path, format: 'csv' },
        delivery,
      });
      const result = await runTwice(job(onDisk('out/')), 3 * MiB);
      expect(result.error?.code).toBe('SLUICE-STORAGE-0004');
      const roomy = await place.sluice(['run', place.job('roomy.json', { ...job('roomy/'), name: 'roomy' })]);
      expect(roomy.code, roomy.stderr).toBe(0);
      const read = (folder: string) =>
        dumpDuckdb(':memory:', `SELECT * FROM read_csv('${folder}/rows/*.csv', all_varchar = true)`);
      expectSameRows(await read(place.path('roomy')), await read(onDisk('out')));
    },
    2 * MINUTE,
  );

  it(
    'under a file sink with Parquet, which replaces what is there only when it is whole',
    async () => {
      const job = (path: string): JobSpec => ({
        name: 'parquet',
        source,
        sink: { connector: 'file', path },
        write: 'replace',
        delivery,
      });
      const result = await runTwice(job(onDisk('out/')), MiB);
      expect(result.error?.code).toBe('SLUICE-STORAGE-0004');
      const roomy = await place.sluice(['run', place.job('roomy.json', { ...job('roomy/'), name: 'roomy' })]);
      expect(roomy.code, roomy.stderr).toBe(0);
      const read = (folder: string) => dumpParquet(`${folder}/rows/*.parquet`, 'SELECT * FROM files');
      expectSameRows(await read(place.path('roomy')), await read(onDisk('out')));
    },
    2 * MINUTE,
  );

  it(
    'under a DuckDB file',
    async () => {
      const job = (path: string): JobSpec => ({
        name: 'duck',
        source,
        sink: { connector: 'duckdb', path },
        write: 'append',
        delivery,
      });
      const result = await runTwice(job(onDisk('lake.duckdb')), 3 * MiB);
      expect(result.error?.code).toBe('SLUICE-DUCKDB-0010');
      const roomy = await place.sluice([
        'run',
        place.job('roomy.json', { ...job('roomy.duckdb'), name: 'roomy' }),
      ]);
      expect(roomy.code, roomy.stderr).toBe(0);
      const read = (path: string) => dumpDuckdb(path, 'SELECT * FROM rows');
      expectSameRows(await read(place.path('roomy.duckdb')), await read(onDisk('lake.duckdb')));
    },
    2 * MINUTE,
  );

  it(
    'under the ledger: what it had been told is kept, and no row comes twice',
    async () => {
      const job: JobSpec = {
        name: 'ledger',
        source,
        sink: { connector: 'duckdb', path: 'lake.duckdb' },
        write: 'append',
        delivery: { commit: { rows: 100 } },
      };
      const file = place.job('job.json', job);
      const state = ['--state', onDisk('state.db')];
      disk.leave(1.5 * MiB);
      const failed = await place.sluice(['run', file, ...state]);
      expect(failed.code, failed.stderr).toBe(TRANSIENT);
      expect(resultOf(failed.stdout).error).toMatchObject({ code: 'SLUICE-CORE-0122' });
      expect(failed.stderr).toContain(onDisk('state.db'));
      disk.free();
      const again = await place.sluice(['run', file, ...state]);
      expect(again.code, again.stderr).toBe(0);
      expect(
        await place.query('lake.duckdb', 'SELECT count(*)::int, count(DISTINCT id)::int FROM rows'),
      ).toEqual([[60_000, 60_000]]);
    },
    2 * MINUTE,
  );

  it(
    'under dead letters in the ledger: none is lost and none counted twice',
    async () => {
      const bad = Array.from({ length: 4000 }, (_, i) =>
        JSON.stringify({ id: i, n: i % 2 === 0 ? 'x'.repeat(1500) : `${i}` }),
      );
      place.write('in.jsonl', bad.join('\n'));
      const job: JobSpec = {
        name: 'letters',
        source: { connector: 'file', path: 'in.jsonl' },
        transforms: [{ use: 'cast', columns: { n: 'int32' } }],
        sink: { connector: 'duckdb', path: 'lake.duckdb' },
        write: 'append',
        errors: { max: '90%' },
        delivery: { commit: { rows: 200 } },
      };
      const file = place.job('job.json', job);
      const state = ['--state', onDisk('state.db')];
      disk.leave(2 * MiB);
      const failed = await place.sluice(['run', file, ...state]);
      expect(failed.code, failed.stderr).toBe(TRANSIENT);
      expect(resultOf(failed.stdout).error?.code).toBe('SLUICE-CORE-0122');
      disk.free();
      const again = await place.sluice(['run', file, ...state]);
      expect(again.code, again.stderr).toBe(0);
      const listed = await place.sluice(['dlq', 'list', file, ...state, '--json', '--limit', '5000']);
      const { letters } = JSON.parse(listed.stdout) as { letters: { payload: { id: number } }[] };
      const ids = letters.map(({ payload }) => Number(payload.id)).sort((a, b) => a - b);
      expect(ids).toEqual(Array.from({ length: 2000 }, (_, i) => i * 2));
      const kept = await place.query(
        'lake.duckdb',
        'SELECT count(*)::int, count(DISTINCT id)::int FROM "in"',
      );
      expect(kept).toEqual([[2000, 2000]]);
      expect(lines(again.stdout).length).toBeGreaterThan(0);
    },
    2 * MINUTE,
  );
});

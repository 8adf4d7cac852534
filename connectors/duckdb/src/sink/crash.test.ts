/** Kills a job at every named point and at random instants: rows and record are one, and the next run ends the same. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WriteMode } from '@sluice/sdk';
import {
  dumpDuckdb,
  type Failpoint,
  killAt,
  killAtRandom,
  listFailpoints,
  needsPythonReaders,
  type Program,
  runProgram,
} from '@sluice/test';
import { describe, expect, it } from 'vitest';
import { CRASH_EPOCHS, expectedRows } from '../testing/crash-job.js';
import { sql, withFolder } from '../testing/harness.js';

const script = fileURLToPath(new URL('../../dist/testing/crash-job.js', import.meta.url));

function job(file: string, write: WriteMode, fence: number, rows = 10): Program {
  return { command: process.execPath, args: [script, file, write, String(fence), String(rows)] };
}

interface Found {
  readonly epoch: number;
  readonly position: string;
  readonly published: boolean;
  readonly rows: unknown[];
}

/** What lies in the file: the record, and the rows where the write mode puts them. */
async function look(file: string, write: WriteMode, select = 'SELECT *'): Promise<Found | undefined> {
  const tables = await sql(
    file,
    "SELECT table_name AS name FROM duckdb_tables() WHERE table_name = 'target' OR contains(table_name, '_g1_')",
  );
  const made = await sql(file, "SELECT 1 FROM duckdb_tables() WHERE table_name = '_sluice_commits'");
  if (made.length === 0) return undefined;
  const [commit] = await sql(file, 'SELECT epoch::INT AS epoch, position FROM _sluice_commits');
  const [stream] = await sql(file, 'SELECT published FROM _sluice_streams');
  const published = stream?.['published'] === true;
  const holds = tables.find(({ name }) =>
    write === 'replace' && !published ? name !== 'target' : name === 'target',
  );
  const rows =
    holds === undefined
      ? []
      : await sql(
          file,
          `${select} FROM main."${holds['name']}" ${select === 'SELECT *' ? 'ORDER BY id' : ''}`,
        );
  return {
    epoch: (commit?.['epoch'] as number | undefined) ?? 0,
    position: (commit?.['position'] as string | undefined) ?? '0',
    published,
    rows,
  };
}

/** Rows and record must say the same, whenever the process died. */
async function expectOne(file: string, write: WriteMode): Promise<void> {
  const found = await look(file, write);
  if (found === undefined) return;
  expect(found.position).toBe(String(found.epoch * 10));
  expect(found.rows).toEqual(expectedRows(write, found.epoch));
}

async function expectDone(file: string, write: WriteMode): Promise<void> {
  const found = await look(file, write);
  expect(found).toEqual({
    epoch: CRASH_EPOCHS,
    position: '40',
    published: true,
    rows: expectedRows(write, CRASH_EPOCHS),
  });
  const dump = await dumpDuckdb(file, 'SELECT id, text, epoch FROM main.target ORDER BY id');
  const wanted = expectedRows(write, CRASH_EPOCHS).map((row) => `"${row.id}","${row.text}","${row.epoch}"`);
  expect(dump.rows).toEqual(wanted);
}

async function expectSuccess(program: Program): Promise<void> {
  const exit = await runProgram(program);
  expect(exit.stderr).toBe('');
  expect(exit.code).toBe(0);
}

describe.each(['append', 'upsert', 'replace'] as const)('a job that writes by %s', (write) => {
  needsPythonReaders();

  it('comes past the points that the design names', async () => {
    await withFolder(async (folder) => {
      const points = await listFailpoints(job(path.join(folder, 'a.duckdb'), write, 1));
      const names: Failpoint[] = [
        ...['attach', 'adopt', 'schema'].flatMap((verb) =>
          [`${verb}.before`, `${verb}.after`].map((name) => ({ name: `duckdb.${name}`, hits: 1 })),
        ),
        { name: 'duckdb.commit.before', hits: CRASH_EPOCHS },
        { name: 'duckdb.commit.after', hits: CRASH_EPOCHS },
        { name: 'duckdb.publish.before', hits: 1 },
        { name: 'duckdb.publish.after', hits: 1 },
        { name: 'duckdb.checkpoint', hits: 1 },
      ];
      expect(points).toEqual(names);
    });
  });

  const verbs = write === 'upsert' ? [] : ['attach', 'adopt', 'schema', 'publish'];
  const points = verbs.flatMap((verb) => [`${verb}.before`, `${verb}.after`]);
  const commits = [1, 2, CRASH_EPOCHS].flatMap((n) => [`commit.before@${n}`, `commit.after@${n}`]);
  it.each([...points, ...commits, 'checkpoint'])('killed at %s ends in the same rows', async (point) => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'killed.duckdb');
      await killAt(job(file, write, 1), `duckdb.${point}`);
      await expectOne(file, write);
      await expectSuccess(job(file, write, 2));
      await expectDone(file, write);
    });
  });

  it('killed at one point after the other ends in the same rows', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'unlucky.duckdb');
      let fence = 0;
      for (const point of [
        'attach.after',
        'adopt.before',
        'schema.after',
        'commit.after',
        'commit.before',
        'commit.after',
        'publish.before',
      ]) {
        await killAt(job(file, write, ++fence), `duckdb.${point}`);
        await expectOne(file, write);
      }
      await expectSuccess(job(file, write, ++fence));
      await expectDone(file, write);
    });
  });

  it('killed at random instants of large epochs has whole epochs or none of them', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'random.duckdb');
      const size = 150_000;
      for (let seed = 1; seed <= 5; seed++) {
        await killAtRandom(job(file, write, seed, size), { minMs: 300, maxMs: 1_800 }, seed);
        const found = await look(file, write, 'SELECT count(*)::INT AS n, count(DISTINCT id)::INT AS ids');
        if (found === undefined || found.rows.length === 0) continue;
        const deleted = write === 'upsert' && found.epoch > 0 ? found.epoch - 1 : 0;
        const n = found.epoch * size - deleted;
        expect(found.rows).toEqual([{ n, ids: n }]);
      }
      await expectSuccess(job(file, write, 9, size));
      const done = await look(file, write, 'SELECT count(*)::INT AS n');
      const deleted = write === 'upsert' ? CRASH_EPOCHS - 1 : 0;
      expect(done).toMatchObject({
        epoch: CRASH_EPOCHS,
        published: true,
        rows: [{ n: CRASH_EPOCHS * size - deleted }],
      });
    });
  });
});

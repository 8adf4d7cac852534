/** One instance a file: in this process, beside other processes, and with files that are none. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { duckdbConfig } from '../duckdb-config.js';
import duckdb from '../index.js';
import { sql, testContext, withFolder } from '../testing/harness.js';
import { openDatabase } from './database.js';
import { databasePath } from './database-path.js';

const c: Context = testContext();
const openFile = (file: string, write: boolean) => openDatabase(duckdbConfig.parse({ path: file }), write, c);

describe('in one process', () => {
  it('a file has one instance, by whatever path it is reached', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'a.duckdb');
      const first = await openFile(file, true);
      await symlink(folder, path.join(folder, 'link'));
      const second = await openFile(path.join(folder, 'link', 'a.duckdb'), true);
      const third = await openFile(path.join(folder, '.', 'x', '..', 'a.duckdb'), false);
      expect(second.database).toBe(first.database);
      expect(third.database).toBe(first.database);
      await first.database.control.run('CREATE TABLE t (a INTEGER)', 'test');
      await first.release();
      await first.release();
      await second.release();
      expect(await third.database.control.rows('SELECT count(*)::INT AS n FROM t', 'test')).toEqual([
        { n: 0 },
      ]);
      await third.release();
      const again = await openFile(file, true);
      expect(again.database).not.toBe(first.database);
      await again.release();
    });
  });

  it('many open and close at once without a second instance', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'a.duckdb');
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const lease = await openFile(file, true);
          await lease.database.lock.run(async () => {
            await lease.database.control.run('CREATE TABLE IF NOT EXISTS t (a INTEGER)', 'test');
            await lease.database.control.run(`INSERT INTO t VALUES (${i})`, 'test');
          });
          await lease.release();
        }),
      );
      expect(await sql(file, 'SELECT count(DISTINCT a)::INT AS n FROM t')).toEqual([{ n: 20 }]);
    });
  });

  it('who writes waits for those who read, and says so when they do not end', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'a.duckdb');
      await sql(file, 'CREATE TABLE t (a INTEGER)', 'SELECT 1');
      const reader = await openFile(file, false);
      const writer = openFile(file, true);
      setTimeout(() => void reader.release(), 100);
      const lease = await writer;
      expect(lease.database.readOnly).toBe(false);
      await lease.release();
      const lasting = await openFile(file, false);
      await expect(openFile(file, true)).rejects.toMatchObject({
        code: 'SLUICE-DUCKDB-0006',
        class: 'config',
      });
      await lasting.release();
    });
  });

  it('a file that somebody else here has open is refused', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'a.duckdb');
      await sql(file, 'CREATE TABLE t (a INTEGER)', 'SELECT 1');
      const handle = await open(file);
      await expect(openFile(file, true)).rejects.toMatchObject({
        code: 'SLUICE-DUCKDB-0005',
        class: 'config',
      });
      await handle.close();
      await (await openFile(file, true)).release();
    });
  });
});

describe('beside another process', () => {
  it('a file that is being written is refused, naming the process, until it ends', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'a.duckdb');
      const other = await holdFile(file);
      try {
        const sink = duckdb.sink!.create(duckdb.config.parse({ path: file }));
        const locked = {
          code: 'SLUICE-DUCKDB-0003',
          class: 'transient',
          message: expect.stringContaining(`process ${other.pid}`),
        };
        await expect(sink.check(c)).rejects.toMatchObject(locked);
        await expect(sink.attach({ id: 'j', source: 's', fence: 1n }, c)).rejects.toMatchObject(locked);
        const source = duckdb.source!.create(duckdb.config.parse({ path: file }));
        await expect(source.discover(undefined, c)).rejects.toMatchObject(locked);
      } finally {
        other.kill('SIGKILL');
        await once(other, 'exit');
      }
      const lease = await openFile(file, true);
      expect(await lease.database.control.rows('FROM held', 'test')).toEqual([{ a: 1 }]);
      await lease.release();
    });
  });

  it('what a killed process left in its log is read, by a source too', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'a.duckdb');
      const other = await holdFile(file);
      other.kill('SIGKILL');
      await once(other, 'exit');
      const source = duckdb.source!.create(duckdb.config.parse({ path: file }));
      expect((await source.discover(undefined, c)).streams.map(({ schema }) => schema.stream)).toEqual([
        'main.held',
      ]);
    });
  });
});

/** A process that has the file open for writing, with a table in its log. */
async function holdFile(file: string): Promise<ChildProcess> {
  const api = pathToFileURL(
    path.resolve(import.meta.dirname, '../../node_modules/@duckdb/node-api/lib/index.js'),
  ).href;
  const program = `
    const { DuckDBInstance } = (await import(${JSON.stringify(api)})).default;
    const instance = await DuckDBInstance.create(${JSON.stringify(file)});
    const connection = await instance.connect();
    await connection.run('CREATE TABLE held AS SELECT 1 AS a');
    console.log('holding');
    setInterval(() => connection, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  return child;
}

describe('files', () => {
  it('that are no databases, or damaged, are refused and left as they are', async () => {
    await withFolder(async (folder) => {
      const text = path.join(folder, 'text.duckdb');
      await writeFile(text, 'id,name\n1,a\n'.repeat(1000));
      await expect(openFile(text, true)).rejects.toMatchObject({
        code: 'SLUICE-DUCKDB-0004',
        class: 'contract',
      });
      const damaged = path.join(folder, 'damaged.duckdb');
      await sql(damaged, 'CREATE TABLE t AS SELECT range AS a FROM range(10000)', 'CHECKPOINT', 'SELECT 1');
      const handle = await open(damaged, 'r+');
      await handle.write(Buffer.alloc(4096, 7), 0, 4096, 4096);
      await handle.close();
      for (const write of [true, false]) {
        await expect(openFile(damaged, write)).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0004' });
      }
    });
  });

  it('that are missing, or whose folder is, are refused', async () => {
    await withFolder(async (folder) => {
      const source = duckdb.source!.create(duckdb.config.parse({ path: path.join(folder, 'none.duckdb') }));
      await expect(source.check(c)).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0002', class: 'config' });
      const sink = duckdb.sink!.create(duckdb.config.parse({ path: path.join(folder, 'no', 'x.duckdb') }));
      await expect(sink.check(c)).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0002' });
      await mkdir(path.join(folder, 'is.duckdb'));
      await expect(openFile(path.join(folder, 'is.duckdb'), true)).rejects.toMatchObject({
        class: expect.stringMatching(/config|contract/),
      });
    });
  });

  it('in memory are refused with the reason', async () => {
    const sink = duckdb.sink!.create(duckdb.config.parse({ path: ':memory:' }));
    await expect(sink.check(c)).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0008', class: 'config' });
    await expect(sink.identity(c)).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0008' });
  });

  it('are found by URL, by path and relative to the job', async () => {
    await withFolder(async (folder) => {
      const here: Context = { ...c, cwd: folder };
      const found = (given: string) => databasePath({ path: given }, here);
      expect(await found('lake.duckdb')).toBe(path.join(folder, 'lake.duckdb'));
      expect(await found('duckdb:lake.duckdb')).toBe(path.join(folder, 'lake.duckdb'));
      expect(await found('duckdb://sub/la%20ke.duckdb')).toBe(path.join(folder, 'sub', 'la ke.duckdb'));
      expect(await found(`duckdb://${folder}/lake.duckdb`)).toBe(path.join(folder, 'lake.duckdb'));
      expect(await found(path.join(folder, 'deep', 'down', 'x.ddb'))).toBe(
        path.join(folder, 'deep', 'down', 'x.ddb'),
      );
    });
  });

  it('get the memory that was configured, and spill what is larger', async () => {
    await withFolder(async (folder) => {
      const config = duckdbConfig.parse({ path: path.join(folder, 'a.duckdb'), memory: '150M', threads: 1 });
      const lease = await openDatabase(config, true, c);
      const { control } = lease.database;
      const [limit] = await control.rows(
        "SELECT current_setting('memory_limit') AS m, current_setting('threads') AS t",
        'test',
      );
      expect(limit).toEqual({ m: '143.0 MiB', t: '1' });
      await control.run(
        'CREATE TEMP TABLE big AS SELECT range::VARCHAR || repeat(md5(range::VARCHAR), 8) AS t FROM range(1200000)',
        'test',
      );
      const small = control.run("SELECT string_agg(t, ',') FROM big", 'test');
      await expect(small).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0009' });
      await lease.release();
    });
  });
});

/** What is in the way of reading and writing a database file. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type Context, silentLogger } from '@sluice/sdk';
import { afterEach, beforeEach, expect, it } from 'vitest';
import connector, { duckdbConfig } from './index.js';

let folder: string;
let c: Context;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-duckdb-')));
  c = { signal: new AbortController().signal, log: silentLogger, cwd: folder, memory: 1 << 28 };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const config = duckdbConfig.parse({ path: 'lake.duckdb' });
const target = { stream: 't', target: 't', write: 'append' as const, save: 'keep' as const };

async function makeTable(): Promise<void> {
  const instance = await DuckDBInstance.create(join(folder, 'lake.duckdb'));
  const connection = await instance.connect();
  await connection.run('CREATE TABLE t (id INTEGER)');
  connection.closeSync();
  instance.closeSync();
}

it('a source names the tables that are not there', async () => {
  await makeTable();
  const source = connector.source!.create(config);
  const asked = ['main.t', 'main.gone'].map((stream) => ({ stream, mode: 'full' as const }));
  expect(await source.diagnose!(asked, c)).toEqual([
    { level: 'ok', what: `${join(folder, 'lake.duckdb')} can be read; tables and views: 1` },
    expect.objectContaining({ level: 'fail', what: expect.stringContaining('no table or view main.gone') }),
  ]);
  await source.close?.();
});

it('a sink looks at the folder, and at the file where there is one', async () => {
  const sink = connector.sink!.create(config);
  const [before] = await sink.diagnose!([target], c);
  expect(before).toEqual({ level: 'ok', what: `${folder} can be written to` });
  await makeTable();
  const [after, ...rest] = await sink.diagnose!([target], c);
  expect(after).toEqual({ level: 'ok', what: `${join(folder, 'lake.duckdb')} can be read and written` });
  expect(rest[0]).toEqual(before);
  await sink.close?.();
});

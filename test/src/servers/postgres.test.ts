import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startPostgres } from './postgres.js';
import type { PostgresServer } from './postgres-server.js';
import { skipUnless } from './skip-unless.js';

const own = `sluice-postgres-${process.pid}-`;
const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith(own));

/** Whether anything accepts connections under a URL. */
async function answers(server: PostgresServer): Promise<boolean> {
  return server.psql('SELECT 1').then(
    () => true,
    () => false,
  );
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a PostgreSQL server for tests', () => {
  let server: PostgresServer;
  skipUnless('postgres-15', async () => {
    server = await startPostgres({ version: '15', settings: {} });
  });
  beforeAll(() => async () => {
    await server?.stop();
  });

  it('is of the version asked for, decodes logically and speaks UTF-8', async () => {
    const settings = [
      'server_version_num',
      'wal_level',
      'fsync',
      'max_connections',
      'server_encoding',
      'timezone',
    ];
    const query = settings.map((name) => `current_setting('${name}')`).join(', ');
    const [version, ...others] = (await server.psql(`SELECT ${query}`)).split('|');
    expect(Number(version) / 10000).toBeGreaterThanOrEqual(15);
    expect(Number(version) / 10000).toBeLessThan(16);
    expect(others).toEqual(['logical', 'off', '200', 'UTF8', 'UTC']);
  });

  it('does not run as root', async () => {
    const owner = await server.psql(
      "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; id -u > owner'; SELECT pg_read_file('owner')",
    );
    expect(owner.trim()).not.toBe('0');
  });

  it('takes several statements, each in its own transaction, and returns all their rows', async () => {
    const rows = await server.psql(
      "CREATE DATABASE several; SELECT 1, 'a'; SELECT 2, null; DROP DATABASE several;",
    );
    expect(rows).toBe('1|a\n2|');
  });

  it('rejects with the message and code of the statement that failed', async () => {
    await expect(server.psql('SELECT 1; SELECT * FROM nowhere')).rejects.toThrow(
      /42P01.*"nowhere" does not exist/s,
    );
  });

  it('makes databases that do not see each other', async () => {
    const [first, second] = [await server.createDatabase(), await server.createDatabase()];
    await server.psql('CREATE TABLE t (a int); INSERT INTO t VALUES (7)', first);
    expect(await server.psql('SELECT a FROM t', first)).toBe('7');
    await expect(server.psql('SELECT a FROM t', second)).rejects.toThrow(/42P01/);
  });

  it('keeps address, data and settings over a restart', async () => {
    const url = await server.createDatabase();
    await server.psql('CREATE TABLE t (a int); INSERT INTO t VALUES (7)', url);
    const before = server.url;
    await server.restart({ work_mem: '5MB' });
    expect(server.url).toBe(before);
    expect(
      await server.psql("SELECT a, current_setting('work_mem'), current_setting('wal_level') FROM t", url),
    ).toBe('7|5MB|logical');
  });

  it('is gone after a kill, its backends too, and recovers what was committed', async () => {
    const url = await server.createDatabase();
    await server.psql('CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 1000)', url);
    const sleeping = server.psql('SELECT pg_sleep(60)', url);
    const outcome = expect(sleeping).rejects.toThrow(/connection/);
    await vi.waitUntil(async () => {
      const active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
      return (await server.psql(active)) === '1';
    });
    await server.kill();
    await outcome;
    expect(await answers(server)).toBe(false);
    await server.restart();
    expect(await server.psql('SELECT count(*), sum(a) FROM t', url)).toBe('1000|500500');
    expect(await server.log()).toMatch(/automatic recovery in progress/);
  });

  it('is told apart from every other server by its system identifier', async () => {
    const query = 'SELECT system_identifier FROM pg_control_system()';
    await using other = await startPostgres({ version: '15', settings: {} });
    expect(await other.psql(query)).not.toBe(await server.psql(query));
    await other.psql('CREATE TABLE t AS SELECT generate_series(1, 10000)');
    await other.kill();
    await other.restart();
    expect(await other.psql('SELECT count(*) FROM t')).toBe('10000');
  });

  it('serves a logical replication slot at once', async () => {
    const url = await server.createDatabase();
    await server.psql('CREATE TABLE t (a int PRIMARY KEY)', url);
    await server.psql("SELECT 1 FROM pg_create_logical_replication_slot('s', 'test_decoding')", url);
    await server.psql('INSERT INTO t VALUES (1), (2)', url);
    const changes = await server.psql("SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL)", url);
    expect(changes.split('\n').filter((line) => line.includes('INSERT'))).toHaveLength(2);
    await server.psql("SELECT pg_drop_replication_slot('s')", url);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const before = folders();
    const other = await startPostgres({ version: '15', settings: {} });
    const added = folders().filter((name) => !before.includes(name));
    expect(added).toHaveLength(1);
    await other.stop();
    expect(folders()).toEqual(before);
    expect(await answers(other)).toBe(false);
  });

  it('says why it does not start', async () => {
    const before = folders();
    await expect(startPostgres({ version: '15', settings: { wal_level: 'wrong' } })).rejects.toThrow(
      /PostgreSQL 15 did not start: .*wal_level/s,
    );
    expect(folders()).toEqual(before);
  });

  it('is the one that the environment names, if the version fits, and then it is not ours', async () => {
    vi.stubEnv('SLUICE_TEST_POSTGRES_URL', server.url);
    const named = await startPostgres({ version: '15' });
    expect(named.url).toBe(server.url);
    expect(named.owned).toBe(false);
    expect(named.port).toBe(server.port);
    const url = await named.createDatabase();
    await named.psql('CREATE TABLE t (a int)', url);
    await expect(named.kill()).rejects.toThrow(/not ours/);
    await named.stop();
    expect(await answers(server)).toBe(true);
    const name = new URL(url).pathname.slice(1);
    expect(await server.psql(`SELECT count(*) FROM pg_database WHERE datname = '${name}'`)).toBe('0');
  });

  it('is a new one when settings are asked for', async () => {
    vi.stubEnv('SLUICE_TEST_POSTGRES_URL', server.url);
    await using other = await startPostgres({ version: '15', settings: { work_mem: '9MB' } });
    expect(other.port).not.toBe(server.port);
    expect(await other.psql('SHOW work_mem')).toBe('9MB');
  });
});

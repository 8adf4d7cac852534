/** What happens when a connection cannot be made, is refused, or breaks; each with a code of its own. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithServer, FaultProxy, psql } from '@sluice/test';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { postgresConfig } from '../config.js';
import { PostgresSource } from '../source/postgres-source.js';
import { testContext } from '../testing/copy-run.js';
import { openSource } from '../testing/open.js';
import { planRead, planSplits, readRows } from '../testing/read-split.js';
import { connect } from './connect.js';
import { resolveEndpoint } from './endpoint.js';

const c = testContext();

/** Checks a source of this URL, then closes it. */
async function check(url: string, more: object = {}): Promise<void> {
  const source = new PostgresSource(postgresConfig.parse({ url, ...more }));
  try {
    await source.check(c);
  } finally {
    await source.close();
  }
}

function changed(url: string, change: (parts: URL) => void): string {
  const parts = new URL(url);
  change(parts);
  return parts.href;
}

/** A server that does with connections what it is told. */
async function listen(
  onConnection: Parameters<typeof createServer>[1],
): Promise<{ server: Server; url: string }> {
  const server = createServer(onConnection);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, url: `postgres://me@127.0.0.1:${address.port}/db` };
}

describe('without a server', () => {
  it('nobody listens', async () => {
    const { server, url } = await listen(() => {});
    server.close();
    await expect(check(url)).rejects.toMatchObject({ code: 'SLUICE-PG-0001', class: 'transient' });
  });

  it('the name is not known', async () => {
    await expect(check('postgres://me@no-such-host.invalid/db')).rejects.toMatchObject({
      class: expect.stringMatching(/config|transient/),
    });
  });

  it('somebody listens and says nothing', async () => {
    const { server, url } = await listen(() => {});
    const begin = Date.now();
    await expect(check(url, { connectTimeout: 300 })).rejects.toMatchObject({ code: 'SLUICE-PG-0001' });
    expect(Date.now() - begin).toBeLessThan(5000);
    server.close();
  });

  it('somebody else listens', async () => {
    const { server, url } = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(check(url, { connectTimeout: 2000 })).rejects.toMatchObject({ name: 'SluiceError' });
    server.close();
  });

  it('aborting ends the attempt', async () => {
    const { server, url } = await listen(() => {});
    const abort = new AbortController();
    const source = openSource(url);
    const attempt = source.check(testContext(abort.signal));
    setTimeout(() => abort.abort(), 100);
    await expect(attempt).rejects.toThrow();
    await source.close();
    server.close();
  });
});

describeWithServer(
  'postgres-15',
  (server) => {
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
      const data = await server().psql('SHOW data_directory');
      const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
      openssl(
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=Test CA',
        '-keyout',
        'ca.key',
        '-out',
        'ca.pem',
      );
      openssl(
        'req',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-subj',
        '/CN=localhost',
        '-keyout',
        'server.key',
        '-out',
        'server.csr',
      );
      writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost');
      openssl(
        'x509',
        '-req',
        '-days',
        '2',
        '-in',
        'server.csr',
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-extfile',
        'names',
        '-out',
        'server.crt',
      );
      for (const file of ['server.key', 'server.crt']) {
        execFileSync('cp', [join(folder, file), data]);
        execFileSync('chmod', ['600', join(data, file)]);
        if (process.getuid?.() === 0) chownSync(join(data, file), 65534, 65534);
      }
      await server().psql(`
        CREATE ROLE scram LOGIN PASSWORD 'p@ss:w/rd%'; CREATE ROLE nobody_logs_in; CREATE ROLE plain LOGIN;
        CREATE ROLE encrypted LOGIN; CREATE ROLE crowded LOGIN CONNECTION LIMIT 0; CREATE DATABASE closed;`);
      writeFileSync(
        join(data, 'pg_hba.conf'),
        `host all scram all scram-sha-256
hostssl all encrypted all trust
hostnossl all encrypted all reject
host closed plain all reject
host all all all trust
`,
      );
      await server().psql("ALTER SYSTEM SET ssl = 'on'; SELECT pg_reload_conf()");
      await server().restart();
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const as = (user: string, password = '', database = 'postgres') =>
      changed(server().url, (parts) => {
        parts.username = user;
        parts.password = encodeURIComponent(password);
        parts.pathname = `/${database}`;
      });
    const byName = () =>
      changed(server().url, (parts) => {
        parts.hostname = 'localhost';
      });

    it('lets in with the right password', async () => {
      await check(as('scram', 'p@ss:w/rd%'));
      await check(as('scram'), { password: 'p@ss:w/rd%' });
    });

    it.for([
      ['a wrong password', () => as('scram', 'secret-guess'), 'SLUICE-PG-0003', 'auth'],
      ['no password', () => as('scram'), 'SLUICE-PG-0003', 'auth'],
      ['a role that may not log in', () => as('nobody_logs_in'), 'SLUICE-PG-0004', 'auth'],
      ['a role that is not there', () => as('ghost'), 'SLUICE-PG-0004', 'auth'],
      ['a role that pg_hba.conf rejects', () => as('plain', '', 'closed'), 'SLUICE-PG-0004', 'auth'],
      ['a database that is not there', () => as('plain', '', 'nowhere'), 'SLUICE-PG-0005', 'config'],
      ['a role with no connection left', () => as('crowded'), 'SLUICE-PG-0009', 'transient'],
    ] as const)('refuses %s', async ([, url, code, errorClass]) => {
      const error = await check(url()).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, class: errorClass });
      expect(JSON.stringify([String(error), error])).not.toContain('secret-guess');
    });

    describe('TLS', () => {
      const isEncrypted = async (url: string, more: object = {}) => {
        const session = await connect(resolveEndpoint(postgresConfig.parse({ url, ...more }), '/'), c);
        const [row] = await session.rows('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
        await session.close();
        return row![0] === 't';
      };

      it('is not used on loopback addresses unless the server insists', async () => {
        expect(await isEncrypted(as('plain'))).toBe(false);
        expect(await isEncrypted(as('encrypted'))).toBe(true);
      });

      it.for([
        ['disable', false],
        ['prefer', true],
        ['require', true],
      ] as const)('mode %s', async ([mode, encrypted]) => {
        expect(await isEncrypted(as('plain'), { ssl: { mode } })).toBe(encrypted);
        expect(await isEncrypted(`${as('plain')}?sslmode=${mode}`)).toBe(encrypted);
      });

      it('verify-full wants a known authority and the right name', async () => {
        const ca = join(folder, 'ca.pem');
        const untrusted = { code: 'SLUICE-PG-0007', class: 'config' };
        await expect(check(byName(), { ssl: { mode: 'verify-full' } })).rejects.toMatchObject(untrusted);
        await expect(check(server().url, { ssl: { mode: 'verify-full', ca } })).rejects.toMatchObject(
          untrusted,
        );
        expect(await isEncrypted(byName(), { ssl: { mode: 'verify-full', ca } })).toBe(true);
        expect(await isEncrypted(`${byName()}?sslmode=verify-full&sslrootcert=${ca}`)).toBe(true);
      });

      it('a server without TLS is refused by all modes that want it', async () => {
        await server().restart({ ssl: 'off' });
        try {
          for (const mode of ['require', 'verify-full']) {
            const refused = { code: 'SLUICE-PG-0006', class: 'config' };
            await expect(check(as('plain'), { ssl: { mode } })).rejects.toMatchObject(refused);
          }
          expect(await isEncrypted(as('plain'), { ssl: { mode: 'prefer' } })).toBe(false);
        } finally {
          await server().restart({ ssl: 'on' });
        }
      });

      it('carries COPY both ways', async () => {
        const url = await server().createDatabase();
        await psql(
          url,
          "CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat('x', i % 1000) FROM generate_series(1, 20000) i; CREATE TABLE u (LIKE t)",
        );
        const endpoint = resolveEndpoint(postgresConfig.parse({ url, ssl: { mode: 'require' } }), '/');
        const [from, to] = await Promise.all([connect(endpoint, c), connect(endpoint, c)]);
        const out = await from.copyOut('COPY t TO STDOUT (FORMAT binary)', { rows: 777, bytes: 65_536 });
        const into = await to.copyIn('COPY u FROM STDIN (FORMAT binary)');
        for (let chunk = await out.next(); chunk !== undefined; chunk = await out.next())
          await into.write(chunk.bytes);
        expect(await into.end()).toBe(20_000);
        expect(await psql(url, 'SELECT count(*) FROM (TABLE t EXCEPT TABLE u) d')).toBe('0');
        await Promise.all([from.close(), to.close()]);
      });
    });

    describe('a connection that breaks', () => {
      let proxy: FaultProxy;
      let source: PostgresSource;
      let url: string;

      beforeEach(async () => {
        const database = await server().createDatabase();
        await psql(
          database,
          "CREATE TABLE big (id integer PRIMARY KEY, v text); INSERT INTO big SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i",
        );
        proxy = await FaultProxy.start(database);
        url = database;
        source = openSource(proxy.through(url));
      });
      afterEach(async () => {
        await source.close();
        await proxy.stop();
      });

      it('in the middle of a COPY is a transient error', async () => {
        const read = await planRead(source, 'public.big');
        const [split] = await planSplits(source, read);
        const reader = await source.open(
          { split: split!, at: null, cuts: [], reads: [read], batchRows: 100, batchBytes: 65_536 },
          c,
        );
        let batches = 0;
        const reading = (async () => {
          for await (const message of reader) if (message.kind === 'batch' && ++batches === 3) proxy.cut();
        })();
        await expect(reading).rejects.toMatchObject({ code: 'SLUICE-PG-0010', class: 'transient' });
        expect(batches).toBeGreaterThanOrEqual(3);
        await reader.close();
      });

      it('between two verbs is made anew', async () => {
        await source.check(c);
        proxy.cut();
        await new Promise((resolve) => setTimeout(resolve, 50));
        await source.check(c);
      });

      it('a session that an administrator ends says so', async () => {
        const read = await planRead(source, 'public.big');
        const [split] = await planSplits(source, read);
        const reader = await source.open(
          { split: split!, at: null, cuts: [], reads: [read], batchRows: 100, batchBytes: 65_536 },
          c,
        );
        const reading = (async () => {
          let ended = false;
          for await (const message of reader) {
            if (message.kind !== 'batch' || ended) continue;
            ended = true;
            await psql(
              url,
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%'",
            );
          }
        })();
        await expect(reading).rejects.toMatchObject({ class: 'transient' });
        await reader.close();
      });

      it('closing a reader early ends what the server does', async () => {
        const read = await planRead(source, 'public.big');
        const [split] = await planSplits(source, read);
        const reader = await source.open(
          { split: split!, at: null, cuts: [], reads: [read], batchRows: 100, batchBytes: 65_536 },
          c,
        );
        for await (const message of reader) if (message.kind === 'batch') break;
        await reader.close();
        const running = () =>
          psql(
            url,
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%' AND datname = current_database()",
          );
        await expect.poll(running, { timeout: 10_000 }).toBe('0');
      });

      it('a statement that takes too long is a transient error', async () => {
        await psql(url, 'CREATE VIEW slow AS SELECT i, pg_sleep(0.01)::text FROM generate_series(1, 1000) i');
        const hasty = openSource(url, { statementTimeout: 200 });
        const read = await planRead(hasty, 'public.slow');
        const [split] = await planSplits(hasty, read);
        await expect(readRows(hasty, read, split!)).rejects.toMatchObject({
          code: 'SLUICE-PG-0012',
          class: 'transient',
        });
        await hasty.close();
      });

      it('aborting a verb cancels it at the server', async () => {
        const abort = new AbortController();
        const direct = openSource(url);
        await psql(url, 'CREATE VIEW endless AS SELECT pg_sleep(60)::text');
        const read = await planRead(direct, 'public.endless');
        const [split] = await planSplits(direct, read);
        const reader = await direct.open(
          { split: split!, at: null, cuts: [], reads: [read], batchRows: 100, batchBytes: 65_536 },
          testContext(abort.signal),
        );
        setTimeout(() => abort.abort(), 100);
        const reading = (async () => {
          for await (const _ of reader);
        })();
        await expect(reading).rejects.toMatchObject({ class: 'transient' });
        await reader.close();
        const running = () =>
          psql(
            url,
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%' AND datname = current_database()",
          );
        await expect.poll(running, { timeout: 10_000 }).toBe('0');
        await direct.close();
      });
    });
  },
  { settings: {} },
);

// PgBouncer, which hands connections of clients to connections of a server, in front of a PostgreSQL server.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { debianPackages } from './debian-package.js';
import { freePort } from './free-port.js';
import { psql } from './psql.js';
import { ServerProcess } from './server-process.js';
import { ServerUnavailable } from './server-unavailable.js';
import { skipUnless } from './skip-unless.js';
import { giveAway } from './unprivileged.js';

const INSTALLED = '/usr/sbin/pgbouncer';
const START_MS = 20_000;

/** The program, and where its libraries are: an installed one, else that of Debian's package. */
export async function pgbouncer(): Promise<{ readonly path: string; readonly libraries?: string }> {
  if (existsSync(INSTALLED)) return { path: INSTALLED };
  const folder = await debianPackages('pgbouncer', ['pgbouncer', 'libevent-2.1-7', 'libc-ares2']);
  return { path: join(folder, 'usr/sbin/pgbouncer'), libraries: join(folder, 'usr/lib/x86_64-linux-gnu') };
}

/** A pooler in front of a server, until it is stopped. */
export interface Pooler extends AsyncDisposable {
  /** The same database, through the pooler. */
  through(url: string): string;
}

/** @throws ServerUnavailable when it cannot be had */
export async function startPgbouncer(server: string, mode: 'session' | 'transaction'): Promise<Pooler> {
  const { path, libraries } = await pgbouncer();
  const { hostname, port } = new URL(server);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pgbouncer-'));
  const listen = await freePort();
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname} port=${port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listen}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
ignore_startup_parameters = extra_float_digits,options
`,
  );
  giveAway(folder);
  const running = new ServerProcess({
    line: [path, join(folder, 'pgbouncer.ini')],
    log: join(folder, 'log'),
    folder,
    ...(libraries !== undefined && { env: { LD_LIBRARY_PATH: libraries } }),
  });
  const through = (url: string) => {
    const pooled = new URL(url);
    pooled.port = String(listen);
    return pooled.href;
  };
  const end = async () => {
    await running.end('SIGINT', 5000);
    rmSync(folder, { recursive: true, force: true });
  };
  for (const until = Date.now() + START_MS; ; await sleep(50)) {
    if (await answers(through(server))) return { through, [Symbol.asyncDispose]: end };
    if (running.alive && Date.now() < until) continue;
    await end();
    throw new ServerUnavailable('PgBouncer did not start');
  }
}

async function answers(url: string): Promise<boolean> {
  return psql(url, 'SELECT 1').then(
    () => true,
    () => false,
  );
}

/** To be called inside `describe`: skips its tests with the reason where PgBouncer cannot be had. */
export function needsPgbouncer(): void {
  skipUnless('pgbouncer', async () => {
    await pgbouncer();
  });
}

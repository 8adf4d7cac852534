// Data folders of PostgreSQL servers: copied from a template, which initdb has filled once a version.
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached } from './cache.js';
import { runCommand } from './command.js';
import { makeOwnedFolder, removeOrphans } from './orphans.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import { renewSystemIdentifier } from './postgres-identity.js';
import { giveAway, unprivileged } from './unprivileged.js';

const prefix = 'sluice-postgres-';

/** The folder of one server. */
export interface ServerFolder {
  /** Holds everything below; removed when the server is stopped for good. */
  path: string;
  /** The data folder. */
  data: string;
  /** The server's log. */
  log: string;
}

/**
 * Makes a fresh data folder: user `postgres`, no password, UTF-8, locale C. Also removes the folders of
 * test processes that were killed before they could.
 */
export async function createDataFolder(binaries: PostgresBinaries): Promise<ServerFolder> {
  const template = await templateFolder(binaries);
  const folder = serverFolder();
  await runCommand('cp', ['-a', '--reflink=auto', join(template, 'data'), folder.data]);
  renewSystemIdentifier(folder.data);
  return folder;
}

/** Makes a data folder that is a running server's own copy, which follows that server from then on. */
export async function createStandbyFolder(
  binaries: PostgresBinaries,
  primary: { host: string; port: number },
): Promise<ServerFolder> {
  const folder = serverFolder();
  const [command, ...args] = unprivileged([
    join(binaries.folder, 'pg_basebackup'),
    '--host',
    primary.host,
    '--port',
    String(primary.port),
    '--username=postgres',
    '--checkpoint=fast',
    '--no-sync',
    '--write-recovery-conf',
    '--pgdata',
    folder.data,
  ]);
  await runCommand(command, args, { cwd: '/' });
  return folder;
}

function serverFolder(): ServerFolder {
  removeOrphans(tmpdir(), prefix);
  const path = makeOwnedFolder(tmpdir(), prefix);
  giveAway(path);
  return { path, data: join(path, 'data'), log: join(path, 'server.log') };
}

function templateFolder(binaries: PostgresBinaries): Promise<string> {
  const source = binaries.folder.startsWith('/usr/') ? 'installed' : 'fetched';
  return cached(`postgres-template-${binaries.version}-${source}`, async (folder) => {
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    giveAway(data);
    const options = [
      '-U',
      'postgres',
      '-A',
      'trust',
      '--no-sync',
      '--locale=C',
      '--encoding=UTF8',
      '-D',
      data,
    ];
    const [command, ...args] = unprivileged([join(binaries.folder, 'initdb'), ...options]);
    await runCommand(command, args, { cwd: '/' });
  });
}

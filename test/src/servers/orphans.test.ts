// A process that uses a server may end in any way; neither the server nor its folder may stay.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { runCommand } from './command.js';
import { startPostgres } from './postgres.js';
import { psqlPath } from './psql.js';
import { skipUnless } from './skip-unless.js';

const module = fileURLToPath(new URL('../../dist/servers/postgres.js', import.meta.url));
const program = `
  const { startPostgres } = await import(process.argv[1]);
  const server = await startPostgres({ version: '15', settings: {} });
  console.log(server.url);
  if (process.argv[2] === 'crash') {
    await server.kill();
    await server.restart();
    await server.stop();
    console.log('crashed, restarted, stopped');
  }
  if (process.argv[2] === 'throw') throw new Error('on purpose');
  if (process.argv[2] === 'wait') setInterval(() => {}, 1000);
`;

async function startUser(end: string): Promise<{ child: ChildProcess; url: string }> {
  const args = ['--input-type=module', '-e', program, module, end];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: chunk.toString().trim() };
}

async function serverIsGone(url: string): Promise<void> {
  const answers = (): Promise<boolean> =>
    runCommand(psqlPath(), ['-X', '-d', url, '-c', 'SELECT 1']).then(
      () => true,
      () => false,
    );
  await vi.waitUntil(async () => !(await answers()), { timeout: 10_000, interval: 100 });
}

const foldersOf = (pid: number | undefined): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`sluice-postgres-${pid}-`));

describe('a server in a program that does nothing else', () => {
  skipUnless('postgres-15', async () => {
    await (await startPostgres({ version: '15', settings: {} })).stop();
  });

  it('is waited for when it is killed, restarted and stopped', async () => {
    const args = ['--input-type=module', '-e', program, module, 'crash'];
    const output = await runCommand(process.execPath, args);
    expect(output.trim().split('\n').at(-1)).toBe('crashed, restarted, stopped');
  });
});

describe('a server that nobody stopped', () => {
  skipUnless('postgres-15', async () => {
    await (await startPostgres({ version: '15', settings: {} })).stop();
  });

  it.each([
    ['runs to its end', 'return', undefined],
    ['ends with an error', 'throw', undefined],
    ['is ended by SIGTERM', 'wait', 'SIGTERM'],
    ['is ended by SIGINT', 'wait', 'SIGINT'],
  ] as const)('is gone with its folder when its user %s', async (_how, end, signal) => {
    const { child, url } = await startUser(end);
    if (signal !== undefined) child.kill(signal);
    const [code, by] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    expect(by ?? code).toBe(signal ?? (end === 'throw' ? 1 : 0));
    await serverIsGone(url);
    expect(foldersOf(child.pid)).toEqual([]);
  });

  it('is gone when its user is killed, and the next start sweeps its folder', async (context) => {
    if (!existsSync('/usr/bin/setpriv')) context.skip('setpriv (package util-linux) is not installed');
    const { child, url } = await startUser('wait');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await serverIsGone(url);
    expect(foldersOf(child.pid)).toHaveLength(1);
    await (await startPostgres({ version: '15', settings: {} })).stop();
    expect(foldersOf(child.pid)).toEqual([]);
  });
});

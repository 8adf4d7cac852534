// Prometheus' own tool, which reads metrics as a server would and knows how they should be named.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../servers/cache.js';
import { CommandFailed, runCommand } from '../servers/command.js';
import { ServerUnavailable } from '../servers/server-unavailable.js';
import { skipUnless } from '../servers/skip-unless.js';

const INSTALLED = '/usr/bin/promtool';

/**
 * The path of promtool: an installed one, else that of Debian's package, which is unpacked into the cache on first use.
 * @throws ServerUnavailable when it cannot be had
 */
export async function promtool(): Promise<string> {
  if (existsSync(INSTALLED)) return INSTALLED;
  const folder = await cached('promtool', async (making) => {
    try {
      await download(making);
      const archive = readdirSync(making).find((name) => name.endsWith('.deb'))!;
      await runCommand('dpkg-deb', ['-x', archive, 'all'], { cwd: making });
      renameSync(join(making, 'all/usr/bin/promtool'), join(making, 'promtool'));
      for (const name of ['all', archive]) rmSync(join(making, name), { recursive: true });
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      throw new ServerUnavailable(`Debian's package of prometheus cannot be fetched (${error.message})`);
    }
  });
  return join(folder, 'promtool');
}

/** A new machine has no lists of packages yet. */
async function download(folder: string): Promise<void> {
  const fetch = () => runCommand('apt-get', ['download', '-qq', 'prometheus'], { cwd: folder });
  try {
    await fetch();
  } catch {
    await runCommand('apt-get', ['update', '-qq']);
    await fetch();
  }
}

/** What `promtool check metrics` finds wrong with the text of an exposition; empty when nothing is. */
export async function metricsProblems(text: string): Promise<string> {
  try {
    return await runCommand(await promtool(), ['check', 'metrics'], { input: text });
  } catch (error) {
    if (!(error instanceof CommandFailed) || error.exitCode === undefined) throw error;
    return error.stderr || error.message;
  }
}

/** To be called inside `describe`: skips its tests with the reason where promtool cannot be had. */
export function needsPromtool(): void {
  skipUnless('promtool', async () => {
    await promtool();
  });
}

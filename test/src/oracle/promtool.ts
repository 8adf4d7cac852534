// Prometheus' own tool, which reads metrics as a server would and knows how they should be named.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailed, runCommand } from '../servers/command.js';
import { debianPackages } from '../servers/debian-package.js';
import { skipUnless } from '../servers/skip-unless.js';

const INSTALLED = '/usr/bin/promtool';

/**
 * The path of promtool: an installed one, else that of Debian's package, which is unpacked into the cache on first use.
 * @throws ServerUnavailable when it cannot be had
 */
export async function promtool(): Promise<string> {
  if (existsSync(INSTALLED)) return INSTALLED;
  return join(await debianPackages('prometheus', ['prometheus']), 'usr/bin/promtool');
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

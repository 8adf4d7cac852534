// Servers that refuse to run as root are started as nobody, and no server outlives the tests.
import { chownSync, existsSync } from 'node:fs';

const nobody = 65534;
const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

const isRoot = (): boolean => process.getuid?.() === 0;

/** A command line: the program and its arguments. */
export type CommandLine = [command: string, ...args: string[]];

/**
 * Rewrites a command line so that it runs without root's rights. Where the machine can do it, the process
 * also gets `deathSignal` when the one that started it dies, even by SIGKILL.
 */
export function unprivileged(line: CommandLine, deathSignal?: 'QUIT' | 'INT'): CommandLine {
  if (setpriv === undefined) return line;
  const options = isRoot() ? [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : [];
  if (deathSignal !== undefined) options.push('--pdeathsig', deathSignal);
  return options.length === 0 ? line : [setpriv, ...options, ...line];
}

/** Gives a file or folder to the user as whom {@link unprivileged} runs commands. */
export function giveAway(path: string): void {
  if (isRoot()) chownSync(path, nobody, nobody);
}

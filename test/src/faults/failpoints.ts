// Kills programs at the named points that their code marks with the SDK's `failpoint(name)`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Exit, type Program, runProgram, UnexpectedExit, wasKilled } from './program.js';

/** A named point of a program and how often the program came past it. */
export interface Failpoint {
  name: string;
  hits: number;
}

/** The program runs with these variables set in the way that the SDK reads them. */
function armed(program: Program, variables: Record<string, string | undefined>): Program {
  const off = { SLUICE_FAILPOINT: undefined, SLUICE_FAILPOINT_LOG: undefined };
  return { ...program, env: { ...program.env, ...off, ...variables } };
}

/**
 * Runs a program undisturbed and lists the points that it came past, in the order of their first times.
 * @throws UnexpectedExit when it does not exit with 0, since the list would not be whole
 */
export async function listFailpoints(program: Program): Promise<Failpoint[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-failpoints-'));
  const log = join(folder, 'log');
  try {
    const exit = await runProgram(armed(program, { SLUICE_FAILPOINT_LOG: log }));
    if (exit.code !== 0) throw new UnexpectedExit(program, 'expected the program to exit with 0', exit);
    return count(readIfThere(log));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a program that kills itself at a point.
 * @param point a name, or `name@N` for the Nth time
 * @returns how it ended, which is by SIGKILL
 * @throws UnexpectedExit when it never came there, or ended otherwise
 */
export async function killAt(program: Program, point: string): Promise<Exit> {
  const exit = await runProgram(armed(program, { SLUICE_FAILPOINT: point }));
  if (!wasKilled(exit))
    throw new UnexpectedExit(program, `expected the program to be killed at ${point}`, exit);
  return exit;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function count(log: string): Failpoint[] {
  const hits = new Map<string, number>();
  for (const name of log.split('\n').filter(Boolean)) hits.set(name, (hits.get(name) ?? 0) + 1);
  return [...hits].map(([name, times]) => ({ name, hits: times }));
}

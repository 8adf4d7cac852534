import { type Exit, type Program, runProgram } from './program.js';
import { seededRandom } from './seeded-random.js';

/** The time after the program's start within which it is killed. */
export interface KillWindow {
  minMs: number;
  maxMs: number;
}

/** How a program ended that was to be killed at some instant. */
export interface RandomKill extends Exit {
  /** The chosen instant, in milliseconds after the start. */
  killAfterMs: number;
}

/**
 * Runs a program and kills its whole process group at an instant that the seed chooses. A program that ends
 * before it is left alone; `signal` says which of the two happened.
 */
export async function killAtRandom(program: Program, window: KillWindow, seed: number): Promise<RandomKill> {
  const killAfterMs = window.minMs + seededRandom(seed)() * (window.maxMs - window.minMs);
  let timer: NodeJS.Timeout | undefined;
  try {
    const exit = await runProgram(program, (kill) => {
      timer = setTimeout(kill, killAfterMs);
    });
    return { ...exit, killAfterMs };
  } finally {
    clearTimeout(timer);
  }
}

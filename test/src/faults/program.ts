// Runs a program that is going to be killed, and says how it ended.
import { type ChildProcess, spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** A program and everything it is started with. */
export interface Program {
  command: string;
  args?: string[];
  /** Added to this process's environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Text for its standard input, which is empty without it. */
  input?: string;
  /** Milliseconds after which it counts as hanging; by default two minutes. */
  timeoutMs?: number;
}

/** How a program ended. */
export interface Exit {
  /** The exit code, or null when a signal ended it. */
  code: number | null;
  /** The signal that ended it, or null when it exited. */
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Milliseconds from start to end. */
  ms: number;
}

/** Thrown when a program ended in another way than the test wanted. */
export class UnexpectedExit extends Error {
  override readonly name = 'UnexpectedExit';

  constructor(
    program: Program,
    what: string,
    /** How it ended instead. */
    readonly exit: Exit,
  ) {
    const line = [program.command, ...(program.args ?? [])].join(' ').slice(0, 500);
    const how = exit.signal === null ? `exited with ${exit.code}` : `was ended by ${exit.signal}`;
    const output = `stdout: ${exit.stdout.slice(-2000)}\nstderr: ${exit.stderr.slice(-4000)}`;
    super(`${what}, but it ${how} after ${Math.round(exit.ms)} ms\n${line}\n${output}`);
  }
}

/** Whether SIGKILL ended the program itself, or a program that it was only a wrapper for. */
export function wasKilled(exit: Exit): boolean {
  return exit.signal === 'SIGKILL' || exit.code === 128 + 9;
}

/**
 * Runs a program to its end in a process group of its own, and leaves nothing of the group running.
 * @param started is given a function that kills the whole group at once
 * @throws UnexpectedExit when it does not end in time
 */
export function runProgram(program: Program, started?: (kill: () => void) => void): Promise<Exit> {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const child = spawn(program.command, program.args ?? [], {
      cwd: program.cwd,
      env: { ...process.env, ...program.env },
      stdio: 'pipe',
      detached: true,
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      killGroup(child);
    }, program.timeoutMs ?? 120_000);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    // Descendants hold the pipes open; without them 'close' follows 'exit'.
    child.once('exit', () => killGroup(child));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
      const exit = {
        code,
        signal,
        stdout: text(stdout),
        stderr: text(stderr),
        ms: performance.now() - begin,
      };
      if (late) reject(new UnexpectedExit(program, 'expected the program to end in time', exit));
      else resolve(exit);
    });
    // A program may end without reading its input; how it ended is told above.
    child.stdin.on('error', () => undefined);
    child.stdin.end(program.input ?? '');
    started?.(() => killGroup(child));
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

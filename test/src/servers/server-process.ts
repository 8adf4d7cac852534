// A server as a child process that never outlives the process which started it.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandLine, unprivileged } from './unprivileged.js';

const running = new Set<ServerProcess>();
let hooked = false;

/** How a server is started. */
export interface ServerCommand {
  /** The program and its arguments; run without root's rights. */
  line: CommandLine;
  /** File to which the server's output is appended. */
  log: string;
  /** Folder that is removed when this process ends while the server still runs. */
  folder: string;
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv;
}

/** One running server process, addressed by its process id alone. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<void>;
  #alive = true;
  #startError: Error | undefined;

  constructor(command: ServerCommand) {
    const [program, ...args] = unprivileged(command.line, 'QUIT');
    const log = openSync(command.log, 'a');
    this.#folder = command.folder;
    this.#child = spawn(program, args, {
      cwd: command.folder,
      env: { ...process.env, ...command.env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.#child.unref();
    this.#exited = new Promise((resolve) => {
      const ended = (error?: Error): void => {
        this.#alive = false;
        this.#startError = error;
        running.delete(this);
        resolve();
      };
      this.#child.once('exit', () => ended());
      this.#child.once('error', ended);
    });
    running.add(this);
    hookExit();
  }

  /** Its process id, or undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it still runs. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Why it could not be started at all, if so. */
  get startError(): Error | undefined {
    return this.#startError;
  }

  /** Asks it to end with a signal and waits up to `graceMs`. Returns whether it has ended. */
  async end(signal: NodeJS.Signals, graceMs: number): Promise<boolean> {
    if (!this.#alive) return true;
    this.#child.kill(signal);
    const stopped = new AbortController();
    await Promise.race([
      this.#exited,
      sleep(graceMs, undefined, { signal: stopped.signal }).catch(() => undefined),
    ]);
    stopped.abort();
    return !this.#alive;
  }

  /** Kills it and the processes it has started, at once, as a crash would. */
  async kill(): Promise<void> {
    // A server does not keep this process from ending, but one that is waited for must.
    this.#child.ref();
    this.killNow();
    await this.#exited;
  }

  /** Like {@link kill}, without waiting. */
  killNow(): void {
    const pid = this.#child.pid;
    if (pid === undefined || !this.#alive) return;
    for (const each of [pid, ...childrenOf(pid)]) {
      try {
        process.kill(each, 'SIGKILL');
      } catch {
        // It has ended by itself in the meantime, which is what was wanted.
      }
    }
  }

  /** For the end of this process: kills the server and removes its folder without waiting for anything. */
  discard(): void {
    this.killNow();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }
}

function childrenOf(pid: number): number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return list.trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Servers end with this process: when it ends by itself, and when a signal ends it. */
function hookExit(): void {
  if (hooked) return;
  hooked = true;
  const discardAll = (): void => {
    for (const each of running) each.discard();
    running.clear();
  };
  process.once('exit', discardAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      discardAll();
      // With nobody else listening the signal must still do what it would have done without this hook.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
}

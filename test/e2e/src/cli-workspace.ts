/** A folder in which the command line is used as people and schedulers use it: as a process, on files. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import type { RunEvent, RunResult } from '@sluice/core';
import type { JobSpec } from '@sluice/sdk';
import { type Exit, runProgram } from '@sluice/test';

export const SLUICE = fileURLToPath(new URL('../../../cli/bin/sluice.js', import.meta.url));

/** Neither colours nor a job's variables come from the environment of the tests. */
const NEUTRAL = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };

export interface RunSettings {
  readonly env?: { readonly [name: string]: string | undefined };
  readonly input?: string;
}

export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
  private readonly running = new Set<ChildProcessWithoutNullStreams>();

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(name: string, text: string): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  job(name: string, job: JobSpec | { [key: string]: unknown }): string {
    return this.write(name, JSON.stringify(job, null, 2));
  }

  read(...parts: string[]): string {
    return readFileSync(this.path(...parts), 'utf8');
  }

  /** As if the disk with the state had been lost. */
  forgetLedger(): void {
    rmSync(this.path('.sluice'), { recursive: true, force: true });
  }

  /** Removes files, as far as they are there. */
  forget(...names: string[]): void {
    for (const name of names) rmSync(this.path(name), { recursive: true, force: true });
  }

  exists(...parts: string[]): boolean {
    return existsSync(this.path(...parts));
  }

  /** Runs the command to its end. */
  sluice(args: readonly string[], { env, input }: RunSettings = {}): Promise<Exit> {
    return runProgram({
      command: process.execPath,
      args: [SLUICE, ...args],
      cwd: this.folder,
      env: { ...NEUTRAL, ...env },
      ...(input !== undefined && { input }),
    });
  }

  /** Starts the command and leaves it running; {@link remove} ends it if need be. */
  start(args: readonly string[]): Running {
    const child = spawn(process.execPath, [SLUICE, ...args], {
      cwd: this.folder,
      env: { ...process.env, NO_COLOR: '1' },
    });
    this.running.add(child);
    child.once('close', () => this.running.delete(child));
    return new Running(child);
  }

  /** What a query over a database file of this folder yields, read by DuckDB itself. */
  async query(database: string, sql: string): Promise<unknown[][]> {
    const instance = await DuckDBInstance.create(this.path(database), { access_mode: 'READ_ONLY' });
    try {
      const connection = await instance.connect();
      const result = await connection.runAndReadAll(sql);
      connection.closeSync();
      return result.getRowsJson() as unknown[][];
    } finally {
      instance.closeSync();
    }
  }

  /** The lines of all files below a folder whose names end so. */
  linesBelow(folder: string, ending: string): string[] {
    const names = readdirSync(this.path(folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith(ending),
    );
    return names.sort().flatMap((name) => lines(this.read(folder, name)));
  }

  remove(): void {
    for (const child of this.running) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A command that is under way. */
export class Running {
  stdout = '';
  stderr = '';
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    child.stdin.end();
    this.ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  }

  get pid(): number {
    return this.child.pid!;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Closes the pipe that its stdout goes to. */
  stopListening(): void {
    this.child.stdout.destroy();
  }

  /** Resolves when what it printed on stdout satisfies the condition. */
  async until(condition: (stdout: string) => boolean, timeoutMs = 30_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!condition(this.stdout)) {
      if (Date.now() > deadline || this.child.exitCode !== null) {
        throw new Error(`it did not come to that\nstdout: ${this.stdout}\nstderr: ${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** The last line as the result of a run. */
export function resultOf(text: string): RunResult {
  return JSON.parse(lines(text).at(-1)!) as RunResult;
}

/** The lines of `--json`. */
export function eventsOf(text: string): (RunEvent | ({ readonly event: 'result' } & RunResult))[] {
  return lines(text).map((line) => JSON.parse(line));
}

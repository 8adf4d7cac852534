/** Folders and job files of a benchmark run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobSpec } from '@sluice/sdk';
import type { Command } from './process-run.js';

const SLUICE = fileURLToPath(new URL('../../../cli/bin/sluice.js', import.meta.url));

/** The budget of every job, under which peak memory is judged. */
const MEMORY = '256Mi';

export class BenchFiles {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(name: string, text: string): string {
    const file = this.path(name);
    writeFileSync(file, text);
    return file;
  }

  /** Removes and makes a folder. */
  empty(name: string): string {
    const folder = this.path(name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** `sluice run` of a job, with its state in a folder that {@link forget} empties. */
  run(job: JobSpec, more: readonly string[] = []): Command {
    const args = [
      SLUICE,
      'run',
      this.jobFile(job),
      '--quiet',
      '--state',
      this.path(`${job.name}.state`, 'state.db'),
      ...more,
    ];
    return { name: job.name, file: process.execPath, args, cwd: this.folder };
  }

  /** `sluice verify` of a job that has run. */
  verify(job: JobSpec): Command {
    const args = [SLUICE, 'verify', this.jobFile(job), '--state', this.path(`${job.name}.state`, 'state.db')];
    return { name: job.name, file: process.execPath, args, cwd: this.folder };
  }

  /** `sluice plan` of a job. */
  plan(job: JobSpec): Command {
    const args = [SLUICE, 'plan', this.jobFile(job)];
    return { name: job.name, file: process.execPath, args, cwd: this.folder };
  }

  /** Forgets what a job has done, so that the next run is a first one. */
  forget(job: string): void {
    rmSync(this.path(`${job}.state`), { recursive: true, force: true });
  }

  private jobFile(job: JobSpec): string {
    return this.write(`${job.name}.json`, JSON.stringify({ memory: MEMORY, ...job }, null, 2));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const sluice = SLUICE;

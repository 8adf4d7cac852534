/** Loads a job and makes its secrets known to everything that prints. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Job, loadJob, Redactor, Registry } from '@sluice/core';
import type { JobSpec } from '@sluice/sdk';
import type { Output } from '../output/output.js';

export interface OpenJob {
  readonly job: Job;
  readonly registry: Registry;
}

/** A job file, or a job that was made from a command line. */
export async function openJob(pathOrSpec: string | JobSpec, output: Output): Promise<OpenJob> {
  const job = await loadJob(pathOrSpec, { env: output.env });
  output.redactWith((text) => job.redactor.redact(text));
  return { job, registry: registryAt(job.cwd) };
}

/** Connectors beside the job come first, then those of the folder that the command runs in, then our own. */
export function registryAt(cwd: string): Registry {
  const own = dirname(fileURLToPath(import.meta.url));
  return new Registry({ roots: [...new Set([cwd, process.cwd(), own])] });
}

/** Until a job is loaded, what is secret in the arguments themselves must not be printed either. */
export function hideCredentials(output: Output, locations: readonly string[]): void {
  const redactor = new Redactor();
  for (const location of locations) redactor.addCredentials(location);
  output.redactWith((text) => redactor.redact(text));
}

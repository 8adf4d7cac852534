/** From a job file, or a job as an object, to the normal form. */
import { basename, dirname, join, resolve } from 'node:path';
import type { JobSpec } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { type JobValues, problemsError } from './check-settings.js';
import { readDotenv } from './dotenv.js';
import type { Job } from './job.js';
import { normalise } from './normalise.js';
import type { Path } from './path-text.js';
import { readJob } from './read-job.js';
import { Redactor } from './redactor.js';
import { resolveValues } from './resolve-values.js';

export interface LoadOptions {
  /** Where relative paths start from; for a job that is an object, also the folder of `.env`. */
  readonly cwd?: string;
  /** Takes precedence over `.env` files. */
  readonly env?: { readonly [name: string]: string | undefined };
}

type JobInput = { readonly path: string } | { readonly spec: JobSpec };

/**
 * Loads a job: JSON, YAML or a module, or a spec as `defineJob` passes it on. Variables come from the environment,
 * then from a `.env` beside the job file, then from one in `cwd`.
 *
 * Throws `SLUICE-CORE-0001` (every wrong key with its place), `0002` (cannot be read) and `0003` (a `${…}` that
 * cannot be resolved). No message repeats a resolved value.
 */
export async function loadJob(pathOrSpec: string | JobSpec, options: LoadOptions = {}): Promise<Job> {
  const cwd = resolve(options.cwd ?? process.cwd());
  const input: JobInput =
    typeof pathOrSpec === 'string' ? { path: resolve(cwd, pathOrSpec) } : { spec: pathOrSpec };
  const folder = 'path' in input ? dirname(input.path) : cwd;
  const text = 'path' in input ? await readJob(input.path) : { value: input.spec, place: () => undefined };
  const redactor = new Redactor();
  const { env, skipped } = surroundings([...new Set([folder, cwd])], options.env ?? process.env);
  const resolution = resolveValues(text.value, { env, cwd: folder, redactor, skipped });

  /** The place of a path or, when the file does not have it (a missing key), of what it is missing in. */
  const place = (path: Path): string | undefined => {
    if (!('path' in input)) return undefined;
    const name = basename(input.path);
    for (let length = path.length; length >= 0; length--) {
      const found = text.place(path.slice(0, length));
      if (found !== undefined) return `${name}:${found.line}:${found.column}`;
    }
    return name;
  };
  const values: JobValues = { resolved: resolution.resolved, redactor, place };
  if (resolution.problems.length > 0) {
    throw problemsError(coreErrors.valueUnresolved, resolution.problems, values);
  }
  return {
    ...normalise(resolution.value, values),
    ...values,
    cwd: folder,
    ...('path' in input && { file: input.path }),
  };
}

interface Variables {
  readonly env: { readonly [name: string]: string | undefined };
  readonly skipped: readonly string[];
}

/** The environment over the `.env` files of the folders, of which the first counts most. */
function surroundings(folders: readonly string[], real: Variables['env']): Variables {
  const env: { [name: string]: string | undefined } = {};
  const skipped: string[] = [];
  for (const folder of folders.toReversed()) {
    const dotenv = readDotenv(folder);
    Object.assign(env, dotenv.values);
    skipped.push(...dotenv.skipped.map((line) => `line ${line} of ${join(folder, '.env')}`));
  }
  for (const [name, value] of Object.entries(real)) if (value !== undefined) env[name] = value;
  return { env, skipped };
}

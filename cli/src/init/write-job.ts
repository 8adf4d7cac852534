/** Writes a job and its secrets: two files, of which neither loses what somebody else wrote. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dotenvLine, readDotenv } from '@sluice/core';
import type { JobSpec } from '@sluice/sdk';
import { cliErrors } from '../errors.js';

const SCHEMA = './node_modules/sluice/job.schema.json';

/** Throws `SLUICE-CLI-0004` when there is a file of that name already. */
export function refuseExisting(path: string): void {
  if (existsSync(path)) throw cliErrors.fileExists(`${path} is there already`);
}

/** Throws `SLUICE-CLI-0004` and `SLUICE-CLI-0002`. */
export function writeJob(folder: string, file: string, job: JobSpec): void {
  const schema = existsSync(join(folder, SCHEMA)) ? { $schema: SCHEMA } : {};
  const text = `${JSON.stringify({ ...schema, ...job }, null, 2)}\n`;
  const path = join(folder, file);
  writing(path, () => writeFileSync(path, text, { flag: 'wx' }));
}

/** A name under which `.env` and the environment have nothing else than this value. */
export function freeName(
  wanted: string,
  value: string,
  folder: string,
  env: { readonly [name: string]: string | undefined },
): string {
  const known = readDotenv(folder).values;
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}_${number}`;
    if ((env[name] ?? known[name] ?? value) === value) return name;
  }
}

/** Adds the secrets that are not known yet to `.env`, which only its owner may read, and keeps it out of git. */
export function writeSecrets(
  folder: string,
  secrets: { readonly [name: string]: string },
  env: { readonly [name: string]: string | undefined },
): readonly string[] {
  const known = readDotenv(folder).values;
  const added = Object.entries(secrets).filter(([name, value]) => (env[name] ?? known[name]) !== value);
  if (added.length === 0) return [];
  const path = join(folder, '.env');
  writing(path, () => addLines(path, added.map(([name, value]) => dotenvLine(name, value)).join(''), 0o600));
  const ignored = join(folder, '.gitignore');
  const lines = existsSync(ignored) ? readFileSync(ignored, 'utf8').split(/\r?\n/) : [];
  const isIgnored = lines.some((line) => ['.env', '/.env', '.env*', '*.env'].includes(line.trim()));
  if (!isIgnored) writing(ignored, () => addLines(ignored, '.env\n', 0o644));
  return added.map(([name]) => name);
}

function addLines(path: string, text: string, mode: number): void {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  appendFileSync(path, `${gap}${text}`, { mode });
}

function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw cliErrors.fileExists(`${path} is there already`, { cause: error });
    throw cliErrors.outputUnwritable(`${path} cannot be written: ${message}`, { cause: error });
  }
}

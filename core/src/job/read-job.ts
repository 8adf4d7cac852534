/** Reads a job file of any kind, by its ending. */
import { readFileSync, statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { isSluiceError, nearestName } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { type JobText, TextError } from './job-text.js';
import { parseJsonText } from './json-text.js';
import { importJob } from './module-job.js';

const MODULES = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'];
const YAML = ['.yaml', '.yml'];
const ENDINGS = ['.json', ...YAML, ...MODULES];

/** Throws `SLUICE-CORE-0002`, or `0001` for a text that says a thing twice. */
export async function readJob(path: string): Promise<JobText> {
  const ending = extname(path).toLowerCase();
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw coreErrors.jobUnreadable(`${path} is a folder; a job is a file`);
  }
  if (MODULES.includes(ending)) {
    readText(path); // a missing file is the same error for every kind
    const value = await importJob(path);
    return { value, place: () => undefined };
  }
  if (ending !== '.json' && !YAML.includes(ending)) {
    const near = nearestName(ending, ENDINGS);
    const hint = near === undefined ? `one of ${ENDINGS.join(', ')}` : `such as ${near}`;
    throw coreErrors.jobUnreadable(`${path} does not end like a job file; the ending must be ${hint}`);
  }
  const text = readText(path);
  try {
    if (ending === '.json') return parseJsonText(text);
    const { parseYamlText } = await import('./yaml-text.js');
    return parseYamlText(text);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    const { line, column } = error.at;
    const message = `${basename(path)}:${line}:${column}: ${error.message}`;
    const details = { path, line, column };
    throw error.wellFormed
      ? coreErrors.jobInvalid(message, { details })
      : coreErrors.jobUnreadable(message, { details });
  }
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes); // takes a byte order mark off
  } catch (error) {
    if (isSluiceError(error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
          ? 'it is not UTF-8'
          : message;
    throw coreErrors.jobUnreadable(`${path} cannot be read: ${reason}`, { cause: error, details: { path } });
  }
}

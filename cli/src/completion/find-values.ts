/** Files and connectors as completion offers them. */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Completion } from '../commands/command.js';
import { isJobFile } from '../job/job-or-location.js';
import type { Candidate } from './candidates.js';

/** Folders end with a slash. What cannot be read is not offered. */
export async function findValues(kind: Completion, typed: string): Promise<readonly Candidate[]> {
  switch (kind) {
    case 'connector':
      return connectors();
    case 'location':
      return [...(await connectors()), ...files(typed, () => true)];
    case 'job':
      return files(typed, isJobFile);
    default:
      return files(typed, () => true);
  }
}

async function connectors(): Promise<Candidate[]> {
  const { registryAt } = await import('../job/open-job.js');
  const installed = registryAt(resolve()).list();
  return installed.map(({ connector, description }) => ({ text: connector, summary: description }));
}

function files(typed: string, wanted: (path: string) => boolean): Candidate[] {
  const folder = typed.slice(0, typed.lastIndexOf('/') + 1);
  const hidden = typed.slice(folder.length).startsWith('.');
  return namesIn(folder)
    .filter((name) => hidden || !name.startsWith('.'))
    .flatMap((name) => {
      const path = join(folder, name);
      const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
      if (isFolder) return [{ text: `${folder}${name}/`, summary: '' }];
      return readable(path, wanted) ? [{ text: `${folder}${name}`, summary: '' }] : [];
    });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder === '' ? '.' : folder).sort();
  } catch {
    return [];
  }
}

function readable(path: string, wanted: (path: string) => boolean): boolean {
  try {
    return wanted(path);
  } catch {
    return false;
  }
}

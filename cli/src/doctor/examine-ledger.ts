/** Whether the ledger can be read and written. Opens it for reading only, so that looking never makes one. */
import { constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { LEDGER_VERSION, openSqliteLedger } from '@sluice/core';
import { type Finding, failure, folderFindings, may, shellWord, toSluiceError } from '@sluice/sdk';
import type { Section } from './section.js';

export async function examineLedger(path: string): Promise<Section> {
  return { about: 'ledger', findings: await ledgerFindings(path) };
}

async function ledgerFindings(path: string): Promise<Finding[]> {
  const folder = await folderFindings(dirname(path));
  if (!existsSync(path)) return [{ level: 'ok', what: `${path} will be made by the first run` }, ...folder];
  try {
    const ledger = await openSqliteLedger(path, { readOnly: true });
    const jobs = await ledger.jobs();
    await ledger.close();
    const known = `${path} has version ${LEDGER_VERSION} and knows ${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}`;
    return [{ level: 'ok', what: known }, ...(await writable(path)), ...folder];
  } catch (error) {
    return [failure(toSluiceError(error)), ...folder];
  }
}

async function writable(path: string): Promise<Finding[]> {
  if (await may(path, constants.W_OK)) return [];
  const what = `${path} cannot be written`;
  return [{ level: 'fail', what, fix: `chmod u+w ${shellWord(path)}`, class: 'config' }];
}

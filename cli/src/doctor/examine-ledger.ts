/** Whether the ledger can be read and written. Opens it for reading only, so that looking never makes one. */
import { constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { LEDGER_VERSION, type Ledger, openSqliteLedger } from '@sluice/core';
import { type Finding, failure, folderFindings, may, shellWord, toSluiceError } from '@sluice/sdk';
import { describeQuarantined } from '../state/describe-state.js';
import type { Section } from './section.js';

/** With a job also which of its streams are left out. */
export async function examineLedger(path: string, job?: string): Promise<Section> {
  return { about: 'ledger', findings: await ledgerFindings(path, job) };
}

async function ledgerFindings(path: string, job: string | undefined): Promise<Finding[]> {
  const folder = await folderFindings(dirname(path));
  if (!existsSync(path)) return [{ level: 'ok', what: `${path} will be made by the first run` }, ...folder];
  try {
    const ledger = await openSqliteLedger(path, { readOnly: true });
    const jobs = await ledger.jobs();
    const left = job === undefined ? [] : await quarantined(ledger, job);
    await ledger.close();
    const known = `${path} has version ${LEDGER_VERSION} and knows ${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}`;
    return [{ level: 'ok', what: known }, ...left, ...(await writable(path)), ...folder];
  } catch (error) {
    return [failure(toSluiceError(error)), ...folder];
  }
}

async function quarantined(ledger: Ledger, job: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const flow of await ledger.flows(job)) {
    for (const { stream, message, code } of describeQuarantined(flow, await ledger.flow({ job, flow }))) {
      const what = `flow ${flow} goes on without stream ${stream}: ${message} (${code})`;
      findings.push({ level: 'warn', what, fix: `sluice resync ${job} ${shellWord(stream)}` });
    }
  }
  return findings;
}

async function writable(path: string): Promise<Finding[]> {
  if (await may(path, constants.W_OK)) return [];
  const what = `${path} cannot be written`;
  return [{ level: 'fail', what, fix: `chmod u+w ${shellWord(path)}`, class: 'config' }];
}

/** Gives a flow a spool for the time of a run. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '@sluice/sdk';
import type { FlowPlan } from '../plan/flow-plan.js';
import { SpooledSource } from './spooled-source.js';

/** Without a `folder`, what is spooled ends with the run. */
export async function withSpool(
  plan: FlowPlan,
  folder: string | undefined,
  run: Context,
  work: (plan: FlowPlan) => Promise<void>,
): Promise<void> {
  const home = folder ?? (await mkdtemp(join(tmpdir(), 'sluice-spool-')));
  const own = join(home, encodeURIComponent(`${plan.key.job}/${plan.key.flow}`));
  const source = new SpooledSource(plan.source, own, run);
  try {
    await work({ ...plan, source, capabilities: source.capabilities, spooled: true });
  } finally {
    await source.endRun();
    if (folder === undefined) await rm(home, { recursive: true, force: true });
    else if (!(await holdsRecords(own))) await rm(own, { recursive: true, force: true });
  }
}

async function holdsRecords(folder: string): Promise<boolean> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.some((name) => name.endsWith('.spool'));
}

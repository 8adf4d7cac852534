/** What the sources of a job keep of their logs: listed, and dropped. No plan is needed: what the job reads may be gone. */
import type { KeptLog, Logger } from '@sluice/sdk';
import type { Job } from '../job/job.js';
import type { Ledger } from '../ledger/ledger.js';
import { contextOf, openSource } from '../plan/plan-job.js';
import type { Registry } from '../registry/registry.js';
import type { Cleaned } from './clean-job.js';
import { holdJob } from './hold-job.js';

export interface KeptLogsOptions {
  readonly job: Job;
  readonly registry: Registry;
  /** Whatever has names of ours in the systems, not only what is of this job. */
  readonly all: boolean;
  /** Bytes that each connector may hold. */
  readonly memory: number;
  readonly log?: Logger;
}

export interface SourceLogs {
  readonly connection: string;
  /** Undefined: of all flows that use the system. */
  readonly flow?: string;
  readonly logs: readonly KeptLog[];
}

/** Sources that keep no log are left out. */
export async function keptLogs({ job, registry, all, memory, log }: KeptLogsOptions): Promise<SourceLogs[]> {
  const context = contextOf(job, { ...(log && { log }) }, memory);
  const found: SourceLogs[] = [];
  const flows = all ? new Map(job.flows.map((flow) => [flow.connection.name, flow])).values() : job.flows;
  for (const { name, connection } of flows) {
    const { side } = await openSource(job, connection, registry);
    try {
      const logs = await side.keptLogs?.(all ? undefined : `${job.name}/${name}`, context);
      if (logs !== undefined) found.push({ connection: connection.name, ...(!all && { flow: name }), logs });
    } finally {
      await side.close?.();
    }
  }
  return found;
}

export interface DropLogsOptions extends Omit<KeptLogsOptions, 'all'> {
  readonly ledger: Ledger;
  /** Do it; otherwise say what would be done. */
  readonly certain: boolean;
  /** Also where somebody reads a log, who is cut off, and where the job names it itself. */
  readonly force: boolean;
}

/** Rejects with `SLUICE-CORE-0101` while a run is under way, unless it is forced. */
export async function dropLogs(options: DropLogsOptions): Promise<readonly Cleaned[]> {
  const { job, ledger, certain, force, log } = options;
  if (!certain || force) return dropAll(options);
  return holdJob(ledger, job.name, () => dropAll(options), log);
}

async function dropAll(options: DropLogsOptions): Promise<Cleaned[]> {
  const { job, registry, memory, log, certain, force } = options;
  const context = contextOf(job, { ...(log && { log }) }, memory);
  const dropped: Cleaned[] = [];
  for (const { name, connection } of job.flows) {
    const flow = `${job.name}/${name}`;
    const { side } = await openSource(job, connection, registry);
    try {
      const steps = await side.dropLog?.(flow, { certain, force }, context);
      if (steps !== undefined) dropped.push({ connection: connection.name, name: flow, steps });
    } finally {
      await side.close?.();
    }
  }
  return dropped;
}

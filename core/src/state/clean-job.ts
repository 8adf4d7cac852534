/**
 * Removes what a job has left in its systems beside the rows, without a plan: what it reads may be gone.
 * A crash at any step leaves less than before; the same again ends in nothing.
 */
import { type Context, failpoint, type Logger } from '@sluice/sdk';
import { letterSinkJob } from '../dead-letters/sink-letters.js';
import type { Job, JobConnection } from '../job/job.js';
import type { Ledger } from '../ledger/ledger.js';
import { contextOf, openSink, openSource } from '../plan/plan-job.js';
import type { Registry } from '../registry/registry.js';
import { holdJob } from './hold-job.js';

export interface CleanOptions {
  readonly job: Job;
  readonly registry: Registry;
  readonly ledger: Ledger;
  /** Do it; otherwise say what would be done. */
  readonly certain: boolean;
  /** Let the ledger forget the job as well, once its sinks are clean. */
  readonly forget: boolean;
  /** Bytes that each connector may hold. */
  readonly memory: number;
  readonly log?: Logger;
}

/** What is removed from one system: statements or paths, in order. Undefined: its connector leaves nothing that it knows of. */
export interface Cleaned {
  readonly connection: string;
  /** The name under which it kept the job: `job/flow/sink` in a sink, `job/flow` in a source. */
  readonly name: string;
  readonly steps: readonly string[] | undefined;
}

/** Rejects with `SLUICE-CORE-0101` while a run is under way. */
export async function cleanJob(options: CleanOptions): Promise<readonly Cleaned[]> {
  const { job, ledger, certain, forget, memory, log } = options;
  if (!certain) return cleanAll(options, contextOf(job, { ...(log && { log }) }, memory));
  return holdJob(
    ledger,
    job.name,
    async (keeper) => {
      const context = contextOf(job, { ...(log && { log }), signal: keeper.signal }, memory);
      const cleaned = await cleanAll(options, context);
      failpoint('clean.before-ledger');
      if (forget) await ledger.forget(keeper.lease);
      failpoint('clean.after-ledger');
      return cleaned;
    },
    log,
  );
}

async function cleanAll({ job, registry, certain }: CleanOptions, context: Context): Promise<Cleaned[]> {
  const cleaned: Cleaned[] = [];
  for (const { connection, sinkJob } of sinksOf(job)) {
    const { side } = await openSink(job, connection, registry);
    try {
      const steps = await side.clean?.(sinkJob, certain, context);
      cleaned.push({ connection: connection.name, name: sinkJob, steps });
    } finally {
      await side.close?.();
    }
    failpoint('clean.between-sinks');
  }
  // Last, so that a source that is gone for good keeps nothing else from being removed.
  for (const { name, connection } of job.flows) {
    const flow = `${job.name}/${name}`;
    const { side } = await openSource(job, connection, registry);
    try {
      const steps = await side.clean?.(flow, certain, context);
      if (steps !== undefined && steps.length > 0)
        cleaned.push({ connection: connection.name, name: flow, steps });
    } finally {
      await side.close?.();
    }
    failpoint('clean.between-sources');
  }
  return cleaned;
}

function sinksOf({ name, flows, errors }: Job): { connection: JobConnection; sinkJob: string }[] {
  const sinks = flows.flatMap((flow) =>
    flow.sinks.map((sink) => ({
      connection: sink.connection,
      sinkJob: `${name}/${flow.name}/${sink.name}`,
    })),
  );
  const letters = errors?.deadLetter;
  return letters === undefined
    ? sinks
    : [...sinks, { connection: letters, sinkJob: letterSinkJob(name, letters.name) }];
}

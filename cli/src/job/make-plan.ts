/** Makes the plan of a job with the connectors that are installed and our transforms. */
import { type FlowPlan, type Job, type JobPlan, type Ledger, planJob } from '@sluice/core';
import { type Logger, matchesAny, matchesPattern, type Transform } from '@sluice/sdk';
import { cliErrors } from '../errors.js';
import type { OpenJob } from './open-job.js';

export interface PlanWishes {
  /** Plan these streams of the job only. */
  readonly streams: readonly string[] | undefined;
  /** Patterns of the streams that start a new generation. */
  readonly fresh: readonly string[];
  /** What is known of the job so far; without it the plan is that of a first run. */
  readonly state?: Ledger;
}

/** What is to be said of a plan: lines for people. */
export type PlanNotice = (plan: JobPlan) => readonly string[];

export async function makePlan(
  { job, registry }: OpenJob,
  { streams, fresh, state }: PlanWishes,
  log: Logger,
): Promise<JobPlan> {
  const transforms = await transformsFor(job);
  const plan = await planJob(job, { registry, transforms, fresh, log, ...(state && { state }) });
  const planned = streams === undefined ? plan : onlyStreams(plan, streams);
  requireFresh(planned, fresh);
  return planned;
}

/**
 * The plan of the streams that match. Throws `SLUICE-CLI-0003` where none does, and `SLUICE-CLI-0001` where a log would
 * be read past what others of its streams have in it.
 */
export function onlyStreams(plan: JobPlan, patterns: readonly string[]): JobPlan {
  const flows = plan.flows
    .map((flow) => ({ ...flow, streams: selected(flow, patterns) }))
    .filter((flow) => flow.streams.length > 0);
  if (flows.length > 0) return { ...plan, flows };
  const names = plan.flows.flatMap((flow) => flow.streams.map(({ stream }) => stream));
  throw cliErrors.nothingThere(
    `no stream of job ${plan.name} matches ${patterns.join(', ')}; there are ${names.join(', ')}`,
  );
}

function selected({ key, streams }: FlowPlan, patterns: readonly string[]): FlowPlan['streams'] {
  const chosen = streams.filter(({ stream }) => matchesAny(patterns, stream));
  const isLogged = ({ read }: FlowPlan['streams'][number]) => read.mode === 'cdc';
  const missed = streams.filter((stream) => isLogged(stream) && !chosen.includes(stream));
  if (chosen.some(isLogged) && missed.length > 0) {
    const names = missed.map(({ stream }) => stream).join(', ');
    throw cliErrors.usage(
      `flow ${key.flow} reads one log for all its streams, and --streams leaves out ${names}, whose changes would be missed`,
    );
  }
  return chosen;
}

/**
 * Throws `SLUICE-CLI-0003` for a stream to copy afresh that is not there, and `SLUICE-CLI-0006` where the one log that is read
 * for it would go on for others from another place.
 */
function requireFresh({ name, flows }: JobPlan, fresh: readonly string[]): void {
  for (const pattern of fresh) {
    const all = flows.flatMap((flow) => flow.streams);
    if (all.length > 0 && !all.some(({ stream }) => matchesPattern(pattern, stream))) {
      const names = all.map(({ stream }) => stream).join(', ');
      throw cliErrors.nothingThere(`no stream of job ${name} matches ${pattern}; there are ${names}`);
    }
  }
  for (const { key, streams } of flows) {
    const logged = streams.filter(({ read }) => read.mode === 'cdc').map(({ stream }) => stream);
    const asked = logged.filter((stream) => matchesAny(fresh, stream));
    if (asked.length > 0 && asked.length < logged.length) {
      throw cliErrors.refreshOfLog(
        `flow ${key.flow} follows the changes of ${logged.join(', ')} in one log, and only ${asked.join(', ')} would be copied afresh`,
      );
    }
  }
}

/** Our transforms, loaded only for jobs that can come to use one: many jobs do not, and start sooner without. */
async function transformsFor({ flows, lossy, schema }: Job): Promise<{ readonly [name: string]: Transform }> {
  const named = flows.some((flow) => flow.transforms.length > 0);
  // Declared types are casts, and so are keeping a column as text and as it was before.
  const casts =
    lossy === 'string' ||
    schema.types.startsWith('discard') ||
    flows.some(({ streams = [] }) =>
      streams.some(({ spec }) => spec !== false && spec.columns !== undefined),
    );
  if (!named && !casts) return {};
  const { transforms } = await import('@sluice/transforms');
  return transforms;
}

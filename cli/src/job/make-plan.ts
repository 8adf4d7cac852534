/** Makes the plan of a job with the connectors that are installed and our transforms. */
import { type JobPlan, planJob } from '@sluice/core';
import { type Logger, matchesPattern } from '@sluice/sdk';
import { transforms } from '@sluice/transforms';
import { cliErrors } from '../errors.js';
import type { OpenJob } from './open-job.js';

export interface PlanWishes {
  /** Plan these streams of the job only. */
  readonly streams: readonly string[] | undefined;
  /** Start a new generation of every stream. */
  readonly fresh: boolean;
}

/** What is to be said of a plan: lines for people. */
export type PlanNotice = (plan: JobPlan) => readonly string[];

export async function makePlan(
  { job, registry }: OpenJob,
  { streams, fresh }: PlanWishes,
  log: Logger,
): Promise<JobPlan> {
  const plan = await planJob(job, { registry, transforms, fresh, log });
  return streams === undefined ? plan : onlyStreams(plan, streams);
}

/** The plan of the streams that match. Throws `SLUICE-CLI-0003` where none does. */
export function onlyStreams(plan: JobPlan, patterns: readonly string[]): JobPlan {
  const flows = plan.flows
    .map((flow) => ({
      ...flow,
      streams: flow.streams.filter(({ stream }) =>
        patterns.some((pattern) => matchesPattern(pattern, stream)),
      ),
    }))
    .filter((flow) => flow.streams.length > 0);
  if (flows.length > 0) return { ...plan, flows };
  const names = plan.flows.flatMap((flow) => flow.streams.map(({ stream }) => stream));
  throw cliErrors.nothingThere(
    `no stream of job ${plan.name} matches ${patterns.join(', ')}; there are ${names.join(', ')}`,
  );
}

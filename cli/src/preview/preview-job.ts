/** A job that reads one stream as another job does, and writes nothing. */
import type { Job, JobFlow } from '@sluice/core';
import { comparePatterns, matchesPattern } from '@sluice/sdk';
import { NOWHERE } from '../job/open-location.js';

/** What a pattern says of the streams that it matches. */
type StreamRule = NonNullable<JobFlow['streams']>[number];

/**
 * Reads in full, whatever the job does (following a log would leave a slot behind), through the job's transforms.
 * With `stream`, only that one is planned.
 */
export function previewJob(job: Job, stream: string | undefined): Job {
  return {
    ...job,
    lossy: 'warn',
    delivery: { commit: {}, except: [] },
    flows: job.flows.map((flow) => previewFlow(flow, stream)),
  };
}

function previewFlow(flow: JobFlow, stream: string | undefined): JobFlow {
  const settings = { values: {}, paths: {}, at: [] };
  return {
    ...flow,
    mode: 'full',
    streams: stream === undefined ? flow.streams?.map(inFull) : rulesOf(flow, stream).map(inFull),
    sinks: [
      {
        name: 'preview',
        connection: { name: 'nowhere', connector: NOWHERE, settings },
        onFailure: 'stop',
        at: [],
        rules: [{ pattern: '*', spec: { write: 'append' }, at: [] }],
      },
    ],
  };
}

/** What the job says of a stream, from the broadest rule to the narrowest, under its exact name. */
function rulesOf({ streams }: JobFlow, stream: string): StreamRule[] {
  if (streams === undefined) return [{ pattern: stream, spec: {}, at: [] }];
  return streams
    .filter(({ pattern }) => matchesPattern(pattern, stream))
    .sort((a, b) => comparePatterns(a.pattern, b.pattern))
    .map((rule) => ({ ...rule, pattern: stream }));
}

function inFull(rule: StreamRule): StreamRule {
  if (rule.spec === false) return rule;
  const { mode: _mode, cursor: _cursor, ...spec } = rule.spec;
  return { ...rule, spec };
}

import { resolve } from 'node:path';
import type { JobPlan } from '@sluice/core';
import type { ReadMode, SaveMode, WriteMode } from '@sluice/sdk';
import type { Action } from '../commands/command.js';
import { copyJob } from '../copy/copy-job.js';
import { locate } from '../copy/locate.js';
import { executeJob } from '../job/execute-job.js';
import { hideCredentials, openJob, registryAt } from '../job/open-job.js';
import { overrideJob } from '../job/override-job.js';

export const action: Action = async (input, output) => {
  const [from = '', to = ''] = input.positionals;
  hideCredentials(output, [from, to]);
  const cwd = resolve();
  const registry = registryAt(cwd);
  const request = {
    from,
    to,
    source: await locate(from, 'source', input.pairs('from'), registry, cwd),
    sink: await locate(to, 'sink', input.pairs('to'), registry, cwd),
    streams: input.list('streams'),
    mode: (input.text('mode') ?? 'full') as ReadMode,
    cursor: input.text('cursor'),
    key: input.list('key'),
    write: input.text('write') as WriteMode | undefined,
    save: input.text('save') as SaveMode | undefined,
    name: input.text('name'),
    lossy: (input.text('lossy') ?? 'string') as 'fail' | 'warn' | 'string',
    settings: [input.pairs('from'), input.pairs('to')],
    job: input.text('job'),
  };
  const open = await openJob(copyJob(request, cwd), output);
  const job = overrideJob(open.job, input);
  // The streams are part of the job here, and chosen there.
  const passing = request.source.connector === 'stdin' || request.sink.connector === 'stdout';
  const options = { input, streams: undefined, fresh: passing ? ['*'] : [], passing, notice: keptAsText };
  return executeJob({ ...open, job }, options, output);
};

/** A copy has no transforms of its own: what changes a column is the engine that keeps it as text. */
function keptAsText({ flows }: JobPlan): string[] {
  return flows.flatMap(({ streams }) =>
    streams.flatMap(({ stream, transforms, targets }) => {
      const casts = Object.values(targets).flatMap((target) => target.casts);
      const columns = [...new Set([...transforms, ...casts].flatMap(({ writes }) => writes))];
      if (columns.length === 0) return [];
      return [
        `stream ${stream}: the target cannot keep ${columns.join(', ')} exactly, so they become text (--lossy fail refuses that)`,
      ];
    }),
  );
}

import { resolve } from 'node:path';
import { keptLogs } from '@sluice/core';
import { logLines } from '../cdc/log-lines.js';
import type { Action } from '../commands/command.js';
import { COMMAND_MEMORY } from '../job/connections.js';
import { isJobFile } from '../job/job-or-location.js';
import { openJob } from '../job/open-job.js';
import { openLocation } from '../job/open-location.js';
import { commandLogger } from '../output/command-logger.js';

export const action: Action = async (input, output) => {
  const [what = ''] = input.positionals;
  const isJob = isJobFile(what);
  const { job, registry } = isJob
    ? await openJob(what, output)
    : await openLocation(what, {}, resolve(), output);
  const all = !isJob || input.flag('all');
  const log = await commandLogger(output);
  const sources = await keptLogs({ job, registry, all, memory: COMMAND_MEMORY, log });
  const { stdout } = output;
  if (output.json) stdout.json({ sources });
  else for (const line of logLines(sources, stdout.colours, stdout.width)) stdout.line(line);
  return 0;
};

import type { Action, CommandInput } from '../commands/command.js';
import { executeJob } from '../job/execute-job.js';
import { openJob } from '../job/open-job.js';
import { overrideJob } from '../job/override-job.js';

export const action: Action = async (input, output) => {
  const { job, registry } = await openJob(input.positionals[0]!, output);
  const open = { job: overrideJob(job, input), registry };
  return executeJob(
    open,
    { input, streams: input.list('streams'), fresh: freshOf(input), passing: false },
    output,
  );
};

/** Patterns of the streams that are to be copied afresh. */
function freshOf(input: CommandInput): readonly string[] {
  return input.flag('full-refresh') ? ['*'] : (input.list('refresh') ?? []);
}

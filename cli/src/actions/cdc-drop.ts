import { dropLogs } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { COMMAND_MEMORY } from '../job/connections.js';
import { openJob } from '../job/open-job.js';
import { statePath } from '../job/state-path.js';
import { commandLogger } from '../output/command-logger.js';
import { plural } from '../output/numbers.js';
import { checkConsent, ledgerIfThere, remove, stepsOf } from '../removal/removal.js';

export const action: Action = async (input, output) => {
  const { stdout } = output;
  const { job, registry } = await openJob(input.positionals[0]!, output);
  checkConsent('cdc drop', input, output);
  const ledger = await ledgerIfThere(statePath(input.text('state'), job.cwd));
  try {
    const log = await commandLogger(output);
    const options = { job, registry, ledger, force: input.flag('force'), memory: COMMAND_MEMORY, log };
    const sources = await remove(
      {
        command: 'cdc drop',
        question: `Drop all this of job ${job.name}, so that its tables have to be copied anew?`,
        work: (certain) => dropLogs({ ...options, certain }),
      },
      input,
      output,
    );
    if (sources === undefined) return 0;
    const dryRun = input.flag('dry-run');
    if (output.json) {
      stdout.json({ job: job.name, dropped: !dryRun, sources });
      return 0;
    }
    const steps = stepsOf(sources);
    const what = `${plural(steps, 'step')} for job ${job.name}`;
    if (dryRun) stdout.line(`would take ${what}; --yes does it`);
    else if (steps === 0) stdout.line(`there was nothing of job ${job.name} to drop`);
    else stdout.line(`took ${what}; \`sluice run\` with --full-refresh copies its tables anew`);
    return 0;
  } finally {
    await ledger.close();
  }
};

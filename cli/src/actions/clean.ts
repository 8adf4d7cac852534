import { cleanJob } from '@sluice/core';
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
  checkConsent('clean', input, output);
  const ledger = await ledgerIfThere(statePath(input.text('state'), job.cwd));
  try {
    const log = await commandLogger(output);
    const options = { job, registry, ledger, forget: input.flag('ledger'), memory: COMMAND_MEMORY, log };
    const sinks = await remove(
      {
        command: 'clean',
        question: `Remove all this of job ${job.name}?`,
        work: (certain) => cleanJob({ ...options, certain }),
      },
      input,
      output,
    );
    if (sinks === undefined) return 0;
    const dryRun = input.flag('dry-run');
    if (output.json) {
      const told = sinks.map(({ steps = [], ...sink }) => ({ ...sink, steps }));
      stdout.json({ job: job.name, cleaned: !dryRun, forgotten: !dryRun && options.forget, sinks: told });
      return 0;
    }
    const what = `${plural(stepsOf(sinks), 'step')} for job ${job.name}`;
    stdout.line(dryRun ? `would take ${what}; --yes does it` : `took ${what}: it is clean`);
    return 0;
  } finally {
    await ledger.close();
  }
};

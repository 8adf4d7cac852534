import { existsSync } from 'node:fs';
import { type Cleaned, cleanJob, type Ledger, MemoryLedger, openSqliteLedger } from '@sluice/core';
import { UsageProblem } from '../arguments/usage-problem.js';
import type { Action } from '../commands/command.js';
import { terminalQuestions } from '../init/questions.js';
import { COMMAND_MEMORY } from '../job/connections.js';
import { openJob } from '../job/open-job.js';
import { statePath } from '../job/state-path.js';
import { commandLogger } from '../output/command-logger.js';
import { plural } from '../output/numbers.js';
import type { OutStream } from '../output/out-stream.js';

export const action: Action = async (input, output) => {
  const { stdout } = output;
  const { job, registry } = await openJob(input.positionals[0]!, output);
  const dryRun = input.flag('dry-run');
  const asks = !dryRun && !input.flag('yes');
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (asks && (output.json || !isTerminal)) {
    throw new UsageProblem('without a terminal nobody can be asked: `sluice clean` needs --yes or --dry-run');
  }
  const ledger = await openLedger(statePath(input.text('state'), job.cwd));
  try {
    const log = await commandLogger(output);
    const options = { job, registry, ledger, forget: input.flag('ledger'), memory: COMMAND_MEMORY, log };
    if (asks) {
      show(await cleanJob({ ...options, certain: false }), stdout);
      if (!(await isConfirmed(job.name))) return 0;
    }
    const sinks = await cleanJob({ ...options, certain: !dryRun });
    const steps = sinks.reduce((sum, sink) => sum + (sink.steps?.length ?? 0), 0);
    if (output.json) {
      const told = sinks.map(({ steps = [], ...sink }) => ({ ...sink, steps }));
      stdout.json({ job: job.name, cleaned: !dryRun, forgotten: !dryRun && options.forget, sinks: told });
      return 0;
    }
    if (!asks) show(sinks, stdout);
    const what = `${plural(steps, 'step')} for job ${job.name}`;
    stdout.line(dryRun ? `would take ${what}; --yes does it` : `took ${what}: it is clean`);
    return 0;
  } finally {
    await ledger.close();
  }
};

/** A job that has no ledger is not made one. */
function openLedger(path: string): Promise<Ledger> | Ledger {
  return existsSync(path) ? openSqliteLedger(path) : new MemoryLedger();
}

function show(sinks: readonly Cleaned[], stdout: OutStream): void {
  for (const { connection, name, steps } of sinks) {
    const said =
      steps === undefined ? 'leaves nothing of its own' : steps.length === 0 ? 'is clean' : undefined;
    stdout.line(`${connection}, as ${name}${said === undefined ? ':' : ` ${said}`}`);
    for (const step of steps ?? []) stdout.line(`  ${step}`);
  }
}

async function isConfirmed(job: string): Promise<boolean> {
  const questions = terminalQuestions('clean');
  try {
    const answer = await questions.ask({ text: `Remove all this of job ${job}? y or n`, proposal: 'n' });
    return /^y(es)?$/i.test(answer);
  } finally {
    questions.close();
  }
}

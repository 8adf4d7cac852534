/** Compares a job's sources with its sinks, and says what differs: in words, as JSON, and as an exit code. */
import { existsSync } from 'node:fs';
import {
  coreErrors,
  MemoryLedger,
  openSqliteLedger,
  type StreamComparison,
  type VerifyEvent,
  type VerifyOptions,
  verifyJob,
} from '@sluice/core';
import type { CommandInput } from '../commands/command.js';
import { makePlan } from '../job/make-plan.js';
import { openJob } from '../job/open-job.js';
import { statePath } from '../job/state-path.js';
import { commandLogger } from '../output/command-logger.js';
import { plural } from '../output/numbers.js';
import type { Output } from '../output/output.js';
import { comparisonLines, differenceLine } from './comparison-lines.js';

export type VerifyWishes = Pick<VerifyOptions, 'streams' | 'sink' | 'repair' | 'where' | 'limit'>;

/** A run that follows commits a position at least every few seconds, also while nothing changes. */
const PATIENCE_MS = 300_000;

/** Throws `SLUICE-CORE-0150` where rows differ that were not repaired, `0151` where some never came to rest. */
export async function verifyAndTell(
  input: CommandInput,
  output: Output,
  wishes: VerifyWishes,
): Promise<number> {
  const { json, stdout } = output;
  const open = await openJob(input.positionals[0]!, output);
  const { job, registry } = open;
  const path = statePath(input.text('state'), job.cwd);
  const ledger = existsSync(path) ? await openSqliteLedger(path) : new MemoryLedger();
  try {
    const log = await commandLogger(output);
    const plan = await makePlan(open, { streams: undefined, fresh: [], state: ledger }, log);
    try {
      const filter = wishes.where !== undefined && (await import('@sluice/transforms')).transforms['filter'];
      const options = { ...wishes, job, plan, registry, ledger, patienceMs: PATIENCE_MS, log };
      const listener = (event: VerifyEvent) => {
        if (json) stdout.json(event);
        else if (event.event === 'difference') stdout.line(differenceLine(event));
        else for (const line of comparisonLines(event)) stdout.line(line);
      };
      const { streams } = await verifyJob({ ...options, listener, ...(filter && { filter }) });
      if (json) stdout.json({ event: 'result', job: job.name, ...totals(streams), streams });
      requireEqual(job.name, streams);
      return 0;
    } finally {
      await plan.close();
    }
  } finally {
    await ledger.close();
  }
}

function totals(streams: readonly StreamComparison[]) {
  const sum = (of: (stream: StreamComparison) => number) =>
    streams.reduce((all, stream) => all + of(stream), 0);
  const differences = sum(({ missing, surplus, different }) => missing + surplus + different);
  const unsettled = sum((stream) => stream.unsettled);
  const repaired = sum((stream) => stream.repaired);
  return { equal: differences === 0 && unsettled === 0, differences, unsettled, repaired };
}

function requireEqual(job: string, streams: readonly StreamComparison[]): void {
  const differing = streams.filter(({ missing, surplus, different, repaired }) => {
    return missing + surplus + different > repaired;
  });
  if (differing.length > 0) {
    const { differences } = totals(differing);
    const names = [...new Set(differing.map(({ target }) => target))].join(', ');
    throw coreErrors.targetsDiffer(`job ${job}: ${plural(differences, 'row')} differ in ${names}`, {
      details: { streams: [...new Set(differing.map(({ stream }) => stream))] },
    });
  }
  const { unsettled } = totals(streams);
  if (unsettled > 0)
    throw coreErrors.verifyUnsettled(`job ${job}: ${plural(unsettled, 'row')} changed at every look`);
}

import { randomUUID } from 'node:crypto';
import { currentHolder } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { plural } from '../output/numbers.js';
import { describeState } from '../state/describe-state.js';
import { findState } from '../state/find-state.js';

const LEASE_MS = 30_000;

export const action: Action = async (input, output) => {
  const certain = input.flag('yes');
  const { ledger, name = '', job } = await findState(input, output, !certain);
  try {
    const { sinks } = await describeState(ledger, name, job?.flows.map((flow) => flow.name) ?? []);
    const streams = sinks.reduce((sum, sink) => sum + sink.streams.length, 0);
    const splits = sinks.reduce((sum, sink) => sum + sink.splits.length, 0);
    if (certain) {
      // The lease keeps a run from beginning meanwhile, and refuses while one is under way.
      const lease = await ledger.acquire(name, currentHolder(randomUUID()), LEASE_MS);
      await ledger.forget(lease);
      await ledger.release(lease);
    }
    const { stdout } = output;
    if (output.json) stdout.json({ job: name, forgotten: certain, streams, parts: splits });
    else {
      const what = `${plural(streams, 'stream')} in ${plural(splits, 'part')} of job ${name}`;
      stdout.line(certain ? `forgot ${what}` : `would forget ${what}; --yes does it`);
    }
    return 0;
  } finally {
    await ledger.close();
  }
};

import { matchesPattern } from '@sluice/sdk';
import type { Action } from '../commands/command.js';
import { cliErrors } from '../errors.js';
import { findState } from '../state/find-state.js';
import { verifyAndTell } from '../verify/verify-and-tell.js';

export const action: Action = async (input, output) => {
  const where = input.text('where');
  if (where !== undefined) {
    return verifyAndTell(input, output, { streams: [input.positionals[1]!], repair: true, where, limit: 0 });
  }
  const { ledger, name = '' } = await findState(input, output, false);
  const pattern = input.positionals[1]!;
  try {
    const asked: { flow: string; streams: string[] }[] = [];
    const followed: string[] = [];
    for (const flow of await ledger.flows(name)) {
      const { splits, streams: known } = await ledger.flow({ job: name, flow });
      const logs = Object.values(splits).filter(({ split }) => split.phase === 'log');
      const left = Object.keys(known).filter((stream) => known[stream]!.quarantined !== undefined);
      const all = [...new Set([...logs.flatMap(({ split }) => split.streams), ...left])];
      const streams = all.filter((stream) => matchesPattern(pattern, stream));
      followed.push(...all);
      if (streams.length > 0) asked.push({ flow, streams });
    }
    if (asked.length === 0) {
      const what = followed.length > 0 ? `those are ${followed.join(', ')}` : 'it follows none';
      throw cliErrors.nothingThere(`job ${name} follows no stream that matches ${pattern}; ${what}`);
    }
    for (const { flow, streams } of asked) await ledger.requestCopies({ job: name, flow }, streams);
    const holder = (await ledger.lease(name))?.holder;
    const { json, stdout } = output;
    if (json) {
      stdout.json({ job: name, asked, underWay: holder !== undefined });
      return 0;
    }
    for (const { flow, streams } of asked)
      stdout.line(`flow ${flow}: ${streams.join(', ')} will be copied once more`);
    stdout.line(
      holder === undefined
        ? 'the next run does it'
        : `run ${holder.run}, which is under way, begins within seconds if it follows`,
    );
    return 0;
  } finally {
    await ledger.close();
  }
};

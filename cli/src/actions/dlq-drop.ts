import { randomUUID } from 'node:crypto';
import { currentHolder } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { letterFilterOf } from '../dead-letters/letter-filter.js';
import { plural } from '../output/numbers.js';
import { findState } from '../state/find-state.js';

const LEASE_MS = 30_000;
const LETTERS_AT_ONCE = 1000;

export const action: Action = async (input, output) => {
  const certain = input.flag('yes');
  const { ledger, name = '' } = await findState(input, output, !certain);
  try {
    const filter = letterFilterOf(input);
    const total = await ledger.countLetters(name, filter);
    if (certain) {
      // The lease keeps a run from adding letters meanwhile, and refuses while one is under way.
      const lease = await ledger.acquire(name, currentHolder(randomUUID()), LEASE_MS);
      for (;;) {
        const letters = await ledger.letters(name, filter, LETTERS_AT_ONCE);
        if (letters.length === 0) break;
        await ledger.dropLetters(
          lease,
          letters.map(({ id }) => id),
        );
      }
      await ledger.release(lease);
    }
    const { stdout } = output;
    if (output.json) stdout.json({ job: name, dropped: certain, letters: total });
    else {
      const what = `${plural(total, 'dead letter')} of job ${name}`;
      stdout.line(certain ? `dropped ${what}` : `would drop ${what}; --yes does it`);
    }
    return 0;
  } finally {
    await ledger.close();
  }
};

import type { Action } from '../commands/command.js';
import { letterFilterOf } from '../dead-letters/letter-filter.js';
import { letterTable } from '../dead-letters/letter-lines.js';
import { plural } from '../output/numbers.js';
import { findState } from '../state/find-state.js';

const DEFAULT_LIMIT = 50;

export const action: Action = async (input, output) => {
  const { ledger, name = '' } = await findState(input, output, true);
  try {
    const filter = letterFilterOf(input);
    const letters = await ledger.letters(name, filter, input.count('limit') ?? DEFAULT_LIMIT);
    const total = await ledger.countLetters(name, filter);
    const { stdout } = output;
    if (output.json) {
      stdout.json({ job: name, total, letters });
      return 0;
    }
    if (total === 0) {
      stdout.line('There are no dead letters.');
      return 0;
    }
    for (const line of letterTable(letters, stdout.colours, stdout.width)) stdout.line(line);
    if (total > letters.length) {
      stdout.line('');
      stdout.line(stdout.colours.dim(`${plural(total, 'letter')} in all; --limit lists more`));
    }
    return 0;
  } finally {
    await ledger.close();
  }
};

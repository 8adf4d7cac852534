import type { Action } from '../commands/command.js';
import { letterLines } from '../dead-letters/letter-lines.js';
import { cliErrors } from '../errors.js';
import { findState } from '../state/find-state.js';

export const action: Action = async (input, output) => {
  const { ledger, name = '' } = await findState(input, output, true);
  try {
    const id = input.positionals[1]!;
    const [letter] = await ledger.letters(name, { id }, 1);
    if (letter === undefined) throw cliErrors.nothingThere(`job ${name} has no dead letter ${id}`);
    const { stdout } = output;
    if (output.json) stdout.json(letter);
    else for (const line of letterLines(letter, stdout.colours)) stdout.line(line);
    return 0;
  } finally {
    await ledger.close();
  }
};

import { UsageProblem } from '../arguments/usage-problem.js';
import type { Action } from '../commands/command.js';
import { commands } from '../commands/command-list.js';
import { candidates } from '../completion/candidates.js';
import { findValues } from '../completion/find-values.js';
import { SHELLS, type Shell, scripts } from '../completion/scripts.js';

export const action: Action = async (input, { stdout }) => {
  const shell = input.positionals[0] as Shell;
  if (!SHELLS.includes(shell)) {
    const problem = `<shell> is one of ${SHELLS.join(', ')}, and got "${shell}"`;
    throw new UsageProblem(problem, { wrong: shell, names: SHELLS }, 'completion');
  }
  const words = input.text('words');
  if (words === undefined) {
    stdout.write(scripts[shell]);
    return 0;
  }
  for (const { text, summary } of await candidates(commands, words.split('\n'), findValues)) {
    // Fish shows what stands behind a tab; the others take whole lines.
    stdout.line(shell === 'fish' && summary !== '' ? `${text}\t${summary}` : text);
  }
  return 0;
};

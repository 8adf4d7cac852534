/** Finds the command that a command line names. */
import type { CommandSpec } from '../commands/command.js';
import { UsageProblem } from './usage-problem.js';

export interface FoundCommand {
  readonly spec: CommandSpec;
  /** The arguments behind the command's name. */
  readonly args: readonly string[];
}

/**
 * The command named by the first word, or the first two.
 * @throws UsageProblem with the nearest name
 */
export function findCommand(commands: readonly CommandSpec[], args: readonly string[]): FoundCommand {
  for (const words of [2, 1]) {
    const spec = commands.find(({ name }) => name === args.slice(0, words).join(' '));
    if (spec !== undefined) return { spec, args: args.slice(words) };
  }
  const [first = '', second] = args;
  const group = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  if (group.length > 0) {
    const known = group.map((name) => `\`sluice ${name}\``).join(', ');
    const problem =
      second === undefined || second.startsWith('-')
        ? `\`sluice ${first}\` alone does nothing`
        : `there is no command "${first} ${second}"`;
    throw new UsageProblem(`${problem}; there is ${known}`);
  }
  const names = [...new Set(commands.flatMap(({ name }) => [name, name.split(' ')[0]!]))];
  throw new UsageProblem(`there is no command "${first}"`, { wrong: first, names });
}

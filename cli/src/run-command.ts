/**
 * Runs one command line from arguments to exit code. Everything that a command needs is loaded when it is known
 * which one it is, so that help and version come at once.
 */

import { findCommand } from './arguments/find-command.js';
import { commandHelp, type HelpStyle, programHelp } from './arguments/help-text.js';
import { parseArguments } from './arguments/parse-arguments.js';
import { commands } from './commands/command-list.js';
import type { OutStream } from './output/out-stream.js';
import type { Output } from './output/output.js';
import { version } from './version.js';

const MOST_WIDTH = 110;

/** Never rejects: what goes wrong is reported, and its class becomes the exit code. */
export async function runCommand(args: readonly string[], output: Output): Promise<number> {
  // Until the arguments are understood, the way to report a mistake in them is taken from the words themselves.
  output.json = args.includes('--json');
  output.debug = args.includes('--debug');
  try {
    return await dispatch(args, output);
  } catch (error) {
    const { reportFailure } = await import('./output/report-failure.js');
    return reportFailure(error, output);
  }
}

async function dispatch(args: readonly string[], output: Output): Promise<number> {
  const [first] = args;
  if (first === '--version' || first === '-V') {
    output.stdout.line(version());
    return 0;
  }
  if (
    first === undefined ||
    first === '--help' ||
    first === '-h' ||
    (first === 'help' && args.length === 1)
  ) {
    const stream = first === undefined ? output.stderr : output.stdout;
    stream.write(programHelp(commands, version(), helpStyle(stream), helpWidth(stream)));
    return first === undefined ? 2 : 0;
  }
  const words = first === 'help' ? [...args.slice(1), '--help'] : args;
  const { spec, args: rest } = findCommand(commands, words);
  const input = parseArguments(spec, rest);
  if (input.flag('help')) {
    output.stdout.write(commandHelp(spec, helpStyle(output.stdout), helpWidth(output.stdout)));
    return 0;
  }
  output.json = input.flag('json');
  output.quiet = input.flag('quiet');
  output.debug = input.flag('debug');
  const { action } = await spec.action();
  return action(input, output);
}

function helpWidth(stream: OutStream): number {
  return Math.min(stream.width ?? MOST_WIDTH, MOST_WIDTH);
}

function helpStyle({ colours }: OutStream): HelpStyle {
  return { heading: colours.bold, term: colours.cyan, dim: colours.dim };
}

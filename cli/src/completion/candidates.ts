/** What can stand where a command line is being typed, from the declarations of the commands. */
import { globalOptions } from '../arguments/global-options.js';
import type { CommandSpec, Completion, OptionSpec } from '../commands/command.js';

export interface Candidate {
  readonly text: string;
  readonly summary: string;
}

const PROGRAM_OPTIONS: readonly Candidate[] = [
  { text: '--help', summary: 'List the commands' },
  { text: '--version', summary: 'Print the version' },
];

/** What is not declared but found when it is asked for: files, connectors. */
export type FindValues = (kind: Completion, typed: string) => Promise<readonly Candidate[]>;

/**
 * The candidates for the last of `words`, which may be empty; the first is the program's name. Shells that break
 * words at `=` hand it over as a word of its own.
 */
export async function candidates(
  commands: readonly CommandSpec[],
  words: readonly string[],
  find: FindValues,
): Promise<Candidate[]> {
  const { before, typed } = split(words.slice(1));
  const found = await offered(commands, before, typed, find);
  return found.filter(({ text }) => text.startsWith(typed));
}

async function offered(
  commands: readonly CommandSpec[],
  before: readonly string[],
  typed: string,
  find: FindValues,
): Promise<readonly Candidate[]> {
  const command = commandOf(commands, before);
  if (command === undefined) {
    if (before.length === 0 && typed.startsWith('-')) return PROGRAM_OPTIONS;
    return commandWords(commands, before);
  }
  const { spec, args } = command;
  const options = { ...spec.options, ...globalOptions };
  const { open, positionals } = position(args, options);
  if (open !== undefined) return values(open, typed, find);
  if (typed.startsWith('-')) {
    return Object.entries(options).map(([name, { summary }]) => ({ text: `--${name}`, summary }));
  }
  const positional = spec.positionals[positionals];
  return positional === undefined ? [] : values(positional, typed, find);
}

/** `--format`, `=`, `ta` and `--format=ta` are both the value `ta` behind `--format`. */
function split(words: readonly string[]): { before: string[]; typed: string } {
  const parts = words.filter((word, i) => word !== '=' || i === words.length - 1);
  const last = parts.pop() ?? '';
  const [, option, value] = /^(--[^=]+)=(.*)$/.exec(last) ?? [];
  if (option !== undefined) return { before: [...parts, option], typed: value! };
  return { before: parts, typed: last === '=' ? '' : last };
}

function commandOf(commands: readonly CommandSpec[], before: readonly string[]) {
  for (const words of [2, 1]) {
    const spec = commands.find(({ name }) => name === before.slice(0, words).join(' '));
    if (spec !== undefined && before.length >= words) return { spec, args: before.slice(words) };
  }
  return undefined;
}

/** The next word of the commands whose names go on from here, each once. */
function commandWords(commands: readonly CommandSpec[], before: readonly string[]): Candidate[] {
  const next = new Map<string, Candidate>();
  for (const { name, summary } of commands) {
    const words = name.split(' ');
    const text = words[before.length];
    if (text === undefined || before.some((word, i) => words[i] !== word)) continue;
    const whole = words.length === before.length + 1;
    if (whole || !next.has(text)) next.set(text, { text, summary: whole ? summary : `${text} …` });
  }
  return [...next.values()];
}

/** The option whose value comes next, if one does, and how many positional arguments are there. */
function position(
  args: readonly string[],
  options: { readonly [name: string]: OptionSpec },
): { open: OptionSpec | undefined; positionals: number } {
  let open: OptionSpec | undefined;
  let positionals = 0;
  for (const arg of args) {
    if (open !== undefined) open = undefined;
    else if (/^--[^=]+$/.test(arg)) {
      const option = options[arg.slice(2)];
      open = option === undefined || option.kind === 'flag' ? undefined : option;
    } else if (!arg.startsWith('-') || arg === '-') positionals++;
  }
  return { open, positionals };
}

async function values(
  {
    choices,
    completion,
  }: { readonly choices?: readonly string[] | undefined; readonly completion?: Completion | undefined },
  typed: string,
  find: FindValues,
): Promise<readonly Candidate[]> {
  if (choices !== undefined) return choices.map((text) => ({ text, summary: '' }));
  return completion === undefined ? [] : find(completion, typed);
}

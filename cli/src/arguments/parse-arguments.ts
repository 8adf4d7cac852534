/** Parses a command's arguments by its declaration. Every mistake is named, with the nearest right name. */
import { parseArgs } from 'node:util';
import type { CommandInput, CommandSpec, OptionSpec } from '../commands/command.js';
import { globalOptions } from './global-options.js';
import { UsageProblem } from './usage-problem.js';

type OptionValue = boolean | string | number | string[] | { readonly [key: string]: string };

/** @throws UsageProblem */
export function parseArguments(spec: CommandSpec, args: readonly string[]): CommandInput {
  const options = { ...spec.options, ...globalOptions };
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(options).map(([name, option]) => [name, parseOption(option)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals: string[] = [];
  const values = new Map<string, OptionValue>();
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = options[token.name];
    if (option === undefined) throw unknownOption(spec, token.rawName, Object.keys(options));
    values.set(token.name, readValue(spec, token.rawName, option, token.value, values.get(token.name)));
  }
  if (!values.has('help')) checkPositionals(spec, positionals);
  return inputOf(positionals, values);
}

function parseOption({ kind, short }: OptionSpec) {
  const type: 'boolean' | 'string' = kind === 'flag' ? 'boolean' : 'string';
  return { type, multiple: true, ...(short !== undefined && { short }) };
}

function readValue(
  spec: CommandSpec,
  name: string,
  option: OptionSpec,
  text: string | undefined,
  before: OptionValue | undefined,
): OptionValue {
  if (option.kind === 'flag') {
    if (text === undefined) return true;
    throw new UsageProblem(`${name} takes no value, and got "${text}"`, undefined, spec.name);
  }
  if (text === undefined || (text.startsWith('--') && text.length > 2)) {
    throw new UsageProblem(`${name} needs a value: ${name} ${valueName(option)}`, undefined, spec.name);
  }
  switch (option.kind) {
    case 'list': {
      const items = text.split(',').map((item) => item.trim());
      return [...((before as string[] | undefined) ?? []), ...items.filter((item) => item !== '')];
    }
    case 'pairs': {
      const at = text.indexOf('=');
      if (at > 0) return { ...(before as object | undefined), [text.slice(0, at)]: text.slice(at + 1) };
      throw new UsageProblem(`${name} needs ${valueName(option)}, and got "${text}"`, undefined, spec.name);
    }
    case 'count':
      if (/^\d{1,15}$/.test(text)) return Number(text);
      throw new UsageProblem(`${name} needs a whole number, and got "${text}"`, undefined, spec.name);
    case 'choice': {
      const choices = option.choices ?? [];
      if (choices.includes(text)) return text;
      const problem = `${name} is one of ${choices.join(', ')}, and got "${text}"`;
      throw new UsageProblem(problem, { wrong: text, names: choices }, spec.name);
    }
    default:
      return text;
  }
}

const VALUE_NAMES = { flag: '', text: '<text>', list: '<a,b>', pairs: '<key=value>', count: '<n>' } as const;

/** What stands for an option's value in help. */
export function valueName({ kind, value, choices = [] }: OptionSpec): string {
  return value ?? (kind === 'choice' ? choices.join('|') : VALUE_NAMES[kind]);
}

function unknownOption(spec: CommandSpec, rawName: string, names: readonly string[]): UsageProblem {
  const meant = { wrong: rawName.replace(/^-+/, ''), names };
  return new UsageProblem(`\`sluice ${spec.name}\` has no option ${rawName}`, meant, spec.name);
}

function checkPositionals(spec: CommandSpec, given: readonly string[]): void {
  const missing = spec.positionals.slice(given.length).find(({ optional }) => !optional);
  if (missing !== undefined) {
    const problem = `\`sluice ${spec.name}\` needs <${missing.name}>: ${missing.summary}`;
    throw new UsageProblem(problem, undefined, spec.name);
  }
  const extra = given[spec.positionals.length];
  if (extra !== undefined) {
    const most = spec.positionals.length === 0 ? 'no arguments' : `at most ${spec.positionals.length}`;
    throw new UsageProblem(
      `\`sluice ${spec.name}\` takes ${most}; "${extra}" is too many`,
      undefined,
      spec.name,
    );
  }
}

function inputOf(positionals: readonly string[], values: ReadonlyMap<string, OptionValue>): CommandInput {
  return {
    positionals,
    flag: (name) => values.get(name) === true,
    text: (name) => values.get(name) as string | undefined,
    list: (name) => values.get(name) as string[] | undefined,
    pairs: (name) => (values.get(name) ?? {}) as { readonly [key: string]: string },
    count: (name) => values.get(name) as number | undefined,
  };
}

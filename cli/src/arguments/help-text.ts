/** Help, made from declarations alone. */
import type { CommandSpec, OptionSpec } from '../commands/command.js';
import { globalOptions } from './global-options.js';
import { valueName } from './parse-arguments.js';

/** How parts of a help text are set off; plain where there is no colour. */
export interface HelpStyle {
  heading(text: string): string;
  term(text: string): string;
  dim(text: string): string;
}

/** Help of one command. */
export function commandHelp(spec: CommandSpec, style: HelpStyle, width: number): string {
  const sections = [
    `${style.heading('Usage')}  ${usageLine(spec)}`,
    wrap(`${spec.summary}.${spec.description ? ` ${spec.description}` : ''}`, width, ''),
    section(
      'Arguments',
      spec.positionals.map(({ name, summary }) => [`<${name}>`, summary] as const),
      style,
      width,
    ),
    section('Options', Object.entries(spec.options).map(optionRow), style, width),
    section('For every command', Object.entries(globalOptions).map(optionRow), style, width),
    examples(spec, style),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

/** Help of the program: its commands. */
export function programHelp(
  specs: readonly CommandSpec[],
  version: string,
  style: HelpStyle,
  width: number,
): string {
  const rows = specs.map(
    (spec) => [[spec.name, ...spec.positionals.map(positional)].join(' '), spec.summary] as const,
  );
  const sections = [
    `${style.heading(`Sluice ${version}`)}  moves data between systems and never loses its place.`,
    `${style.heading('Usage')}  sluice <command> [options]`,
    section('Commands', rows, style, width),
    section('For every command', Object.entries(globalOptions).map(optionRow), style, width),
    `\`sluice <command> --help\` shows its options, with examples; \`sluice --version\` the version.`,
  ];
  return `${sections.join('\n\n')}\n`;
}

/** `sluice run <job> [options]` */
export function usageLine(spec: CommandSpec): string {
  return ['sluice', spec.name, ...spec.positionals.map(positional), '[options]'].join(' ');
}

/** `-q, --quiet` and `--rung columns|rows`, with what it does. */
export function optionRow([name, option]: readonly [string, OptionSpec]): readonly [string, string] {
  const long = option.kind === 'flag' ? `--${name}` : `--${name} ${valueName(option)}`;
  return [option.short === undefined ? long : `-${option.short}, ${long}`, option.summary];
}

function positional({ name, optional }: { readonly name: string; readonly optional?: boolean }): string {
  return optional ? `[${name}]` : `<${name}>`;
}

const WIDEST_TERM = 30;

function section(
  title: string,
  rows: readonly (readonly [string, string])[],
  style: HelpStyle,
  width: number,
): string {
  if (rows.length === 0) return '';
  const widest = Math.min(WIDEST_TERM, Math.max(...rows.map(([term]) => term.length)));
  const indent = ' '.repeat(widest + 4);
  const lines = rows.map(([term, text]) => {
    const wrapped = wrap(text, width, indent).trimStart();
    if (term.length > widest) return `  ${style.term(term)}\n${indent}${wrapped}`;
    return `  ${style.term(term)}${' '.repeat(widest - term.length + 2)}${wrapped}`;
  });
  return [style.heading(title), ...lines].join('\n');
}

function examples(spec: CommandSpec, style: HelpStyle): string {
  if (spec.examples.length === 0) return '';
  const lines = spec.examples.map(({ command, summary }) => `  ${style.dim(`# ${summary}`)}\n  ${command}`);
  return [style.heading('Examples'), ...lines].join('\n');
}

/** Breaks text at spaces so that no line, with its indent, is wider than `width`. */
export function wrap(text: string, width: number, indent: string): string {
  const room = Math.max(20, width - indent.length);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((part) => indent + part).join('\n');
}

/** An error as it is told: to the person who was woken by it, and to programs. */
import type { ErrorClass, SluiceError } from '@sluice/sdk';
import { visibleLines } from './cells.js';
import type { Colours } from './colours.js';
import { labelledLines } from './labelled-lines.js';

/** What is told of an error, coded or taken from the result of a run. */
export interface ErrorReport {
  readonly code: string;
  readonly class: ErrorClass;
  readonly message: string;
  /** What to do. */
  readonly help: string;
  /** Facts: stream, split, file, line, … */
  readonly details: { readonly [name: string]: unknown };
  /** What led to it, from the nearest on. */
  readonly causes: readonly string[];
  /** Page of the documentation. */
  readonly docs: string;
  readonly stack?: string;
}

/** The facts of an error that a run or a command ended with. `context` says where it happened. */
export function reportOf(
  error: Pick<SluiceError, 'code' | 'class' | 'message' | 'help' | 'details'> & {
    readonly cause?: unknown;
    readonly stack?: string;
  },
  context: { readonly [name: string]: unknown } = {},
  withStack = false,
): ErrorReport {
  const { code, class: errorClass, message, help, details } = error;
  return {
    code,
    class: errorClass,
    message,
    help,
    details: { ...context, ...details },
    causes: causesOf(error.cause, message),
    docs: docsPage(code),
    ...(withStack && { stack: stackOf(error) }),
  };
}

/** Where the documentation explains a code. */
export function docsPage(code: string): string {
  return `docs/errors/index.md#${code.toLowerCase()}`;
}

const MOST_CAUSES = 5;

function causesOf(cause: unknown, message: string): string[] {
  const causes: string[] = [];
  for (let next = cause; next !== undefined && next !== null && causes.length < MOST_CAUSES; ) {
    const text = next instanceof Error ? next.message || next.name : String(next);
    if (!message.includes(text) && !causes.includes(text)) causes.push(text);
    next = next instanceof Error ? next.cause : undefined;
  }
  return causes;
}

function stackOf(error: { readonly stack?: string; readonly cause?: unknown }): string {
  const stacks: string[] = [];
  for (let next: unknown = error; next instanceof Error; next = next.cause)
    stacks.push(next.stack ?? String(next));
  return stacks.join('\ncaused by: ');
}

const PLACES = [
  'job',
  'jobFile',
  'flow',
  'connection',
  'stream',
  'split',
  'position',
  'file',
  'line',
  'column',
];

/** The lines that a person reads. */
export function errorLines(report: ErrorReport, colours: Colours, width = 100): string[] {
  const { code, message, help, details, causes, docs, stack } = report;
  const entry = (label: string, text: string) => labelledLines(label, text, colours, width);
  return [
    `${colours.red(colours.bold('error'))} ${colours.bold(code)}`,
    ...entry('what', message),
    ...entry(
      'where',
      facts(details, (name) => PLACES.includes(name)),
    ),
    ...entry('why', causes.join('\n')),
    ...entry(
      'facts',
      facts(details, (name) => !PLACES.includes(name)),
    ),
    ...entry('do', help),
    ...entry('more', docs),
    ...(stack === undefined ? [] : [colours.dim(visibleLines(stack))]),
  ];
}

/** Facts whose names are not the words for them. */
const WORDS: { readonly [name: string]: string } = { jobFile: 'in' };

/** `stream public.orders, line 7` */
function facts(details: { readonly [name: string]: unknown }, wanted: (name: string) => boolean): string {
  const names = Object.keys(details).filter(
    (name) => wanted(name) && details[name] !== undefined && details[name] !== null,
  );
  names.sort((a, b) => PLACES.indexOf(a) - PLACES.indexOf(b));
  const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  return names.map((name) => `${WORDS[name] ?? name} ${text(details[name])}`).join(', ');
}

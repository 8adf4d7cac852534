/**
 * What a command is: its declaration, from which arguments are parsed and help, completion and the reference are
 * made, and its action, which is loaded only when the command runs.
 */
import type { Output } from '../output/output.js';

/** What a shell offers while a value is typed; files of any kind also where a job file or a location is wanted. */
export type Completion = 'job' | 'file' | 'location' | 'connector';

/** An option of a command; its long name is the key under which it is declared. */
export interface OptionSpec {
  readonly kind: 'flag' | 'text' | 'list' | 'pairs' | 'count' | 'choice';
  readonly summary: string;
  readonly short?: string;
  /** What stands for the value in help: `<file>`. */
  readonly value?: string;
  /** The values of a choice. */
  readonly choices?: readonly string[];
  readonly completion?: Completion;
}

export interface PositionalSpec {
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** The values that it can have, where they are few. */
  readonly choices?: readonly string[];
  readonly completion?: Completion;
}

export interface CommandSpec {
  /** One word, or two: `state show`. */
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  /** A paragraph for the command's own help. */
  readonly description?: string;
  readonly positionals: readonly PositionalSpec[];
  readonly options: { readonly [name: string]: OptionSpec };
  readonly examples: readonly { readonly command: string; readonly summary: string }[];
  /** Loads what the command does. */
  readonly action: () => Promise<{ readonly action: Action }>;
}

/** Does the command's work and returns the exit code. Rejects with an error that is then reported. */
export type Action = (input: CommandInput, output: Output) => Promise<number>;

/** Parsed arguments: values were checked against the declaration. */
export interface CommandInput {
  readonly positionals: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** The values of a list, split at commas; undefined when the option was not given. */
  list(name: string): string[] | undefined;
  /** The values of `key=value` options, by key. */
  pairs(name: string): { readonly [key: string]: string };
  count(name: string): number | undefined;
}

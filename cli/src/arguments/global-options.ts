/** Options that every command takes. */
import type { OptionSpec } from '../commands/command.js';

export const globalOptions: { readonly [name: string]: OptionSpec } = {
  help: { kind: 'flag', short: 'h', summary: 'Show this help' },
  json: {
    kind: 'flag',
    summary: 'Print JSON for programs on stdout; logs and errors on stderr are JSON too',
  },
  quiet: { kind: 'flag', short: 'q', summary: 'Print errors and results only' },
  debug: { kind: 'flag', summary: 'Print debug logs, and stack traces with errors' },
};

export type { Action, CommandInput, CommandSpec, OptionSpec } from './commands/command.js';
export { commands } from './commands/command-list.js';
export { cliErrors } from './errors.js';

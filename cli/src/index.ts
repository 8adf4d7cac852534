/** What scripts and tools build on; the command line itself is `bin/sluice.js`. */
export { globalOptions } from './arguments/global-options.js';
export { optionRow, usageLine } from './arguments/help-text.js';
export type { Action, CommandInput, CommandSpec, OptionSpec } from './commands/command.js';
export { commands } from './commands/command-list.js';
export {
  type ConnectorDescription,
  configSchema,
  describeConnector,
} from './connectors/describe-connector.js';
export { cliErrors } from './errors.js';
export { declaredErrors } from './explain/declared-errors.js';
export { errorClasses } from './explain/error-classes.js';

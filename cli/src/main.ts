/** The program: what bin/sluice.js starts. */
import { Output } from './output/output.js';
import { runCommand } from './run-command.js';

const output = new Output(process.stdout, process.stderr, process.env);
let exitCode = await runCommand(process.argv.slice(2), output);
await output.stdout.flushed();
if (output.stdout.failure !== undefined) {
  output.stderr.line(`stdout could not be written: ${output.stdout.failure.message}`);
  exitCode ||= 1;
}
await output.stderr.flushed();
// What may still be open (idle connections, timers) has no more to do.
process.exit(exitCode);

/** Errors of the engine. */
import { defineErrors } from '@sluice/sdk';

export const coreErrors = defineErrors('CORE', {
  jobInvalid: {
    number: 1,
    class: 'config',
    title: 'The job file is not valid',
    help: 'Correct the key that the message names; `sluice schema` prints the schema, and an editor that reads `$schema` completes it.',
  },
  jobUnreadable: {
    number: 2,
    class: 'config',
    title: 'The job file cannot be read',
    help: 'Check the path and that the file is JSON, YAML or a module that exports a job.',
  },
  valueUnresolved: {
    number: 3,
    class: 'config',
    title: 'A ${…} value in the job cannot be resolved',
    help: 'Set the environment variable (a .env file beside the job is read too) or create the file.',
  },
  connectorMissing: {
    number: 4,
    class: 'config',
    title: 'A connector is not installed',
    help: 'Install the package that the message names.',
  },
  connectorInvalid: {
    number: 5,
    class: 'config',
    title: 'A package was found but exports no connector',
    help: 'A connector package exports the result of defineConnector, defineSource or defineSink as its default.',
  },
  transformMissing: {
    number: 6,
    class: 'config',
    title: 'There is no such transform',
    help: 'The documentation lists the transforms.',
  },
  streamMissing: {
    number: 7,
    class: 'config',
    title: 'The source has no stream of that name',
    help: '`sluice discover` lists the streams; patterns use * for any run of characters.',
  },
  refused: {
    number: 8,
    class: 'config',
    title: 'This combination of modes is refused',
    help: 'The message says why; `sluice plan` shows which modes the source and the sink have.',
  },
  guaranteeMissed: {
    number: 9,
    class: 'config',
    title: 'The guarantee that the job requires would not hold',
    help: 'Choose a sink or a write mode with that guarantee, or except the sink under `delivery.except`.',
  },
  lossyType: {
    number: 10,
    class: 'config',
    title: 'A column cannot be kept exactly in the sink',
    help: 'Cast the column, drop it, or set `types.lossy` to `string` or `warn`.',
  },
  targetsCollide: {
    number: 11,
    class: 'config',
    title: 'Two streams would be written to the same target',
    help: 'Give the streams different names with `name` under the sink.',
  },
  streamUnreadable: {
    number: 12,
    class: 'auth',
    title: 'A stream cannot be read',
    help: 'Grant the permission, or leave the stream out of the job.',
  },
  held: {
    number: 101,
    class: 'transient',
    title: 'Another run of this job is under way',
    help: 'Wait for it, or stop it; a run that has died is taken over by itself.',
  },
  fenced: {
    number: 102,
    class: 'contract',
    title: 'Another run has taken this job over',
    help: 'Nothing to do: this run has stopped writing; the other one continues from the last committed position.',
  },
  ledgerNewer: {
    number: 103,
    class: 'contract',
    title: 'The ledger was written by a newer version',
    help: 'Use that version or a later one; it is not changed by this one.',
  },
  ledgerUnusable: {
    number: 104,
    class: 'contract',
    title: 'The ledger cannot be opened or written',
    help: 'Check the file, its permissions and the free space of its disk.',
  },
  identityChanged: {
    number: 105,
    class: 'contract',
    title: 'The source or the sink is not the system that the state belongs to',
    help: 'Point the connection back, or forget the state with `sluice state forget` to start over.',
  },
  recordMissing: {
    number: 106,
    class: 'contract',
    title: 'The sink no longer has its record of this job',
    help: 'The target was restored, recreated or cleaned. `sluice state forget` starts over with a full copy.',
  },
  recordForeign: {
    number: 107,
    class: 'contract',
    title: 'The sink holds state of this job over another source',
    help: 'Give the job another name, or forget the state with `sluice state forget`.',
  },
  alreadyPublished: {
    number: 108,
    class: 'config',
    title: 'A full append has been done already',
    help: 'Set `again: true` to append everything once more, or use write mode `replace`.',
  },
  sourceDrifted: {
    number: 109,
    class: 'contract',
    title: 'The reader offered rows that the plan does not know',
    help: 'Run the job again: the plan is made afresh from the source as it is now.',
  },
});

/** All commands, in the order of help. */
import { cdcDrop } from './cdc-drop.js';
import { cdcSlots } from './cdc-slots.js';
import { check } from './check.js';
import { clean } from './clean.js';
import type { CommandSpec } from './command.js';
import { completion } from './completion.js';
import { connectorsList } from './connectors-list.js';
import { connectorsShow } from './connectors-show.js';
import { copy } from './copy.js';
import { discover } from './discover.js';
import { dlqDrop } from './dlq-drop.js';
import { dlqList } from './dlq-list.js';
import { dlqReplay } from './dlq-replay.js';
import { dlqShow } from './dlq-show.js';
import { doctor } from './doctor.js';
import { explain } from './explain.js';
import { init } from './init.js';
import { plan } from './plan.js';
import { preview } from './preview.js';
import { resync } from './resync.js';
import { run } from './run.js';
import { schema } from './schema.js';
import { stateAdopt } from './state-adopt.js';
import { stateDiff } from './state-diff.js';
import { stateExport } from './state-export.js';
import { stateForget } from './state-forget.js';
import { stateFork } from './state-fork.js';
import { stateImport } from './state-import.js';
import { stateRewind } from './state-rewind.js';
import { stateShow } from './state-show.js';
import { verify } from './verify.js';

export const commands: readonly CommandSpec[] = [
  init,
  run,
  copy,
  plan,
  check,
  doctor,
  discover,
  preview,
  verify,
  resync,
  stateShow,
  stateDiff,
  stateRewind,
  stateFork,
  stateExport,
  stateImport,
  stateAdopt,
  stateForget,
  clean,
  cdcSlots,
  cdcDrop,
  dlqList,
  dlqShow,
  dlqReplay,
  dlqDrop,
  connectorsList,
  connectorsShow,
  schema,
  explain,
  completion,
];

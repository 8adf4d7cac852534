/** What a target keeps of changes, as a transform behind the flow's own: the sink gets rows that say it. */
import type { BoundTransform, Deletes, StreamSchema, WriteMode } from '@sluice/sdk';
import { changeLog } from './change-log.js';
import { historyRows } from './history-rows.js';
import { softDeletes } from './soft-deletes.js';

/** None where the target has the rows as they are now. Throws `SLUICE-CORE-0018`. */
export function keeping(
  write: WriteMode,
  deletes: Deletes | undefined,
  schema: StreamSchema,
): BoundTransform[] {
  if (write === 'append') return [changeLog(schema)];
  if (write === 'history') return [historyRows(schema)];
  return deletes === 'soft' ? [softDeletes(schema)] : [];
}

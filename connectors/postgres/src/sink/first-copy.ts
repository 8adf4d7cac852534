/**
 * Rows of a first copy need no look for those that are there already: the table was made for them, and a copy has each
 * key once, as the split says. They are copied straight into it, which costs a third of a merge. What makes that wrong
 * after all (a transform that changes the key, somebody else's rows) is found by the table's unique index; the stream's
 * rows are merged from then on.
 */
import { isGenerational, isKeyed, type LaneRequest, type TablePlan } from '@sluice/sdk';
import { hasState } from '../connection/server-error.js';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import type { RecordTables } from './record-tables.js';

const UNIQUE_VIOLATION = '23505';
/** Lanes wait for each other's rows, each of which has a key of the other. */
const DEADLOCK = '40P01';

export class FirstCopies {
  /** Streams of which another row was there already. */
  private readonly merged = new Set<string>();

  constructor(private readonly tables: RecordTables) {}

  /** Whether what a lane brings for a table may be copied straight into it. */
  async include(session: Session, lane: LaneRequest, table: TablePlan): Promise<boolean> {
    const { split, job, generation } = lane;
    if (!isKeyed(table.write) || table.write === 'history') return false;
    if (split.distinct !== true || this.merged.has(table.stream)) return false;
    if (isGenerational(table.write)) return true;
    const { streams, commits } = this.tables;
    const [row] = await session.rows(
      `SELECT EXISTS (SELECT FROM ${streams} WHERE job = $1 AND stream = $2 AND made = $3)
         AND NOT EXISTS (SELECT FROM ${commits} WHERE job = $1 AND epoch > 0 AND split_spec->>'phase' = 'log'
                         AND (split_spec->'streams')::jsonb ? $2)`,
      [job.id, table.stream, String(generation)],
    );
    return row![0] === 't';
  }

  /** What a failed copy is to end with: rows that had to be merged are, when the flow goes on. */
  failed({ stream, target }: TablePlan, error: unknown): unknown {
    if (!hasState(error, UNIQUE_VIOLATION) && !hasState(error, DEADLOCK)) return error;
    return this.another(stream, `${target}: rows of ${stream} share a key`, error);
  }

  /** The stream brings other things than new rows. */
  another(stream: string, message: string, cause?: unknown): Error {
    this.merged.add(stream);
    return pgErrors.notFirst(message, { cause, details: { stream } });
  }
}

/** One moment of the database, which lanes share: an exported snapshot and the connection that keeps it alive. */
import type { Session } from '../connection/session.js';
import { onlyReads } from './only-reads.js';

export class SharedSnapshot {
  private constructor(
    private readonly session: Session,
    /** What lanes give to SET TRANSACTION SNAPSHOT. */
    readonly id: string,
  ) {}

  /** Takes over the session, whose transaction stays open until `close`. */
  static async take(session: Session): Promise<SharedSnapshot> {
    // The transaction does nothing for as long as the copy takes; no limit on idle ones may end it.
    const limits = [
      'idle_in_transaction_session_timeout',
      ...(session.version >= 170000 ? ['transaction_timeout'] : []),
    ];
    await session.query(limits.map((limit) => `SET ${limit} = 0`).join('; '));
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const [row] = await session.rows(
      `SELECT pg_catalog.pg_export_snapshot(), ${onlyReads}`,
      undefined,
      'taking a snapshot',
    );
    return new SharedSnapshot(session, row![0]!);
  }

  get alive(): boolean {
    return this.session.usable;
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

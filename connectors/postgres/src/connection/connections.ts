/** The connections of one source or sink: one that the coordinator's verbs share, and one for every lane. */
import type { Context } from '@sluice/sdk';
import type { PostgresConfig } from '../config.js';
import { connect, type Purpose } from './connect.js';
import { resolveEndpoint } from './endpoint.js';
import { requireOwnSession } from './pooler.js';
import type { Session } from './session.js';

export class Connections {
  private idle: Session | undefined;
  /** Whether the first session was looked at: another one like it need not be. */
  private known = false;

  constructor(
    private readonly config: PostgresConfig,
    /** Statements that every session begins with. */
    private readonly setup: readonly string[] = [],
  ) {}

  /** A session of the caller's own, who closes it. Aborting the context ends it. */
  async open(c: Context, purpose: Purpose = 'sql'): Promise<Session> {
    const session = await this.connect(c, purpose);
    const release = endOnAbort(session, c);
    session.whenClosed(release);
    return session;
  }

  /** Runs one verb. Its session is kept for the next one, unless the verb failed. */
  async using<T>(c: Context, work: (session: Session) => Promise<T>): Promise<T> {
    const kept = this.idle;
    this.idle = undefined;
    const session = kept?.usable ? kept : await this.connect(c);
    const release = endOnAbort(session, c);
    try {
      const result = await work(session);
      await this.keep(session);
      return result;
    } catch (error) {
      await session.close();
      throw error;
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    await this.idle?.close();
    this.idle = undefined;
  }

  private async keep(session: Session): Promise<void> {
    if (this.idle === undefined) this.idle = session;
    else await session.close();
  }

  private async connect(c: Context, purpose: Purpose = 'sql'): Promise<Session> {
    const session = await this.logIn(c, purpose);
    if (this.known) return session;
    try {
      await requireOwnSession(session, () => this.logIn(c, 'sql'));
      this.known = true;
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  private logIn(c: Context, purpose: Purpose): Promise<Session> {
    const { statementTimeout, lockTimeout } = this.config;
    const setup = [
      `SET lock_timeout = ${lockTimeout}`,
      ...(statementTimeout === undefined ? [] : [`SET statement_timeout = ${statementTimeout}`]),
      ...this.setup,
    ];
    return connect(resolveEndpoint(this.config, c.cwd), c, setup.join('; '), purpose);
  }
}

/** Ends what a session does when the context is aborted; returns what takes that back. */
function endOnAbort(session: Session, { signal }: Context): () => void {
  const end = () => void session.close();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  return () => signal.removeEventListener('abort', end);
}

/** Who asks, and where: what GRANT statements name. */
import type { Session } from '../connection/session.js';
import { ident } from '../quote.js';

export interface Whoami {
  /** Both quoted. */
  readonly role: string;
  readonly database: string;
}

export async function whoami(session: Session): Promise<Whoami> {
  const [row] = await session.rows('SELECT current_user, pg_catalog.current_database()');
  return { role: ident(row![0]!), database: ident(row![1]!) };
}

/** Writes to the audited table for as long as it is let, whatever becomes of the server meanwhile. */
import { psql, seededRandom } from '@sluice/test';
import { AUDITED, writing } from './audited-items.js';
import { whileThere } from './server-away.js';

const WRITERS = [0, 1, 2, 3];
/** What a server that went down has kept of transactions that were prepared. */
const PREPARED = 'SELECT gid FROM pg_prepared_xacts WHERE database = current_database()';

export class AuditedWriter {
  private readonly random: () => number;

  constructor(
    private readonly url: string,
    seed: number,
  ) {
    this.random = seededRandom(seed);
  }

  async begin(): Promise<void> {
    await psql(this.url, AUDITED);
  }

  /** Some transactions of several writers at once; those that a server leaves behind are not made again. */
  async write(transactions: number): Promise<void> {
    await Promise.all(
      WRITERS.map((writer) =>
        whileThere(() => psql(this.url, writing(writer, this.random, transactions)), { again: false }),
      ),
    );
    const left = (await whileThere(() => psql(this.url, PREPARED))) ?? '';
    for (const gid of left.split('\n').filter((name) => name !== ''))
      await whileThere(() => psql(this.url, `ROLLBACK PREPARED '${gid}'`));
  }
}

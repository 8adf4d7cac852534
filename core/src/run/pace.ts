/** How fast is read: the rate limits of a flow or of a whole job, shared by all lanes that they hold for. */
import { systemClock } from '../clock.js';
import type { RateLimit } from '../job/job.js';
import { TokenBucket } from './token-bucket.js';

export class Pace {
  private readonly rows: TokenBucket | undefined;
  private readonly bytes: TokenBucket | undefined;

  constructor(
    { rowsPerSecond, bytesPerSecond }: RateLimit,
    /** Milliseconds of a clock that never goes back. */
    now: () => number = systemClock.steady,
  ) {
    this.rows = rowsPerSecond === undefined ? undefined : new TokenBucket(rowsPerSecond, now);
    this.bytes = bytesPerSecond === undefined ? undefined : new TokenBucket(bytesPerSecond, now);
  }

  /** Counts what was read; returns the milliseconds to wait before more is read. */
  count(rows: number, bytes: number): number {
    return Math.max(this.rows?.take(rows) ?? 0, this.bytes?.take(bytes) ?? 0);
  }
}

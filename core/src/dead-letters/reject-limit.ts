/** How many rows of a run may be rejected: a number, or a share of what is read. */
import { coreErrors } from '../errors.js';

export interface RejectBound {
  /** Rows, or a share between 0 and 1. */
  readonly max: { readonly rows: number } | { readonly share: number };
  /** Only what the last milliseconds brought counts; without it the whole run. */
  readonly windowMs?: number;
}

/** A share counts as one of at least so many rows: one bad row among ten is no tenth of a table yet. */
const LEAST_ROWS = 1000;

interface Counted {
  readonly at: number;
  readonly read: number;
  readonly rejected: number;
}

export class RejectLimit {
  private counted: Counted[] = [];
  private read = 0;
  private rejected = 0;

  constructor(
    private readonly bound: RejectBound,
    /** Milliseconds of a clock that never goes back. */
    private readonly now: () => number,
  ) {}

  /** Before an epoch is committed: throws `SLUICE-CORE-0112` when it would make the rejected rows too many. */
  check(read: number, rejected: number): void {
    this.forgetOld();
    const rows = this.read + read;
    const bad = this.rejected + rejected;
    const { max } = this.bound;
    const most = 'rows' in max ? max.rows : Math.floor(Math.max(rows, LEAST_ROWS) * max.share);
    if (rejected > 0 && bad > most) {
      const share = 'share' in max ? ` (${max.share * 100}% of at least ${LEAST_ROWS} rows)` : '';
      throw coreErrors.tooManyRejected(
        `${bad} of ${rows} rows were rejected, at most ${most}${share} may be`,
        {
          details: { read: rows, rejected: bad, most },
        },
      );
    }
  }

  /** The epoch is committed. */
  count(read: number, rejected: number): void {
    this.read += read;
    this.rejected += rejected;
    if (this.bound.windowMs !== undefined) this.counted.push({ at: this.now(), read, rejected });
  }

  private forgetOld(): void {
    const { windowMs } = this.bound;
    if (windowMs === undefined) return;
    const from = this.now() - windowMs;
    let old = 0;
    for (const { at, read, rejected } of this.counted) {
      if (at > from) break;
      this.read -= read;
      this.rejected -= rejected;
      old++;
    }
    this.counted = this.counted.slice(old);
  }
}

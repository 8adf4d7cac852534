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

/** A window is as exact as a part of it: epochs may be a few milliseconds apart, and windows hours long. */
const PARTS = 1000;

/** Rows of one stream that were read, and those of them that were rejected. */
export interface StreamRows {
  readonly flow: string;
  readonly stream: string;
  readonly read: number;
  readonly rejected: number;
}

export class RejectLimit {
  private counted: (StreamRows & { readonly at: number })[] = [];

  constructor(
    private readonly bound: RejectBound,
    /** Milliseconds of a clock that never goes back. */
    private readonly now: () => number,
  ) {}

  /**
   * Before an epoch is committed: throws `SLUICE-CORE-0112` when it would make the rejected rows too many. The error
   * belongs to a stream where that alone has too many, and the others together have not.
   */
  check(epoch: readonly StreamRows[]): void {
    if (this.allows(epoch)) return;
    const all = [...this.counted, ...epoch];
    const { read, rejected } = sum(all);
    const most = this.most(read);
    const { max } = this.bound;
    const share = 'share' in max ? ` (${max.share * 100}% of at least ${LEAST_ROWS} rows)` : '';
    const alone = epoch.find((rows) => {
      const own = sum(all.filter((each) => isSame(each, rows))).rejected;
      return own > most && rejected - own <= most;
    });
    throw coreErrors.tooManyRejected(
      `${rejected} of ${read} rows were rejected, at most ${most}${share} may be`,
      {
        details: { read, rejected, most, ...(alone && { stream: alone.stream }) },
      },
    );
  }

  /** Whether an epoch of which this is known so far can still be committed. */
  allows(epoch: readonly StreamRows[]): boolean {
    if (sum(epoch).rejected === 0) return true;
    this.forgetOld();
    const { read, rejected } = sum([...this.counted, ...epoch]);
    return rejected <= this.most(read);
  }

  /** The epoch is committed. */
  count(epoch: readonly StreamRows[]): void {
    this.forgetOld();
    const at = this.now();
    for (const rows of epoch) this.add({ ...rows, at });
  }

  /** The flow goes on without the stream, whose rows do not count against the others. */
  forget(of: Pick<StreamRows, 'flow' | 'stream'>): void {
    this.counted = this.counted.filter((rows) => !isSame(rows, of));
  }

  private most(read: number): number {
    const { max } = this.bound;
    return 'rows' in max ? max.rows : Math.floor(Math.max(read, LEAST_ROWS) * max.share);
  }

  /** Without a window only the sums count; within one, what came at nearly the same time is held together. */
  private add(rows: StreamRows & { readonly at: number }): void {
    const near = (this.bound.windowMs ?? Infinity) / PARTS;
    const known = this.counted.findLastIndex((each) => isSame(each, rows) && rows.at - each.at <= near);
    if (known < 0) this.counted.push(rows);
    else this.counted[known] = { ...this.counted[known]!, ...sum([this.counted[known]!, rows]) };
  }

  private forgetOld(): void {
    const { windowMs } = this.bound;
    if (windowMs === undefined) return;
    const from = this.now() - windowMs;
    const first = this.counted.findIndex(({ at }) => at > from);
    if (first !== 0) this.counted.splice(0, first < 0 ? this.counted.length : first);
  }
}

function isSame(a: Pick<StreamRows, 'flow' | 'stream'>, b: Pick<StreamRows, 'flow' | 'stream'>): boolean {
  return a.flow === b.flow && a.stream === b.stream;
}

function sum(all: readonly StreamRows[]): Pick<StreamRows, 'read' | 'rejected'> {
  return all.reduce(
    (total, { read, rejected }) => ({ read: total.read + read, rejected: total.rejected + rejected }),
    { read: 0, rejected: 0 },
  );
}

/**
 * Keeps an amount below a rate. What is taken is owed until the rate has paid for it: the first to take does not wait,
 * and whoever takes waits as long as everything that was taken so far has to be paid for.
 */
export class TokenBucket {
  /** The moment at which everything that was taken is paid for. */
  private paidAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly perSecond: number,
    /** Milliseconds of a clock that never goes back. */
    private readonly now: () => number,
  ) {}

  /** Takes an amount; returns the milliseconds to wait before more is taken. */
  take(amount: number): number {
    const now = this.now();
    const from = Math.max(this.paidAt, now - MAKE_UP_MS);
    this.paidAt = from + (amount / this.perSecond) * 1000;
    return Math.max(0, this.paidAt - now);
  }
}

/** What a short lull left unused may be made up for; a long one saves nothing up. */
const MAKE_UP_MS = 1000;

/** Decides when an epoch is due, and holds what it has gathered. */
import type { EpochStats } from '../ledger/ledger.js';
import type { EpochBounds } from '../plan/flow-plan.js';

export class EpochMeter {
  private rows = 0;
  private bytes = 0;
  private since: number | undefined;

  constructor(
    private readonly bounds: EpochBounds,
    /** Milliseconds of a clock that never goes back. */
    private readonly now: () => number,
  ) {}

  add(rows: number, bytes: number): void {
    this.since ??= this.now();
    this.rows += rows;
    this.bytes += bytes;
  }

  get isEmpty(): boolean {
    return this.since === undefined;
  }

  get isDue(): boolean {
    if (this.since === undefined) return false;
    return this.rows >= this.bounds.rows || this.bytes >= this.bounds.bytes || this.msLeft <= 0;
  }

  /** Milliseconds until the time bound is met; infinite while nothing is gathered. */
  get msLeft(): number {
    return this.since === undefined ? Number.POSITIVE_INFINITY : this.since + this.bounds.ms - this.now();
  }

  /** The epoch's figures; the meter starts over. */
  take(): EpochStats {
    const stats = { rows: this.rows, bytes: this.bytes };
    this.rows = 0;
    this.bytes = 0;
    this.since = undefined;
    return stats;
  }
}

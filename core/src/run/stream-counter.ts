/** Counts one stream's rows through a run, on their way to one sink. */
import type { StreamCounts } from '../events.js';

export class StreamCounter {
  readonly counts: StreamCounts = {
    read: 0,
    bytes: 0,
    added: 0,
    filtered: 0,
    rejected: 0,
    passed: 0,
    committed: 0,
  };

  read(rows: number, bytes: number): void {
    this.counts.read += rows;
    this.counts.bytes += bytes;
  }
  /** Transforms made rows beyond those read, and took rows out. */
  transformed(added: number, filtered: number): void {
    this.counts.added += added;
    this.counts.filtered += filtered;
  }
  rejected(rows: number): void {
    this.counts.rejected += rows;
  }
  passed(rows: number): void {
    this.counts.passed += rows;
  }
  committed(rows: number): void {
    this.counts.committed += rows;
  }
  /** Takes back what was counted and then given up. */
  undo(given: Omit<StreamCounts, 'committed'>): void {
    for (const key of ['read', 'bytes', 'added', 'filtered', 'rejected', 'passed'] as const) {
      this.counts[key] -= given[key];
    }
  }
}

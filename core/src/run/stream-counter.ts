/** Counts one stream's rows through a run. After every epoch: read + added = passed + filtered. */
import type { StreamCounts } from '../events.js';

export class StreamCounter {
  readonly counts: StreamCounts = { read: 0, bytes: 0, added: 0, filtered: 0, passed: 0, committed: 0 };

  read(rows: number, bytes: number): void {
    this.counts.read += rows;
    this.counts.bytes += bytes;
  }
  /** A transform made `after` rows of `before`. */
  transformed(before: number, after: number): void {
    if (after > before) this.counts.added += after - before;
    else this.counts.filtered += before - after;
  }
  passed(rows: number): void {
    this.counts.passed += rows;
  }
  committed(rows: number): void {
    this.counts.committed += rows;
  }
}

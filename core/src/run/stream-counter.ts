/** Counts one stream's rows through a run, on their way to one sink. After every epoch: read + added = passed + filtered. */
import type { StreamCounts } from '../events.js';

export class StreamCounter {
  readonly counts: StreamCounts = { read: 0, bytes: 0, added: 0, filtered: 0, passed: 0, committed: 0 };

  read(rows: number, bytes: number): void {
    this.counts.read += rows;
    this.counts.bytes += bytes;
  }
  /** Transforms made rows beyond those read, and took rows out. */
  transformed(added: number, filtered: number): void {
    this.counts.added += added;
    this.counts.filtered += filtered;
  }
  passed(rows: number): void {
    this.counts.passed += rows;
  }
  committed(rows: number): void {
    this.counts.committed += rows;
  }
}

/** Pages on their way through the compressor: a bounded number at a time, in any order of completion. */
import type { PageCompressor } from './codec-write.js';
import type { PageBody, PagePool } from './page-write.js';

/** Enough to keep the thread pool busy while the main thread encodes; each holds about a page of memory. */
const MOST_IN_FLIGHT = 8;

export class PageQueue {
  private readonly inFlight = new Set<Promise<unknown>>();

  constructor(
    private readonly compressor: PageCompressor,
    private readonly pool: PagePool,
  ) {}

  get codec(): number {
    return this.compressor.codec;
  }

  /** Starts the compression of a page; undefined when pages are stored as they are. */
  add({ buffer, start, end }: PageBody): Promise<Uint8Array> | undefined {
    if (this.compressor.compress === undefined) return undefined;
    const compressed = this.compressor.compress(buffer.subarray(start, end));
    // Whoever frames the page sees a failure; here it only must not count as unhandled before that.
    const settled = compressed.then(
      () => this.pool.give(buffer),
      () => {},
    );
    this.inFlight.add(settled);
    void settled.then(() => this.inFlight.delete(settled));
    return compressed;
  }

  /** Resolves once few enough pages are in flight to encode another. */
  async room(): Promise<void> {
    while (this.inFlight.size >= MOST_IN_FLIGHT) await Promise.race(this.inFlight);
  }
}

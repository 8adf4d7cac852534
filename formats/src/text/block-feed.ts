/**
 * Cuts a stream of bytes into blocks for a scanner: one buffer that is used again and again, in which the incomplete
 * record at the end of a block is moved to the front and joined with what comes next.
 */
import { BLOCK_SLACK } from './cells.js';

const LF = 0x0a;
/** A first block holds a byte order mark whole, if the file has one. */
const LEAST_BLOCK = 4;

export class BlockFeed {
  /** The block: valid up to `end`, then a line feed as sentinel and slack. */
  bytes: Uint8Array;
  end = 0;
  /** Whether nothing follows this block. */
  final = false;
  private readonly chunks: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);
  private readonly blockBytes: number;

  constructor(source: AsyncIterable<Uint8Array>, blockBytes: number) {
    this.blockBytes = Math.max(blockBytes, LEAST_BLOCK);
    this.bytes = new Uint8Array(this.blockBytes + BLOCK_SLACK);
    this.chunks = source[Symbol.asyncIterator]();
  }

  /**
   * Keeps the bytes from `from` on and reads on. A block that was too small for one record grows by its own size, so
   * that scanning a large record again costs little.
   */
  async fill(from: number): Promise<void> {
    const kept = this.end - from;
    const wanted = Math.max(this.blockBytes, kept * 2);
    if (wanted + BLOCK_SLACK > this.bytes.byteLength) {
      const grown = new Uint8Array(wanted + BLOCK_SLACK);
      grown.set(this.bytes.subarray(from, this.end));
      this.bytes = grown;
    } else {
      this.bytes.copyWithin(0, from, this.end);
    }
    this.end = kept;
    while (this.end < wanted && !this.final) {
      if (this.rest.byteLength === 0) {
        const next = await this.chunks.next();
        if (next.done === true) this.final = true;
        else this.rest = next.value;
      }
      const taken = Math.min(this.rest.byteLength, wanted - this.end);
      this.bytes.set(taken === this.rest.byteLength ? this.rest : this.rest.subarray(0, taken), this.end);
      this.rest = this.rest.subarray(taken);
      this.end += taken;
    }
    this.bytes[this.end] = LF;
  }

  /** Lets the source free what it holds. */
  async close(): Promise<void> {
    await this.chunks.return?.();
  }
}

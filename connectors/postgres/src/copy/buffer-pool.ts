/**
 * Memory for what is sent to the server, used again once the kernel has taken it: fresh memory would cost a page
 * fault for every 4 KiB, and its release a collection every few batches.
 */
export class BufferPool {
  private readonly free: Buffer[] = [];

  constructor(private readonly size: number) {}

  /** Memory of at least `size` bytes. */
  take(size: number): Buffer {
    if (size > this.size) return Buffer.allocUnsafeSlow(size);
    return this.free.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  /** Nobody reads this memory any more. */
  give(buffer: Buffer): void {
    if (buffer.length === this.size) this.free.push(buffer);
  }
}

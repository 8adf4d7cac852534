/**
 * Bytes as they come from the server: parsed up to `head`, filled up to `tail`. Rows of a COPY are handed on as
 * views of this memory, so that memory which was lent is never written again; what is left unparsed then moves to
 * new memory.
 */

/** Less free space than this is not worth a read. */
export const LEAST_SPACE = 16 * 1024;

export class ReceiveBuffer {
  bytes: Buffer;
  head = 0;
  tail = 0;
  private lent = false;
  private wanted = 0;

  constructor(private size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Size of the memory from the next time that it is allocated. */
  resize(size: number): void {
    this.size = Math.max(size, LEAST_SPACE * 4);
    if (this.head === this.tail) this.replace();
  }

  /** Whether the memory is full for practical purposes. */
  get full(): boolean {
    return this.bytes.length - this.tail < LEAST_SPACE;
  }

  /** A message of this many bytes begins at `head`: it will need as much space. */
  want(length: number): void {
    this.wanted = Math.max(this.wanted, length);
  }

  /** Bytes that somebody keeps; they are never written again. */
  lend(from: number, to: number): Buffer {
    this.lent = true;
    return this.bytes.subarray(from, to);
  }

  /** Where the next bytes from the server go. May move the unparsed bytes to offset 0: `head` is then 0. */
  space(): Buffer {
    const fits = this.head + this.wanted <= this.bytes.length;
    if (this.head === this.tail && !this.lent) {
      this.head = 0;
      this.tail = 0;
    }
    if (this.full || !fits) this.replace();
    this.wanted = 0;
    return this.bytes.subarray(this.tail);
  }

  private replace(): void {
    const held = this.tail - this.head;
    const size = Math.max(this.size, this.wanted + LEAST_SPACE, held + LEAST_SPACE * 2);
    const reusable = !this.lent && size <= this.bytes.length;
    const bytes = reusable ? this.bytes : Buffer.allocUnsafeSlow(size);
    this.bytes.copy(bytes, 0, this.head, this.tail);
    this.bytes = bytes;
    this.lent = false;
    this.head = 0;
    this.tail = held;
  }
}

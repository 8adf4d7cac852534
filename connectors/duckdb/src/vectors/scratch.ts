/** Memory in which vectors are put together before they are copied into DuckDB; reused by every vector. */
export class Scratch {
  buffer = new ArrayBuffer(0);
  bytes = new Uint8Array(this.buffer);
  words = new Int32Array(this.buffer);

  /** Makes room; what was there is lost. */
  reserve(bytes: number): void {
    if (bytes <= this.buffer.byteLength) return;
    this.buffer = new ArrayBuffer(Math.max(65_536, (bytes + 15) & ~15));
    this.bytes = new Uint8Array(this.buffer);
    this.words = new Int32Array(this.buffer);
  }
}

/** Bytes of text under construction: one growing buffer, no strings in between. */

/** Two digits by number, as the 16-bit little-endian word of their characters. */
const DIGIT_PAIRS = Uint16Array.from(
  { length: 100 },
  (_, i) => 0x3030 + Math.floor(i / 10) + ((i % 10) << 8),
);
const ZERO = 0x30;
const MINUS = 0x2d;
const BILLION = 1e9;

export class TextOut {
  bytes: Uint8Array;
  at = 0;
  private view: DataView;
  private buffer: Buffer;

  constructor(capacity = 1 << 16) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
    this.buffer = Buffer.from(this.bytes.buffer);
  }

  /** Makes room for `more` bytes. Callers that write into `bytes` themselves ask first. */
  reserve(more: number): void {
    if (this.at + more <= this.bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(this.bytes.byteLength * 2, this.at + more));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
    this.buffer = Buffer.from(grown.buffer);
  }

  /** What was written since the last call, as bytes of its own; begins again. */
  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.at);
    this.at = 0;
    return taken;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  ascii(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.at++] = text.charCodeAt(i);
  }

  utf8(text: string): void {
    this.reserve(text.length * 3);
    this.at += this.buffer.write(text, this.at);
  }

  copy(from: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    if (end - start > 64) {
      this.bytes.set(from.subarray(start, end), this.at);
      this.at += end - start;
    } else {
      for (let i = start; i < end; i++) this.bytes[this.at++] = from[i]!;
    }
  }

  /** Two digits of a number below 100. Room must have been made. */
  pair(value: number): void {
    this.view.setUint16(this.at, DIGIT_PAIRS[value]!, true);
    this.at += 2;
  }

  /** A whole number below 2^53 in value. */
  integer(value: number): void {
    this.reserve(20);
    if (value < 0) {
      this.bytes[this.at++] = MINUS;
      value = -value;
    }
    if (value < BILLION) {
      this.below(value, digitsOf(value));
      return;
    }
    const high = Math.floor(value / BILLION);
    this.below(high, digitsOf(high));
    this.below(value - high * BILLION, 9);
  }

  /** A whole number that is not negative and below 10^15, in exactly `digits` digits. */
  padded(value: number, digits: number): void {
    this.reserve(digits + 2);
    if (digits <= 9) {
      this.below(value, digits);
      return;
    }
    const high = Math.floor(value / BILLION);
    this.below(high, digits - 9);
    this.below(value - high * BILLION, 9);
  }

  /** Writes a number below 2^31 in exactly `digits` digits, from the last to the first. */
  private below(value: number, digits: number): void {
    const { view } = this;
    let p = this.at + digits;
    this.at = p;
    let left = digits;
    while (left >= 2) {
      const rest = (value / 100) | 0;
      p -= 2;
      view.setUint16(p, DIGIT_PAIRS[value - rest * 100]!, true);
      value = rest;
      left -= 2;
    }
    if (left === 1) this.bytes[p - 1] = ZERO + value;
  }
}

/** How many digits a number below 10^9 has (of one up to 2^53 / 10^9 too). */
function digitsOf(value: number): number {
  if (value < 1e4) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1e8) return value < 1e6 ? (value < 1e5 ? 5 : 6) : value < 1e7 ? 7 : 8;
  return 9;
}

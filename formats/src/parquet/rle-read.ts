/**
 * Reads the RLE / bit-packed hybrid piece by piece, so that a run that claims a billion values costs no memory:
 * https://github.com/apache/parquet-format/blob/master/Encodings.md#run-length-encoding--bit-packing-hybrid-rle--3
 */
import { sound } from './damage.js';

export class HybridReader {
  /** Of the current run: how many values are left, and whether they are packed. */
  private left = 0;
  private packed = false;
  private value = 0;
  /** Bits of the current packed run that are used up, counted from `at`. */
  private bit = 0;
  private readonly mask: number;

  /** Reads values of `width` bits (0 to 32) from `at` up to `end`. */
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly end: number,
    private readonly width: number,
  ) {
    sound(width <= 32, `values of ${width} bits are too wide`);
    sound(end <= bytes.byteLength && at <= end, 'levels or indices pass the end of their page');
    this.mask = width === 32 ? 0xffffffff : (1 << width) - 1;
  }

  /** Reads `count` values into `out` from `to` on. */
  read(out: Uint8Array | Uint32Array, to: number, count: number): void {
    const last = to + count;
    while (to < last) {
      if (this.left === 0) this.nextRun();
      const run = Math.min(this.left, last - to);
      if (this.packed) this.unpack(out, to, run);
      else out.fill(this.value, to, to + run);
      this.left -= run;
      to += run;
      if (this.left === 0 && this.packed) {
        this.at += (this.bit + 7) >> 3;
        this.bit = 0;
      }
    }
  }

  private nextRun(): void {
    const header = this.varint();
    this.packed = (header & 1) === 1;
    const size = header >>> 1;
    sound(size > 0, 'a run is empty');
    if (!this.packed) {
      this.left = size;
      const bytes = (this.width + 7) >> 3;
      sound(this.at + bytes <= this.end, 'a run passes the end of its page');
      this.value = 0;
      for (let i = 0; i < bytes; i++) this.value |= this.bytes[this.at++]! << (8 * i);
      this.value >>>= 0;
      return;
    }
    // Writers may leave out the padding of the last group: as many values as there are bytes for can be used.
    const room =
      this.width === 0 ? Number.MAX_SAFE_INTEGER : Math.floor(((this.end - this.at) * 8) / this.width);
    this.left = Math.min(size * 8, room);
    sound(this.left > 0, 'a packed run passes the end of its page');
  }

  private unpack(out: Uint8Array | Uint32Array, to: number, count: number): void {
    const { bytes, width, mask } = this;
    let at = this.at + (this.bit >> 3);
    const used = this.bit & 7;
    this.bit += count * width;
    if (width > 24) return this.unpackWide(out, to, count, at, used);
    // Up to 24 bits and 7 that are already used fit into the word that bytes are shifted into.
    let held = used === 0 ? 0 : bytes[at++]! >>> used;
    let bits = used === 0 ? 0 : 8 - used;
    for (const last = to + count; to < last; to++) {
      for (; bits < width; bits += 8) held |= bytes[at++]! << bits;
      out[to] = held & mask;
      held >>>= width;
      bits -= width;
    }
  }

  private unpackWide(
    out: Uint8Array | Uint32Array,
    to: number,
    count: number,
    at: number,
    used: number,
  ): void {
    const { bytes, width, mask } = this;
    for (let i = 0; i < count; i++) {
      let value = bytes[at]! >>> used;
      for (let got = 8 - used, next = at + 1; got < width; got += 8) value |= (bytes[next++] ?? 0) << got;
      out[to + i] = (value & mask) >>> 0;
      at += (used + width) >> 3;
      used = (used + width) & 7;
    }
  }

  private varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      sound(this.at < this.end && shift < 35, 'a run has no sound length');
      const byte = this.bytes[this.at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }
}

/** The same values over and over. */
export class ConstantReader {
  constructor(private readonly value: number) {}
  read(out: Uint8Array | Uint32Array, to: number, count: number): void {
    out.fill(this.value, to, to + count);
  }
}

/** The BIT_PACKED levels of old files: no runs, the most significant bit first. */
export class BitPackedReader {
  private bit = 0;
  constructor(
    private readonly bytes: Uint8Array,
    private readonly at: number,
    private readonly end: number,
    private readonly width: number,
  ) {}
  read(out: Uint8Array | Uint32Array, to: number, count: number): void {
    sound(
      this.at + Math.ceil((this.bit + count * this.width) / 8) <= this.end,
      'levels pass the end of their page',
    );
    for (const last = to + count; to < last; to++) {
      let value = 0;
      for (let i = 0; i < this.width; i++, this.bit++) {
        const byte = this.bytes[this.at + (this.bit >> 3)]!;
        value = (value << 1) | ((byte >> (7 - (this.bit & 7))) & 1);
      }
      out[to] = value;
    }
  }
}

/** Whatever yields levels or indices. */
export type NumberReader = HybridReader | ConstantReader | BitPackedReader;

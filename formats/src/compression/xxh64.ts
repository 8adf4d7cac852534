/**
 * XXH64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) with seed 0, as zstd frames are checked by it.
 * 64-bit numbers are two halves, low and high, in 32-bit arrays: BigInt would allocate for every step.
 */

/** The primes, low and high half. */
const P1 = [0x85ebca87 | 0, 0x9e3779b1 | 0] as const;
const P2 = [0x27d4eb4f | 0, 0xc2b2ae3d | 0] as const;
const P3 = [0x9e3779f9 | 0, 0x165667b1 | 0] as const;
const P4 = [0xc2b2ae63 | 0, 0x85ebca77 | 0] as const;
const P5 = [0x165667c5 | 0, 0x27d4eb2f | 0] as const;
const STRIPE = 32;
const P1_0 = P1[0] & 0xffff;
const P1_1 = P1[0] >>> 16;
const P2_0 = P2[0] & 0xffff;
const P2_1 = P2[0] >>> 16;

type Half = readonly [low: number, high: number];

export class Xxh64 {
  /** Four accumulators, each low and high. */
  private readonly lanes = new Int32Array(8);
  private readonly held = new Uint8Array(STRIPE);
  private heldBytes = 0;
  private total = 0;
  /** The number that is worked on. */
  private low = 0;
  private high = 0;

  constructor() {
    this.set(P1);
    this.add(P2);
    this.store(0);
    this.set(P2);
    this.store(1);
    this.set([0, 0]);
    this.store(2);
    this.set([-P1[0], ~P1[1]]);
    this.store(3);
  }

  update(bytes: Uint8Array): void {
    this.total += bytes.byteLength;
    let at = 0;
    if (this.heldBytes > 0) {
      at = Math.min(STRIPE - this.heldBytes, bytes.byteLength);
      this.held.set(bytes.subarray(0, at), this.heldBytes);
      this.heldBytes += at;
      if (this.heldBytes < STRIPE) return;
      this.stripes(this.held, 0, STRIPE);
    }
    const end = at + (((bytes.byteLength - at) / STRIPE) | 0) * STRIPE;
    this.stripes(bytes, at, end);
    this.held.set(bytes.subarray(end));
    this.heldBytes = bytes.byteLength - end;
  }

  /** The low 32 bits of the hash, unsigned. */
  low32(): number {
    if (this.total < STRIPE) this.set(P5);
    else this.merge();
    this.add([this.total | 0, (this.total / 4_294_967_296) | 0]);
    this.rest();
    this.shiftXor(33);
    this.multiply(P2);
    this.shiftXor(29);
    this.multiply(P3);
    this.shiftXor(32);
    return this.low >>> 0;
  }

  /** The hot part: each step is (lane + word × P2), rotated by 31, × P1, with products made of 16-bit digits. */
  private stripes(bytes: Uint8Array, from: number, to: number): void {
    const { lanes } = this;
    for (let at = from; at < to; at += 8) {
      const lane = ((at - from) >> 2) & 6;
      const w0 = bytes[at]! | (bytes[at + 1]! << 8);
      const w1 = bytes[at + 2]! | (bytes[at + 3]! << 8);
      let low = w0 | (w1 << 16);
      let high = word(bytes, at + 4);
      let cross = Math.imul(w0, P2_0) >>> 0;
      let p01 = Math.imul(w0, P2_1) >>> 0;
      let p10 = Math.imul(w1, P2_0) >>> 0;
      let middle = (cross >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
      high =
        (Math.imul(w1, P2_1) +
          (p01 >>> 16) +
          (p10 >>> 16) +
          (middle >>> 16) +
          Math.imul(high, P2[0]) +
          Math.imul(low, P2[1])) |
        0;
      low = (middle << 16) | (cross & 0xffff);
      const sum = (low >>> 0) + (lanes[lane]! >>> 0);
      high = (high + lanes[lane + 1]! + (sum > 0xffffffff ? 1 : 0)) | 0;
      low = sum | 0;
      const turned = (low << 31) | (high >>> 1);
      high = (high << 31) | (low >>> 1);
      const t0 = turned & 0xffff;
      const t1 = turned >>> 16;
      cross = Math.imul(t0, P1_0) >>> 0;
      p01 = Math.imul(t0, P1_1) >>> 0;
      p10 = Math.imul(t1, P1_0) >>> 0;
      middle = (cross >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
      lanes[lane + 1] =
        Math.imul(t1, P1_1) +
        (p01 >>> 16) +
        (p10 >>> 16) +
        (middle >>> 16) +
        Math.imul(high, P1[0]) +
        Math.imul(turned, P1[1]);
      lanes[lane] = (middle << 16) | (cross & 0xffff);
    }
  }

  private merge(): void {
    const { lanes } = this;
    let sum: Half = [0, 0];
    for (const [i, bits] of [1, 7, 12, 18].entries()) {
      this.set([lanes[2 * i]!, lanes[2 * i + 1]!]);
      this.rotate(bits);
      this.add(sum);
      sum = [this.low, this.high];
    }
    for (let i = 0; i < 4; i++) {
      this.set([lanes[2 * i]!, lanes[2 * i + 1]!]);
      this.round();
      this.set([this.low ^ sum[0], this.high ^ sum[1]]);
      this.multiply(P1);
      this.add(P4);
      sum = [this.low, this.high];
    }
  }

  /** What is held of a last stripe: words of eight bytes, one of four, bytes. */
  private rest(): void {
    const { held, heldBytes } = this;
    let at = 0;
    for (; at + 8 <= heldBytes; at += 8) {
      const hash: Half = [this.low, this.high];
      this.set([word(held, at), word(held, at + 4)]);
      this.round();
      this.set([this.low ^ hash[0], this.high ^ hash[1]]);
      this.rotate(27);
      this.multiply(P1);
      this.add(P4);
    }
    if (at + 4 <= heldBytes) {
      this.xorProduct(word(held, at), P1);
      this.rotate(23);
      this.multiply(P2);
      this.add(P3);
      at += 4;
    }
    for (; at < heldBytes; at++) {
      this.xorProduct(held[at]!, P5);
      this.rotate(11);
      this.multiply(P1);
    }
  }

  /** One step of an accumulator that begins with zero. */
  private round(): void {
    this.multiply(P2);
    this.rotate(31);
    this.multiply(P1);
  }

  private xorProduct(value: number, prime: Half): void {
    const hash: Half = [this.low, this.high];
    this.set([value, 0]);
    this.multiply(prime);
    this.set([this.low ^ hash[0], this.high ^ hash[1]]);
  }

  private set([low, high]: Half): void {
    this.low = low | 0;
    this.high = high | 0;
  }

  private store(lane: number): void {
    this.lanes[2 * lane] = this.low;
    this.lanes[2 * lane + 1] = this.high;
  }

  private add([low, high]: Half): void {
    const sum = (this.low >>> 0) + (low >>> 0);
    this.low = sum | 0;
    this.high = (this.high + high + (sum > 0xffffffff ? 1 : 0)) | 0;
  }

  private rotate(bits: number): void {
    const { low, high } = this;
    this.low = (low << bits) | (high >>> (32 - bits));
    this.high = (high << bits) | (low >>> (32 - bits));
  }

  private shiftXor(bits: number): void {
    const { low, high } = this;
    if (bits >= 32) this.low = low ^ (high >>> (bits - 32));
    else {
      this.low = low ^ ((low >>> bits) | (high << (32 - bits)));
      this.high = high ^ (high >>> bits);
    }
  }

  private multiply([low, high]: Half): void {
    const [a0, a1] = [this.low & 0xffff, this.low >>> 16];
    const [b0, b1] = [low & 0xffff, low >>> 16];
    const cross = Math.imul(a0, b0) >>> 0;
    const p01 = Math.imul(a0, b1) >>> 0;
    const p10 = Math.imul(a1, b0) >>> 0;
    const middle = (cross >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
    const carried = Math.imul(a1, b1) + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16);
    this.high = (carried + Math.imul(this.high, low) + Math.imul(this.low, high)) | 0;
    this.low = ((middle & 0xffff) << 16) | (cross & 0xffff);
  }
}

/** Four bytes, the lowest first. */
function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/**
 * HMAC-SHA256 (RFC 2104) of many short messages with one key: the two states behind the key's blocks are computed
 * once, so that a message of up to 55 bytes costs two compressions.
 */
import { createHash } from 'node:crypto';
import { compress, INITIAL_STATE } from './sha256.js';

const BLOCK = 64;
const DIGEST_WORDS = 8;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

export class Hmac {
  /** The digest of the last message as eight big-endian words. */
  readonly digest = new Int32Array(DIGEST_WORDS);
  /** The states behind the key's blocks. */
  readonly inner: Int32Array;
  readonly outer: Int32Array;
  private readonly words = new Int32Array(16);
  private readonly outerWords = new Int32Array(16);

  constructor(key: Uint8Array) {
    const block = new Uint8Array(BLOCK);
    block.set(key.length > BLOCK ? createHash('sha256').update(key).digest() : key);
    this.inner = keyedState(block, INNER_PAD);
    this.outer = keyedState(block, OUTER_PAD);
    // The outer message is always the key's block and a digest: its padding and length never change.
    this.outerWords[DIGEST_WORDS] = 0x80000000;
    this.outerWords[15] = (BLOCK + DIGEST_WORDS * 4) * 8;
  }

  /** Computes the digest of `bytes[from .. to]`. */
  update(bytes: Uint8Array, from: number, to: number): void {
    const { digest, words, outerWords } = this;
    digest.set(this.inner);
    const bits = (BLOCK + to - from) * 8;
    for (; to - from >= BLOCK; from += BLOCK) {
      loadWords(words, bytes, from, BLOCK);
      compress(digest, words);
    }
    this.finishInner(bytes, from, to - from, bits);
    for (let i = 0; i < DIGEST_WORDS; i++) outerWords[i] = digest[i]!;
    digest.set(this.outer);
    compress(digest, outerWords);
  }

  /** The rest of the message, a one bit, zeros, and the length in bits: in one block, or in two. */
  private finishInner(bytes: Uint8Array, from: number, rest: number, bits: number): void {
    const { digest, words } = this;
    loadWords(words, bytes, from, rest);
    words[rest >> 2]! |= 0x80 << (24 - (rest & 3) * 8);
    if (rest >= BLOCK - 8) {
      compress(digest, words);
      words.fill(0);
    }
    words[14] = Math.floor(bits / 0x100000000);
    words[15] = bits;
    compress(digest, words);
  }
}

function keyedState(block: Uint8Array, pad: number): Int32Array {
  const state = INITIAL_STATE.slice();
  const words = new Int32Array(16);
  loadWords(
    words,
    block.map((byte) => byte ^ pad),
    0,
    BLOCK,
  );
  compress(state, words);
  return state;
}

/** `count` bytes as big-endian words, zeros behind them. */
function loadWords(words: Int32Array, bytes: Uint8Array, from: number, count: number): void {
  const whole = count >> 2;
  let at = from;
  for (let i = 0; i < whole; i++, at += 4) {
    words[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
  if (whole === 16) return;
  let last = 0;
  for (let i = 0; i < (count & 3); i++) last |= bytes[at + i]! << (24 - i * 8);
  words[whole] = last;
  for (let i = whole + 1; i < 16; i++) words[i] = 0;
}

/**
 * What the server sends of its log, cut where no transaction is open as far as memory allows.
 *
 * A server that is ahead sends message by message, and is woken for each by a reader that waits: reading at once
 * halves the speed of both. A reader that is behind therefore lets messages gather: it stops reading for a moment
 * after each read that got everything there was. One that is not behind hands on what has come at once.
 */
import type { SluiceError } from '@sluice/sdk';
import type { Flow } from '../connection/copy-out.js';
import type { ReceiveBuffer } from '../connection/receive-buffer.js';
import type { CopyData } from '../connection/session.js';
import {
  BEGIN,
  COMMIT,
  COPY_DATA,
  KEEPALIVE,
  KIND,
  LOG_DATA,
  MESSAGE,
  SENT_AT,
  timeAt,
  WANTS_REPLY,
} from './log-messages.js';

/** Microseconds between a commit and its sending from which on the reader is behind. */
const BEHIND_MICROS = 100_000;
/** Bytes of one transaction from which on more will come. */
const LARGE_TRANSACTION = 64 * 1024;
/** Milliseconds in which messages gather: more while a read brings little, less while it brings much. */
const SHORTEST_NAP_MS = 1;
const LONGEST_NAP_MS = 16;
const LITTLE = 512 * 1024;
const MUCH = 1024 * 1024;
/** Milliseconds without a message after which nothing more is waited for. */
const PATIENCE_MS = 3;

export class LogCopy implements CopyData {
  private readonly ready: Buffer[] = [];
  private rx: ReceiveBuffer | undefined;
  /** Bytes of whole messages behind the buffer's head, and those up to where no transaction is open. */
  private walked = 0;
  private settled = 0;
  private inTransaction = false;
  private behind = false;
  private timer: NodeJS.Timeout | undefined;
  private napping = false;
  private napMs = SHORTEST_NAP_MS;
  /** Bytes since the last nap. */
  private got = 0;
  private ended = false;
  private failure: SluiceError | undefined;
  /** Who reads, and who waits for the end: closing does not wait for a read that is pending. */
  private readonly waiting = new Set<() => void>();
  /** When bytes came last, by `performance.now()`. */
  heardAt = performance.now();

  constructor(
    /** Bytes that are handed on at once. */
    private readonly most: number,
    private readonly flow: Flow,
    /** The server wants to hear from us. */
    private readonly answer: () => void,
  ) {}

  /** Whether the socket is read. */
  get reads(): boolean {
    return this.ready.length === 0 && !this.napping;
  }

  /** Whole CopyData messages; undefined when `ms` have passed without one, or at the end. Rejects with the server's error. */
  async next(ms?: number): Promise<Buffer | undefined> {
    if (this.ready.length === 0 && !this.ended) await this.arrival(ms);
    const chunk = this.ready.shift();
    this.steer();
    if (chunk === undefined && this.failure !== undefined) throw this.failure;
    return chunk;
  }

  get over(): boolean {
    return this.ended && this.ready.length === 0;
  }

  /** Waits for the end and forgets what comes until then. */
  async drain(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (!this.over && performance.now() < until)
      await this.next(until - performance.now()).catch(() => {});
  }

  take(rx: ReceiveBuffer): boolean {
    this.rx = rx;
    this.heardAt = performance.now();
    clearTimeout(this.timer);
    const partial = this.walk(rx);
    const rest = rx.head + this.walked;
    if (rest < rx.tail && rx.bytes[rest] !== COPY_DATA) {
      this.cut(this.walked);
      return false;
    }
    const gathers = this.behind || this.walked - this.settled > LARGE_TRANSACTION;
    if (this.walked >= this.most) this.cut(this.settled || this.walked);
    else if (this.settled > 0 && (!gathers || rx.full)) this.cut(this.settled);
    else if (gathers) this.nap();
    if (partial > 0) rx.want(this.walked + partial);
    return true;
  }

  finish(failure?: SluiceError): void {
    clearTimeout(this.timer);
    this.napping = false;
    this.ended = true;
    this.failure ??= failure;
    this.wake();
  }

  /** Returns the length of a message that has come in part, else 0. */
  private walk(rx: ReceiveBuffer): number {
    const { bytes, tail } = rx;
    let at = rx.head + this.walked;
    while (tail - at >= 5 && bytes[at] === COPY_DATA) {
      const length = bytes.readInt32BE(at + 1) + 1;
      if (tail - at < length) return length;
      this.look(bytes, at);
      at += length;
      this.got += length;
      this.walked = at - rx.head;
      if (!this.inTransaction) this.settled = this.walked;
    }
    return 0;
  }

  private look(bytes: Buffer, at: number): void {
    if (bytes[at + KIND] === LOG_DATA) {
      const type = bytes[at + MESSAGE];
      if (type === BEGIN) {
        this.inTransaction = true;
        // Its place (8 bytes), then the time of its commit.
        this.behind = timeAt(bytes, at + SENT_AT) - timeAt(bytes, at + MESSAGE + 9) > BEHIND_MICROS;
      } else if (type === COMMIT) {
        this.inTransaction = false;
      }
    } else if (bytes[at + KIND] === KEEPALIVE) {
      this.behind = false;
      if (bytes[at + WANTS_REPLY] === 1) this.answer();
    }
  }

  private cut(length: number): void {
    const { rx } = this;
    if (rx === undefined || length === 0) return;
    this.ready.push(rx.lend(rx.head, rx.head + length));
    rx.head += length;
    this.walked -= length;
    this.settled = 0;
    this.wake();
    this.steer();
  }

  private nap(): void {
    if (this.got < LITTLE) this.napMs = Math.min(this.napMs * 2, LONGEST_NAP_MS);
    else if (this.got > MUCH) this.napMs = Math.max(this.napMs / 2, SHORTEST_NAP_MS);
    this.got = 0;
    this.napping = true;
    this.steer();
    this.timer = setTimeout(() => {
      this.napping = false;
      this.steer();
      this.timer = setTimeout(() => this.cut(this.settled), PATIENCE_MS);
    }, this.napMs);
  }

  private steer(): void {
    if (this.ended || this.reads) this.flow.resume();
    else this.flow.pause();
  }

  private async arrival(ms: number | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const come = () => {
        clearTimeout(late);
        this.waiting.delete(come);
        resolve();
      };
      const late = ms === undefined ? undefined : setTimeout(come, ms);
      this.waiting.add(come);
    });
  }

  private wake(): void {
    for (const come of this.waiting) come();
  }
}

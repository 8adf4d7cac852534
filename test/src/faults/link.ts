import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Pieces a second that a slow link hands on. */
const PIECES = 50;

/**
 * The line between the clients and the server of a fault proxy. Changes hold at once, also for what is under way on
 * connections that are open.
 */
export class Link {
  /** Milliseconds that every piece of bytes is under way. */
  delayMs = 0;
  /** Most bytes a second, for each connection and direction. */
  bytesPerSecond = Number.POSITIVE_INFINITY;
  /** Bytes that have gone over the link, both ways. */
  bytes = 0;
  private breaksAt = Number.POSITIVE_INFINITY;
  private breaks: () => void = () => {};
  private stalled: Promise<void> | undefined;
  private goOn: () => void = () => {};

  /** From now on nothing comes through, neither bytes nor the end of a connection; nobody is told. */
  stall(): void {
    this.stalled ??= new Promise((resolve) => {
      this.goOn = resolve;
    });
  }

  /** What was stalled goes on. */
  resume(): void {
    this.stalled = undefined;
    this.goOn();
  }

  /** Calls back once so many more bytes have gone over the link, both ways together; the byte behind them has not. */
  after(bytes: number, callback: () => void): void {
    this.breaksAt = this.bytes + bytes;
    this.breaks = callback;
  }

  /** Resolves when the link lets something through. */
  async open(): Promise<void> {
    while (this.stalled !== undefined) await this.stalled;
  }

  /** Brings bytes over, and resolves once the socket takes more. */
  async send(bytes: Buffer, to: Socket): Promise<void> {
    if (this.delayMs > 0) await sleep(this.delayMs);
    for (let from = 0; from < bytes.byteLength; ) {
      const rate = this.bytesPerSecond;
      const size =
        rate === Number.POSITIVE_INFINITY ? bytes.byteLength : Math.max(1, Math.ceil(rate / PIECES));
      await this.open();
      const piece = bytes.subarray(from, Math.min(from + size, from + this.breaksAt - this.bytes));
      from += piece.byteLength;
      this.bytes += piece.byteLength;
      await written(piece, to);
      if (this.bytes >= this.breaksAt) this.break();
      if (rate !== Number.POSITIVE_INFINITY) await sleep((piece.byteLength / rate) * 1000);
    }
  }

  private break(): void {
    this.breaksAt = Number.POSITIVE_INFINITY;
    this.breaks();
  }
}

/** Bytes for a socket that is gone or ended are lost. */
async function written(bytes: Buffer, to: Socket): Promise<void> {
  if (!to.writable || to.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      to.off('drain', done);
      to.off('close', done);
      resolve();
    };
    to.on('drain', done);
    to.on('close', done);
  });
}

/**
 * The server's side of `COPY … TO STDOUT (FORMAT binary)`. Each row comes as one CopyData message, and whole
 * messages are what is handed on: a sink of the same kind sends them back without touching a row. Rows are counted
 * by walking the messages' lengths.
 *
 * Format: https://www.postgresql.org/docs/current/sql-copy.html (Binary Format); messages:
 * https://www.postgresql.org/docs/current/protocol-message-formats.html.
 */
import type { SluiceError } from '@sluice/sdk';
import { pgErrors } from '../errors.js';
import type { ReceiveBuffer } from './receive-buffer.js';
import type { CopyData } from './session.js';

/** Whole CopyData messages, one a row, with their five-byte headers. */
export interface CopyChunk {
  readonly bytes: Buffer;
  readonly rows: number;
}

export interface ChunkBounds {
  readonly rows: number;
  readonly bytes: number;
}

/** `PGCOPY\n\xff\r\n\0`, flags and the length of the header extension. */
export const COPY_HEADER_BYTES = 19;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const COPY_DATA = 0x64;

export interface Flow {
  pause(): void;
  resume(): void;
}

export class CopyOut implements CopyData {
  private readonly ready: CopyChunk[] = [];
  private rows = 0;
  /** Bytes of whole rows behind the buffer's head. */
  private walked = 0;
  private begun = false;
  private ended = false;
  private failure: SluiceError | undefined;
  private waiting: (() => void) | undefined;

  constructor(
    private readonly bounds: ChunkBounds,
    private readonly flow: Flow,
  ) {}

  /** The next rows; undefined at the end. Rejects with the server's error. */
  async next(): Promise<CopyChunk | undefined> {
    while (this.ready.length === 0) {
      if (this.failure !== undefined) throw this.failure;
      if (this.ended) return undefined;
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
    const chunk = this.ready.shift();
    if (this.ready.length === 0) this.flow.resume();
    return chunk;
  }

  /**
   * Takes CopyData messages from the buffer. Returns true when it needs more bytes, false when another message
   * stands at the buffer's head.
   */
  take(rx: ReceiveBuffer): boolean {
    if (!this.begun && !this.takeHeader(rx)) return rx.head === rx.tail || rx.bytes[rx.head] === COPY_DATA;
    for (;;) {
      const bytes = rx.bytes;
      const { tail } = rx;
      let at = rx.head + this.walked;
      let rows = this.rows;
      const until = rx.head + this.bounds.bytes;
      const most = this.bounds.rows;
      let length = 0;
      while (tail - at >= 5 && bytes[at] === COPY_DATA && rows < most && at < until) {
        length =
          ((bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!) + 1;
        if (tail - at < length || length === 7) break;
        at += length;
        rows++;
      }
      this.walked = at - rx.head;
      this.rows = rows;
      if (rows >= most || at >= until) {
        this.cut(rx);
        continue;
      }
      if (tail - at < 5) return this.wait(rx);
      if (bytes[at] !== COPY_DATA) {
        this.cut(rx);
        return false;
      }
      if (tail - at < length) {
        rx.want(this.walked + length);
        return this.wait(rx);
      }
      this.takeShort(rx, at);
    }
  }

  /** Everything has come, or the copy failed. */
  finish(failure?: SluiceError): void {
    this.ended = true;
    this.failure ??= failure;
    this.wake();
  }

  private wait(rx: ReceiveBuffer): true {
    // What is left over is copied into fresh memory: it should be one part of a row, not rows.
    if (rx.full && this.rows > 0) this.cut(rx);
    return true;
  }

  /** A message of two bytes: a row without columns, or the trailer, which is no row. */
  private takeShort(rx: ReceiveBuffer, at: number): void {
    if (rx.bytes[at + 5] === 0xff && rx.bytes[at + 6] === 0xff) {
      this.cut(rx);
      rx.head += 7;
    } else {
      this.walked += 7;
      this.rows++;
    }
  }

  private cut(rx: ReceiveBuffer): void {
    const end = rx.head + this.walked;
    if (this.rows > 0) {
      this.ready.push({ bytes: rx.lend(rx.head, end), rows: this.rows });
      this.flow.pause();
      this.wake();
    }
    rx.head = end;
    this.walked = 0;
    this.rows = 0;
  }

  /**
   * The header shares its message with the first row (or with the trailer). The row's message header is written
   * over the end of it. Returns whether the header has been taken.
   */
  private takeHeader(rx: ReceiveBuffer): boolean {
    const { bytes, head, tail } = rx;
    if (tail - head < 5 || bytes[head] !== COPY_DATA) return false;
    const length = bytes.readInt32BE(head + 1);
    if (tail - head < length + 1) {
      rx.want(length + 1);
      return false;
    }
    const body = head + 5;
    if (length < 4 + COPY_HEADER_BYTES || !bytes.subarray(body, body + SIGNATURE.length).equals(SIGNATURE)) {
      throw pgErrors.protocol('COPY did not begin with the signature of the binary format');
    }
    const skipped = COPY_HEADER_BYTES + bytes.readInt32BE(body + 15);
    this.begun = true;
    if (length === 4 + skipped) {
      rx.head += length + 1;
      return true;
    }
    const start = head + skipped;
    bytes[start] = COPY_DATA;
    bytes.writeInt32BE(length - skipped, start + 1);
    rx.head = start;
    return true;
  }

  private wake(): void {
    this.waiting?.();
    this.waiting = undefined;
  }
}

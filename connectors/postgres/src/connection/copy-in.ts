/** The client's side of `COPY … FROM STDIN (FORMAT binary)`. */
import type { Session } from './session.js';

/** The header as a CopyData message: signature, no flags, no extension. */
const HEADER = Buffer.concat([
  Buffer.from([0x64, 0, 0, 0, 4 + 19]),
  Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'),
  Buffer.alloc(8),
]);
/** The trailer (a field count of -1) as a CopyData message, and CopyDone. */
const TRAILER = Buffer.from([0x64, 0, 0, 0, 6, 0xff, 0xff, 0x63, 0, 0, 0, 4]);
const COPY_FAIL = 0x66;

export class CopyIn {
  private begun = false;

  constructor(
    private readonly session: Session,
    /** Settles when the server has answered the whole COPY. */
    private readonly done: Promise<number>,
  ) {
    // A failure is also seen by the next write; nobody may be waiting for the end yet.
    done.catch(() => {});
  }

  /**
   * Sends whole CopyData messages. Returns when the socket can take more: `bytes` may still be on their way, and
   * must not be written to before `sent` is called.
   */
  async write(bytes: Uint8Array, sent?: () => void): Promise<void> {
    if (!this.begun) {
      this.begun = true;
      this.session.send(HEADER);
    }
    await this.session.sendAll(bytes, sent);
  }

  /** Ends the COPY; returns the number of rows that the server took. */
  async end(): Promise<number> {
    if (!this.begun) this.session.send(HEADER);
    this.session.send(TRAILER);
    return this.done;
  }

  /** Makes the server forget the rows of this COPY; the transaction is then failed. */
  async fail(reason: string): Promise<void> {
    const text = Buffer.from(`${reason.replaceAll('\0', ' ')}\0`);
    const message = Buffer.allocUnsafe(5 + text.length);
    message[0] = COPY_FAIL;
    message.writeInt32BE(4 + text.length, 1);
    text.copy(message, 5);
    this.session.send(message);
    await this.done.catch(() => {});
  }
}

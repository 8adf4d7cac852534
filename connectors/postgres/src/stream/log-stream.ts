/**
 * A connection that reads the server's log from a slot. The server hears from us on a timer, also while nobody reads:
 * it ends connections that are silent for wal_sender_timeout.
 */
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { ident, literal } from '../quote.js';
import { LogCopy } from './log-copy.js';
import { COPY_DONE, statusMessage } from './log-messages.js';
import { type Lsn, lsnText } from './lsn.js';

/** The server hears from us at least this often, in milliseconds. */
const STATUS_MS = 10_000;
/** What a server may take to end a copy that we have ended. */
const END_MS = 2000;

export interface LogOrigin {
  readonly slot: string;
  readonly publication: string;
  /** Transactions whose commit ends behind it are read. */
  readonly from: Lsn;
  /** What the server may have forgotten already: it is told of nothing further, before somebody confirms it. */
  readonly confirmed: Lsn;
  /** Bytes that are handed on at once. */
  readonly bytes: number;
}

export class LogStream {
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  private constructor(
    private readonly session: Session,
    private readonly copy: LogCopy,
    private confirmed: Lsn,
    /** Milliseconds of silence after which the server counts as gone; 0: never. */
    private readonly silence: number,
  ) {}

  /** Takes over a session for replication. */
  static async start(
    session: Session,
    { slot, publication, from, confirmed, bytes }: LogOrigin,
  ): Promise<LogStream> {
    const [row] = await session.rows(
      "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'",
    );
    const timeout = Number(row?.[0] ?? 0);
    let stream: LogStream | undefined;
    const copy = new LogCopy(bytes, session.flow, () => stream?.tell());
    stream = new LogStream(session, copy, confirmed, timeout * 2);
    const options = [
      "proto_version '1'",
      `publication_names ${literal(ident(publication))}`,
      "binary 'true'",
    ];
    await session.copy(
      `START_REPLICATION SLOT ${ident(slot)} LOGICAL ${lsnText(from)} (${options.join(', ')})`,
      copy,
      bytes,
      `reading the log from slot ${slot}`,
    );
    const often = timeout === 0 ? STATUS_MS : Math.min(STATUS_MS, timeout / 3);
    stream.timer = setInterval(() => stream.beat(), often);
    stream.tell();
    return stream;
  }

  /**
   * Whole CopyData messages, of whole transactions as far as they fit; undefined when `ms` have passed without any.
   * Rejects when the stream has ended, whoever ended it.
   */
  async next(ms?: number): Promise<Buffer | undefined> {
    const chunk = await this.copy.next(ms);
    if (chunk === undefined && this.copy.over) throw pgErrors.serverStopping('the server has ended the log');
    return chunk;
  }

  /** Everything before `lsn` is durable elsewhere: the server may forget it. */
  confirm(lsn: Lsn): void {
    if (lsn <= this.confirmed) return;
    this.confirmed = lsn;
    this.tell();
  }

  /** Makes the server say how far it is. */
  ask(): void {
    this.tell(true);
  }

  /** Ends reading, so that the slot is free for others. Never rejects. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.timer);
    if (this.session.usable && !this.copy.over) {
      this.session.send(COPY_DONE);
      await this.copy.drain(END_MS);
    }
    await this.session.close();
  }

  private tell(wantsReply = false): void {
    if (this.session.usable) this.session.send(statusMessage(this.confirmed, wantsReply));
  }

  private beat(): void {
    this.tell();
    const silent = this.copy.reads && performance.now() - this.copy.heardAt > this.silence;
    if (this.silence === 0 || !silent) return;
    this.copy.finish(pgErrors.connectionLost(`the server has been silent for ${this.silence} ms`));
    void this.session.close();
  }
}

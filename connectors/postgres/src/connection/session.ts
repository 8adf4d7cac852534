/**
 * One connection after login, spoken by ourselves: `pg` has connected, encrypted and authenticated it and then
 * leaves the socket to us. Queries answer in text; COPY streams whole messages both ways, with backpressure.
 *
 * Messages: https://www.postgresql.org/docs/current/protocol-message-formats.html.
 */
import type { Socket } from 'node:net';
import type { SluiceError } from '@sluice/sdk';
import { pgErrors } from '../errors.js';
import { CopyIn } from './copy-in.js';
import { type ChunkBounds, CopyOut, type Flow } from './copy-out.js';
import { parameterMessages, queryMessage, TERMINATE } from './messages.js';
import { LEAST_SPACE, type ReceiveBuffer } from './receive-buffer.js';
import { Reply, type Result } from './reply.js';
import { type ErrorFields, errorFields, serverError } from './server-error.js';

const ERROR = 0x45;
const NOTICE = 0x4e;
const PARAMETER_STATUS = 0x53;
const NOTIFICATION = 0x41;
const READY = 0x5a;
const COPY_IN_RESPONSE = 0x47;
const COPY_OUT_RESPONSE = 0x48;
const COPY_BOTH_RESPONSE = 0x57;
const COPY_DONE = 0x63;

/** What takes the CopyData messages that the server sends. */
export interface CopyData {
  /** Returns true when it needs more bytes, false when another message stands at the buffer's head. */
  take(rx: ReceiveBuffer): boolean;
  /** Everything has come, or the copy failed. */
  finish(failure?: SluiceError): void;
}

/** What runs on the connection now: a request and everything that the server answers to it. */
interface Exchange {
  readonly reply: Reply;
  readonly doing: string | undefined;
  /** Rows are read. */
  readonly reads?: boolean;
  copy?: CopyData;
  error?: ErrorFields;
  /** The server has answered with CopyInResponse, CopyOutResponse or CopyBothResponse. */
  started?(): void;
  finished(error?: SluiceError): void;
}

/** The socket as the session uses it; see `socket.ts` for where its bytes go. */
export interface Wire {
  readonly socket: Socket;
  readonly rx: ReceiveBuffer;
  /** Where bytes that have come into `rx` are announced. */
  onBytes: () => void;
  pause(): void;
  resume(): void;
}

export class Session {
  private exchange: Exchange | undefined;
  private broken: SluiceError | undefined;
  private lastError: ErrorFields | undefined;
  private socketError: Error | undefined;
  private closing = false;
  private paused = false;

  constructor(
    private readonly wire: Wire,
    /** `host:port, database d, user u`, for messages. */
    private readonly peer: string,
    /** Asks the server, over another connection, to stop what this one does. */
    private readonly cancelRequest: () => void,
    /** The server's version as server_version_num has it: 150004. */
    readonly version: number,
    /** The server process that the login named; a pooler between us and the server names none of the server's. */
    readonly process: number,
  ) {
    wire.onBytes = () => this.parse();
    wire.socket.on('error', (error) => {
      this.socketError = error;
    });
    wire.socket.once('close', () => this.lost());
  }

  /** Holds the server back: what it sends waits in the socket. */
  readonly flow: Flow = { pause: () => this.pause(), resume: () => this.resume() };

  /** Whether a statement can be sent. */
  get usable(): boolean {
    return this.broken === undefined && !this.closing;
  }

  /** Calls back once the connection is gone, however it went. */
  whenClosed(callback: () => void): void {
    this.wire.socket.once('close', callback);
  }

  /**
   * Runs one or more statements and returns the last one's result; with `values` ($1, …, as text) exactly one.
   * Rejects with the server's error as a coded one; `doing` says in it what was under way.
   */
  async query(sql: string, values?: readonly (string | null)[], doing?: string): Promise<Result> {
    const reply = new Reply();
    await this.request(
      reply,
      values === undefined ? queryMessage(sql) : parameterMessages(sql, values),
      doing,
    );
    return reply.result();
  }

  /** Sends messages that end with a Sync and hands everything that the server answers to `reply`. */
  run(messages: Buffer, reply: Reply, doing?: string): Promise<void> {
    return this.request(reply, messages, doing);
  }

  /** Runs several statements in one go and returns the result of each. */
  async script(sql: string, doing?: string): Promise<readonly Result[]> {
    const reply = new Reply();
    await this.request(reply, queryMessage(sql), doing);
    return reply.results;
  }

  /** The rows of {@link query}. */
  async rows(sql: string, values?: readonly (string | null)[], doing?: string): Promise<(string | null)[][]> {
    return (await this.query(sql, values, doing)).rows;
  }

  /** Statements that end with COMMIT. A failed transaction answers COMMIT with ROLLBACK instead of an error. */
  async commit(statements = '', doing?: string): Promise<void> {
    const { tag } = await this.query(`${statements}${statements && '; '}COMMIT`, undefined, doing);
    if (tag !== 'COMMIT')
      throw pgErrors.protocol(`the transaction ended with ${tag || 'no answer'} instead of COMMIT`);
  }

  /** Ends a transaction without its changes, if the connection is still there. */
  async rollback(): Promise<void> {
    if (this.usable) await this.query('ROLLBACK').catch(() => {});
  }

  /** Begins a `COPY … TO STDOUT (FORMAT binary)`. The session is free again when `next()` returned undefined. */
  async copyOut(sql: string, bounds: ChunkBounds, doing?: string): Promise<CopyOut> {
    const copy = new CopyOut(bounds, this.flow);
    await this.copy(sql, copy, bounds.bytes, doing);
    return copy;
  }

  /**
   * Begins a copy in which the server sends, and in replication both sides do; resolves when it has begun. `copy`
   * takes what comes, in memory of `bytes`.
   */
  async copy(sql: string, copy: CopyData, bytes: number, doing?: string): Promise<void> {
    this.wire.rx.resize(bytes + LEAST_SPACE);
    await new Promise<void>((resolve, reject) => {
      const finished = (error?: SluiceError) => {
        copy.finish(error);
        if (error) reject(error);
        else resolve();
      };
      const exchange: Exchange = { reply: new Reply(), doing, reads: true, finished };
      exchange.started = () => {
        exchange.copy = copy;
        resolve();
      };
      this.begin(exchange, queryMessage(sql));
    });
  }

  /** Begins a `COPY … FROM STDIN (FORMAT binary)`. */
  async copyIn(sql: string, doing?: string): Promise<CopyIn> {
    const reply = new Reply();
    let copy: CopyIn | undefined;
    await new Promise<void>((resolve, reject) => {
      const done = new Promise<number>((taken, failed) => {
        const finished = (error?: SluiceError) => {
          if (error) {
            failed(error);
            reject(error);
          } else {
            taken(reply.result().count);
            resolve();
          }
        };
        this.begin({ reply, doing, started: resolve, finished }, queryMessage(sql));
      });
      copy = new CopyIn(this, done);
    });
    return copy!;
  }

  /** Sends bytes without waiting. */
  send(bytes: Uint8Array): void {
    if (this.broken === undefined) this.wire.socket.write(bytes);
  }

  /**
   * Sends bytes of a COPY and waits until the socket takes more; calls `sent` when the kernel has taken them.
   * Rejects when the server has refused the COPY.
   */
  async sendAll(bytes: Uint8Array, sent?: () => void): Promise<void> {
    this.check();
    const { socket } = this.wire;
    const writable = socket.write(bytes, sent);
    if (!writable) await new Promise<void>((resolve) => this.onceWritable(resolve));
    this.check();
  }

  /** Ends the connection; what is under way is cancelled at the server. Never rejects. */
  async close(): Promise<void> {
    const { socket } = this.wire;
    if (this.closing || socket.destroyed) return;
    this.closing = true;
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
    });
    if (this.exchange !== undefined) {
      this.cancelRequest();
      socket.destroy();
    } else {
      socket.end(TERMINATE);
      const late = setTimeout(() => socket.destroy(), 1000);
      socket.resume();
      await closed;
      clearTimeout(late);
    }
    await closed;
  }

  private check(): void {
    const error = this.exchange?.error;
    if (error !== undefined) throw serverError(error, this.exchange!.doing);
    if (this.broken !== undefined) throw this.broken;
    // The server ends a COPY early only with an error, which the exchange then has delivered.
    if (this.exchange === undefined && this.lastError !== undefined) throw serverError(this.lastError);
  }

  private onceWritable(resolve: () => void): void {
    const { socket } = this.wire;
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  }

  private request(reply: Reply, message: Buffer, doing?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const finished = (error?: SluiceError) => (error ? reject(error) : resolve());
      this.begin({ reply, doing, finished }, message);
    });
  }

  private begin(exchange: Exchange, message: Buffer): void {
    if (this.broken !== undefined || this.closing) {
      exchange.finished(this.broken ?? pgErrors.connectionLost(`the connection to ${this.peer} is closed`));
      return;
    }
    if (this.exchange !== undefined) throw new TypeError('a session does one thing at a time');
    this.lastError = undefined;
    this.exchange = exchange;
    this.wire.socket.write(message);
  }

  private parse(): void {
    const { rx } = this.wire;
    try {
      for (;;) {
        if (this.exchange?.copy?.take(rx)) return;
        const available = rx.tail - rx.head;
        if (available < 5) return;
        const { bytes, head } = rx;
        const length = bytes.readInt32BE(head + 1) + 1;
        if (available < length) {
          rx.want(length);
          return;
        }
        rx.head += length;
        this.message(bytes[head]!, bytes.subarray(head + 5, head + length));
      }
    } catch (error) {
      this.broken = error as SluiceError;
      this.wire.socket.destroy();
    }
  }

  private message(type: number, body: Buffer): void {
    const { exchange } = this;
    switch (type) {
      case NOTICE:
      case PARAMETER_STATUS:
      case NOTIFICATION:
        return;
      case ERROR:
        this.failed(errorFields(body));
        return;
      case READY:
        this.exchange = undefined;
        exchange?.finished(exchange.error && serverError(exchange.error, exchange.doing, exchange.reads));
        return;
      case COPY_IN_RESPONSE:
      case COPY_OUT_RESPONSE:
      case COPY_BOTH_RESPONSE:
        exchange?.started?.();
        return;
      case COPY_DONE:
        if (exchange !== undefined) delete exchange.copy;
        return;
      default:
        exchange?.reply.message(type, body);
    }
  }

  private failed(fields: ErrorFields): void {
    const { exchange } = this;
    this.lastError = fields;
    if (exchange !== undefined) exchange.error ??= fields;
    // The server ends the session, whatever it is doing.
    const severity = fields['V'] ?? fields['S'];
    if (severity === 'FATAL' || severity === 'PANIC') this.broken ??= serverError(fields, exchange?.doing);
  }

  private lost(): void {
    const { exchange, lastError } = this;
    this.exchange = undefined;
    if (this.broken === undefined) {
      const doing = exchange?.doing ? `${exchange.doing}: ` : '';
      const cause = this.socketError;
      const why = cause === undefined ? '' : ` (${cause.message})`;
      this.broken = lastError
        ? serverError(lastError, exchange?.doing)
        : pgErrors.connectionLost(`${doing}the connection to ${this.peer} was lost${why}`, { cause });
    }
    exchange?.finished(this.broken);
  }

  private pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.wire.pause();
  }

  private resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.wire.resume();
  }
}

/**
 * Reads pieces of the log and gathers the changes of each table; nothing is decoded here but where rows are. Batches
 * of different tables change places within a transaction, those of one never do.
 */
import { type Batch, type Clear, OPS, type SchemaChange } from '@sluice/sdk';
import { streamName } from '../quote.js';
import { changeBatch } from './change-batch.js';
import { differs, NO_TUPLE, tupleEnd } from './change-index.js';
import { ChangeRows } from './change-rows.js';
import {
  BEGIN,
  COMMIT,
  DELETE,
  EPOCH_MS,
  INSERT,
  KEEPALIVE,
  KIND,
  LOG_END,
  MESSAGE,
  RELATION,
  TRUNCATE,
  timeAt,
  UPDATE,
} from './log-messages.js';
import { type LoggedRelation, loggedRelation } from './logged-relation.js';
import type { LoggedTypes } from './logged-types.js';
import type { Lsn } from './lsn.js';
import type { ServerCasts } from './server-cast.js';
import { changedStream, type StreamNow, StreamShape } from './stream-shape.js';
import { type LoggedTransaction, TransactionList } from './transaction-list.js';
import type { WholeRows } from './whole-rows.js';

const OP_INSERT = OPS.indexOf('insert');
const OP_UPDATE = OPS.indexOf('update');
const OP_DELETE = OPS.indexOf('delete');
const OP_MOVE = OPS.indexOf('move');

/** `N`: the tuple of a row as it is now; before it there may be one of the old row. */
const NEW = 0x4e;

/** All transactions whose commit ends at or before `lsn` have been handed on whole, and nothing of others. */
export interface Reached {
  readonly kind: 'reached';
  readonly lsn: Lsn;
  /** When the last of them was committed, in epoch milliseconds; undefined where none came since the last place. */
  readonly committedAt: number | undefined;
}

export type LogEvent = Batch | Clear | SchemaChange | Reached;

export interface LogScene {
  /** Streams by the numbers of their tables, and by name where a table has another number than now. */
  find(table: { readonly oid: number; readonly name: string }): string | undefined;
  readonly streams: Map<string, StreamNow>;
  /** The end of the log when the streams were looked at: before it, tables may have been otherwise. */
  readonly seenAt: Lsn;
  /** Places at which a batch must end. */
  readonly cuts: ReadonlySet<Lsn>;
  /** Transactions that are committed behind it are not wanted. */
  readonly until: Lsn | undefined;
  readonly batchRows: number;
  readonly types: LoggedTypes;
  readonly casts: ServerCasts;
  readonly whole: WholeRows;
}

export class LogDecoder {
  private readonly shapes = new Map<number, StreamShape | undefined>();
  private readonly gathering = new Map<StreamShape, ChangeRows>();
  private bytes: Buffer = Buffer.alloc(0);
  private inTransaction = false;
  /** Rows since the last place that was handed on. */
  private unplaced = 0;
  /** The open transaction, and how many places of it are taken: two by every change, since one that moves needs them. */
  private transaction: LoggedTransaction = { commit: 0n, committedAt: 0, id: 0 };
  private ordinal = 0;
  private committedAt: number | undefined;

  constructor(private readonly scene: LogScene) {}

  /** What a piece of the log says; ends with {@link Reached} where no transaction is open behind it. */
  async *events(bytes: Buffer): AsyncGenerator<LogEvent> {
    const { scene, shapes } = this;
    const { until } = scene;
    this.bytes = bytes;
    let reached: Lsn | undefined;
    let at = 0;
    while (at < bytes.length) {
      const frame = at;
      const length = bytes.readInt32BE(frame + 1) + 1;
      at += length;
      if (bytes[frame + KIND] === KEEPALIVE) {
        if (!this.inTransaction) reached = bytes.readBigUInt64BE(frame + LOG_END);
        continue;
      }
      const message = frame + MESSAGE;
      switch (bytes[message]) {
        case INSERT:
        case UPDATE:
        case DELETE: {
          this.ordinal += 2;
          const shape = shapes.get(bytes.readUInt32BE(message + 1));
          if (shape === undefined) break;
          const rows = this.rowsOf(shape);
          this.change(shape, rows, message, length);
          rows.origins.add(this.transaction, this.ordinal);
          this.unplaced++;
          if (rows.rows >= scene.batchRows) yield* this.flush(shape);
          break;
        }
        case BEGIN:
          this.inTransaction = true;
          this.begin(message);
          if (until === undefined || this.transaction.commit < until) break;
          yield* this.flushAll();
          yield this.reached(until);
          return;
        case COMMIT:
          this.inTransaction = false;
          // Flags (1 byte), the commit's place (8), where it ends (8), and when it was.
          reached = bytes.readBigUInt64BE(message + 10);
          this.committedAt = EPOCH_MS + timeAt(bytes, message + 18) / 1000;
          if (this.unplaced < scene.batchRows && !scene.cuts.has(reached)) break;
          yield* this.flushAll();
          this.unplaced = 0;
          yield this.reached(reached);
          break;
        case RELATION:
          yield* this.relation(loggedRelation(bytes, message));
          break;
        case TRUNCATE:
          this.ordinal += 2;
          yield* this.truncate(message);
      }
    }
    yield* this.flushAll();
    if (reached === undefined || this.inTransaction) return;
    this.unplaced = 0;
    yield this.reached(reached);
  }

  private begin(message: number): void {
    const { bytes } = this;
    // The commit's place (8 bytes), when it was (8), and the transaction's number (4).
    const commit = bytes.readBigUInt64BE(message + 1);
    this.transaction = {
      commit,
      committedAt: timeAt(bytes, message + 9),
      id: bytes.readUInt32BE(message + 17),
    };
    this.ordinal = 0;
  }

  private reached(lsn: Lsn): Reached {
    const { committedAt } = this;
    this.committedAt = undefined;
    return { kind: 'reached', lsn, committedAt };
  }

  private rowsOf(shape: StreamShape): ChangeRows {
    let rows = this.gathering.get(shape);
    if (rows === undefined) {
      rows = new ChangeRows(this.bytes, shape.identity);
      this.gathering.set(shape, rows);
    }
    return rows;
  }

  private change(shape: StreamShape, rows: ChangeRows, message: number, length: number): void {
    const { bytes } = this;
    // Table (4 bytes), the kind of the first tuple, the tuple.
    const first = message + 6;
    if (bytes[message] === INSERT) {
      rows.add(OP_INSERT, first, NO_TUPLE, length);
    } else if (bytes[message] === DELETE) {
      rows.add(OP_DELETE, first, first, length);
    } else if (bytes[first - 1] === NEW) {
      rows.add(OP_UPDATE, first, NO_TUPLE, length);
    } else {
      const now = tupleEnd(bytes, first) + 1;
      rows.add(differs(bytes, first, now, shape.key) ? OP_MOVE : OP_UPDATE, now, first, length);
    }
  }

  private async *relation(relation: LoggedRelation): AsyncGenerator<LogEvent> {
    const { scene, shapes } = this;
    const before = shapes.get(relation.oid);
    if (before !== undefined) yield* this.flush(before);
    const stream = scene.find({ oid: relation.oid, name: streamName(relation) });
    if (stream === undefined) {
      shapes.set(relation.oid, undefined);
      return;
    }
    let now = scene.streams.get(stream)!;
    const types = await scene.types.of(relation);
    // What was logged before the streams were looked at is past: its rows are read as what the table is now.
    const changed = this.transaction.commit < scene.seenAt ? undefined : changedStream(now, relation, types);
    if (changed !== undefined) {
      now = changed;
      scene.streams.set(stream, now);
      yield { kind: 'schema', schema: now.schema };
    }
    shapes.set(relation.oid, new StreamShape(relation, types, now));
  }

  private async *truncate(message: number): AsyncGenerator<LogEvent> {
    const { bytes, shapes } = this;
    const tables = bytes.readInt32BE(message + 1);
    for (let i = 0; i < tables; i++) {
      const shape = shapes.get(bytes.readUInt32BE(message + 6 + 4 * i));
      if (shape === undefined) continue;
      yield* this.flush(shape);
      const origins = new TransactionList();
      origins.add(this.transaction, this.ordinal);
      yield { kind: 'clear', stream: shape.stream.schema.stream, origins };
    }
  }

  private async *flushAll(): AsyncGenerator<Batch> {
    for (const shape of [...this.gathering.keys()]) yield* this.flush(shape);
  }

  private async *flush(shape: StreamShape): AsyncGenerator<Batch> {
    const rows = this.gathering.get(shape);
    if (rows === undefined) return;
    this.gathering.delete(shape);
    const { whole, casts } = this.scene;
    const alone = shape.isPast || !shape.stream.copied;
    yield await whole.complete(await changeBatch(shape, rows, casts), alone);
  }
}

/**
 * Messages of streaming replication, each inside a CopyData message, and where their parts are.
 * https://www.postgresql.org/docs/current/protocol-replication.html and
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html.
 */
import type { Lsn } from './lsn.js';

export const COPY_DATA = 0x64;
/** `w`: a part of the log. */
export const LOG_DATA = 0x77;
/** `k`: how far the server is, while it has nothing to send. */
export const KEEPALIVE = 0x6b;

/** Offsets from the CopyData header's first byte, which message type and length (5 bytes) precede. */
export const KIND = 5;
/** Of log data: places of start and end (8 bytes each), the time of sending (8), and what the decoder wrote. */
export const SENT_AT = 22;
export const MESSAGE = 30;
/** Of a keepalive: the end of the log (8), the time (8), whether an answer is wanted at once (1). */
export const LOG_END = 6;
export const WANTS_REPLY = 22;

/** Types of what pgoutput writes. */
export const BEGIN = 0x42;
export const COMMIT = 0x43;
export const RELATION = 0x52;
export const INSERT = 0x49;
export const UPDATE = 0x55;
export const DELETE = 0x44;
export const TRUNCATE = 0x54;

/** CopyDone: the client reads no more. */
export const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

/** Milliseconds from 1970-01-01 to 2000-01-01, from which the server counts microseconds. */
export const EPOCH_MS = 946_684_800_000;

/** Standby status update: everything before `lsn` may be forgotten. */
export function statusMessage(lsn: Lsn, wantsReply = false): Buffer {
  const bytes = Buffer.alloc(39);
  bytes[0] = COPY_DATA;
  bytes.writeInt32BE(38, 1);
  bytes[5] = 0x72;
  for (const at of [6, 14, 22]) bytes.writeBigUInt64BE(lsn, at);
  bytes.writeBigInt64BE(BigInt(Date.now() - EPOCH_MS) * 1000n, 30);
  bytes[38] = wantsReply ? 1 : 0;
  return bytes;
}

/** A 64-bit number whose exact value does not matter beyond 2^53: a time. */
export function timeAt(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 4_294_967_296 + bytes.readUInt32BE(at + 4);
}

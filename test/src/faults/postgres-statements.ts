import type { RequestFinder } from './fault-proxy.js';

const QUERY = 0x51;
const PARSE = 0x50;
/** Instead of a protocol version: SSLRequest, GSSENCRequest. The real start follows. */
const ENCRYPTION_REQUESTS = [80877103, 80877104];

/**
 * Finds statements in what a Postgres client sends: Query and Parse messages whose SQL matches the pattern. The
 * connection must not be encrypted.
 *
 * Messages: https://www.postgresql.org/docs/current/protocol-message-formats.html.
 */
export function postgresStatements(pattern: RegExp): RequestFinder {
  return () => {
    let started = false;
    let rest: Buffer = Buffer.alloc(0);
    /** Bytes to come of a message that is no statement. */
    let skip = 0;
    return (bytes) => {
      const earlier = rest.byteLength;
      const skipped = Math.min(skip, bytes.byteLength);
      skip -= skipped;
      const all = Buffer.concat([rest, bytes.subarray(skipped)]);
      let at = 0;
      let found = -1;
      while (found < 0) {
        const header = started ? 5 : 8;
        if (all.byteLength < at + header) break;
        const length = started ? all.readUInt32BE(at + 1) + 1 : all.readUInt32BE(at);
        const end = at + length;
        if (!started) {
          started = !ENCRYPTION_REQUESTS.includes(all.readUInt32BE(at + 4));
        } else if (all[at] === QUERY || all[at] === PARSE) {
          if (all.byteLength < end) break;
          // A Query is its SQL; a Parse begins with the statement's name. Each text ends with a zero byte.
          const texts = all.toString('utf8', at + 5, end).split('\0');
          if (pattern.test(texts[all[at] === QUERY ? 0 : 1]!)) found = at;
        }
        at = end;
      }
      rest = Buffer.from(all.subarray(Math.min(at, all.byteLength)));
      skip += Math.max(0, at - all.byteLength);
      return found < 0 ? -1 : Math.max(0, found - earlier + skipped);
    };
  };
}

/** Statements that end with COMMIT. */
export const postgresCommits: RequestFinder = postgresStatements(/(^|;)\s*COMMIT\s*;?\s*$/i);

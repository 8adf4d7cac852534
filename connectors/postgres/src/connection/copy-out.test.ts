/** COPY out of a scripted server: whatever way its bytes are cut, the same rows come. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Session } from './session.js';
import { PlainSocket } from './socket.js';

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** One field of these bytes. */
function row(bytes: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head.writeInt16BE(1, 0);
  head.writeInt32BE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
}

const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);
const NOTICE = message('N', Buffer.from('SNOTICE\0C00000\0Mhear, hear\0\0'));
const READY = message('Z', Buffer.from('I'));
const FAILURE = message('E', Buffer.from('SERROR\0VERROR\0C22012\0Mdivision by zero\0\0'));

/** What a server answers to COPY; notices come between rows. */
function answer(
  rows: readonly Buffer[],
  noticesBefore: ReadonlySet<number>,
  end: 'complete' | 'error',
): Buffer {
  const copied = rows.map((bytes, i) => {
    const data = message('d', i === 0 ? Buffer.concat([HEADER, row(bytes)]) : row(bytes));
    return noticesBefore.has(i) ? Buffer.concat([NOTICE, data]) : data;
  });
  const trailer = message('d', rows.length === 0 ? Buffer.concat([HEADER, TRAILER]) : TRAILER);
  const complete = [
    trailer,
    message('c', Buffer.alloc(0)),
    message('C', Buffer.from(`COPY ${rows.length}\0`)),
  ];
  return Buffer.concat([
    message('H', Buffer.from([1, 0, 1, 0, 1])),
    ...copied,
    ...(end === 'complete' ? complete : [FAILURE]),
    READY,
  ]);
}

describe('rows of a COPY', () => {
  let server: Server;
  let pieces: Buffer[];
  /** Whether the server ends the connection behind them. */
  let hangsUp: boolean;

  beforeEach(async () => {
    hangsUp = false;
    server = createServer((socket) => {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('data', async () => {
        for (const piece of pieces) {
          socket.write(piece);
          await new Promise((resolve) => setImmediate(resolve));
        }
        if (hangsUp) socket.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
  });

  async function open(): Promise<Session> {
    const plain = new PlainSocket();
    plain.socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(plain.socket, 'connect');
    return new Session(plain.taken(), 'test', () => {}, 150000, 0);
  }

  /** The values that come, and the number of rows that each chunk claims. */
  async function read(bounds: {
    rows: number;
    bytes: number;
  }): Promise<{ values: Buffer[]; counts: number[]; error?: unknown }> {
    const session = await open();
    const values: Buffer[] = [];
    const counts: number[] = [];
    try {
      const copy = await session.copyOut('COPY t TO STDOUT (FORMAT binary)', bounds);
      for (let chunk = await copy.next(); chunk !== undefined; chunk = await copy.next()) {
        counts.push(chunk.rows);
        for (let at = 0; at < chunk.bytes.length; ) {
          const length = chunk.bytes.readInt32BE(at + 1);
          expect(chunk.bytes[at]).toBe(0x64);
          values.push(Buffer.from(chunk.bytes.subarray(at + 11, at + 1 + length)));
          at += 1 + length;
        }
      }
      return { values, counts };
    } catch (error) {
      return { values, counts, error };
    } finally {
      await session.close();
    }
  }

  const value = fc.oneof(
    { weight: 20, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 20_000, max: 200_000 }).map((size) => new Uint8Array(size).fill(7)),
    },
  );
  const stream = fc.record({
    rows: fc.array(value, { maxLength: 60 }).map((values) => values.map((bytes) => Buffer.from(bytes))),
    notices: fc.uniqueArray(fc.nat(60), { maxLength: 4 }),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
    bounds: fc.record({
      rows: fc.integer({ min: 1, max: 20 }),
      bytes: fc.constantFrom(1, 1000, 65_536, 262_144),
    }),
  });

  function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
    const places = [...new Set(cuts.map((part) => Math.floor(part * bytes.length)))].sort((a, b) => a - b);
    return [...places, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : places[i - 1]!, end));
  }

  it('come once and in order, in chunks within the bounds', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async ({ rows, notices, cuts, bounds }) => {
        pieces = cut(answer(rows, new Set(notices), 'complete'), cuts);
        const found = await read(bounds);
        expect(found.error).toBeUndefined();
        expect(found.values.map((bytes) => bytes.toString('hex'))).toEqual(
          rows.map((bytes) => bytes.toString('hex')),
        );
        expect(found.counts.reduce((sum, count) => sum + count, 0)).toBe(rows.length);
        expect(Math.max(0, ...found.counts)).toBeLessThanOrEqual(bounds.rows);
      }),
      { numRuns: 150 },
    );
  });

  it('come up to an error, which then is told', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async ({ rows, notices, cuts, bounds }) => {
        pieces = cut(answer(rows, new Set(notices), 'error'), cuts);
        const found = await read(bounds);
        expect(found.error).toMatchObject({ code: 'SLUICE-PG-0055', details: { sqlstate: '22012' } });
        expect(found.values.length).toBeLessThanOrEqual(rows.length);
      }),
      { numRuns: 50 },
    );
  });

  it('are refused in another format than the binary one', async () => {
    pieces = [
      message('H', Buffer.from([0, 0, 1, 0, 0])),
      message('d', Buffer.from('1\ta line of text, longer than a header\n')),
    ];
    expect((await read({ rows: 10, bytes: 1000 })).error).toMatchObject({
      code: 'SLUICE-PG-0039',
      class: 'internal',
    });
  });

  it('a connection that ends in the middle of a row is lost', async () => {
    const whole = answer([Buffer.alloc(100), Buffer.alloc(100)], new Set(), 'complete');
    pieces = [whole.subarray(0, 200)];
    hangsUp = true;
    const { error, values } = await read({ rows: 10, bytes: 1000 });
    expect(error).toMatchObject({ code: 'SLUICE-PG-0010', class: 'transient' });
    expect(values.length).toBeLessThan(2);
  });
});

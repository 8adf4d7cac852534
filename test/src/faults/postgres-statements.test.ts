import { describe, expect, it } from 'vitest';
import { describeWithServer } from '../servers/describe-with-server.js';
import { psql } from '../servers/psql.js';
import { FaultProxy } from './fault-proxy.js';
import { postgresCommits, postgresStatements } from './postgres-statements.js';

function message(type: string, ...texts: string[]): Buffer {
  const body = Buffer.from(texts.map((text) => `${text}\0`).join(''));
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(body.byteLength + 4, 1);
  return Buffer.concat([head, body]);
}

const encryption = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const start = Buffer.concat([Buffer.from([0, 0, 0, 17, 0, 3, 0, 0]), Buffer.from('user\0me\0\0')]);

/** Where the finder sees the request, in all bytes together, when they come in pieces of a size. */
function placeIn(bytes: Buffer, size: number, pattern?: RegExp): number {
  const find = (pattern === undefined ? postgresCommits : postgresStatements(pattern))();
  for (let from = 0; from < bytes.byteLength; from += size) {
    const at = find(bytes.subarray(from, from + size));
    if (at >= 0) return from + at;
  }
  return -1;
}

describe('statements in what a Postgres client sends', () => {
  const before = Buffer.concat([encryption, start, message('Q', 'BEGIN'), message('d', 'COMMIT'.repeat(40))]);
  const commit = message('Q', 'UPDATE t SET a = 1; COMMIT');
  const all = Buffer.concat([before, commit, message('X')]);

  it('are found wherever a piece ends', () => {
    for (let size = 1; size <= all.byteLength; size++) {
      const at = placeIn(all, size);
      expect(at, `pieces of ${size} bytes`).toBeGreaterThanOrEqual(before.byteLength);
      expect(at).toBeLessThan(before.byteLength + commit.byteLength);
    }
    expect(placeIn(all, all.byteLength)).toBe(before.byteLength);
  });

  it('are requests, not data, and end with COMMIT', () => {
    for (const other of [
      message('d', 'COMMIT'),
      message('Q', 'SELECT $$COMMIT$$, 1'),
      message('Q', 'ROLLBACK'),
    ])
      expect(placeIn(Buffer.concat([before, other]), 7)).toBe(-1);
  });

  it('may be prepared', () => {
    const prepared = message('P', 'name', 'COMMIT', '');
    expect(placeIn(Buffer.concat([before, prepared]), 10_000)).toBe(before.byteLength);
    expect(placeIn(Buffer.concat([before, message('P', 'COMMIT', 'SELECT 1')]), 10_000)).toBe(-1);
  });

  it('may be others', () => {
    expect(placeIn(all, 10_000, /^BEGIN/)).toBe(encryption.byteLength + start.byteLength);
  });
});

describeWithServer('postgres-15', (server) => {
  const setUp = async () => {
    const url = await server().createDatabase();
    await psql(url, 'CREATE TABLE t (a integer)');
    const proxy = await FaultProxy.start(url, postgresCommits);
    const insert = psql(proxy.through(url), 'BEGIN; INSERT INTO t VALUES (1); COMMIT').catch(
      (error) => error,
    );
    return { url, proxy, insert, count: () => psql(url, 'SELECT count(*) FROM t') };
  };

  it('a commit whose reply is lost has happened, and psql does not know', async () => {
    const { url, proxy, count } = await setUp();
    await expect.poll(count).toBe('1');
    const lost = proxy.loseReply();
    await expect(psql(proxy.through(url), 'BEGIN; INSERT INTO t VALUES (2); COMMIT')).rejects.toThrow();
    await lost;
    expect(await count()).toBe('2');
    await proxy.stop();
  });

  it('a commit that is held is not there until it lands', async () => {
    const { url, proxy, count } = await setUp();
    await expect.poll(count).toBe('1');
    const holding = proxy.holdRequest();
    const commit = psql(proxy.through(url), 'BEGIN; INSERT INTO t VALUES (2); COMMIT').catch(
      (error) => error,
    );
    const held = await holding;
    expect(await count()).toBe('1');
    held.cutClient();
    expect(await commit).toBeInstanceOf(Error);
    expect(await count()).toBe('1');
    await held.deliver();
    expect(await count()).toBe('2');
    await proxy.stop();
  });
});

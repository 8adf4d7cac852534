import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { Context } from './context.js';
import { silentLogger } from './context.js';
import { defineSource } from './define-source.js';
import type { Json } from './json.js';
import type { Message } from './message.js';
import type { ReadMode } from './modes.js';
import { secret } from './secret.js';
import type { Source, Split, StreamRead } from './source.js';
import { type RowOf, t } from './typed-columns.js';
import { Special } from './values.js';

/** A source of a paged API, as an author writes it. */
const shop = defineSource({
  name: 'shop',
  title: 'An example shop',
  config: z.object({ url: z.url(), token: secret() }),
  incremental: true,
  streams: {
    orders: {
      columns: { id: t.int64, total: t.decimal(12, 2), note: t.string.nullable },
      key: ['id'],
      async *read({ config, position, signal }) {
        for (let page = Number(position ?? 0); ; page++) {
          const headers = { authorization: `Bearer ${config.token}` };
          const response = await fetch(`${config.url}/orders?page=${page}`, { headers, signal });
          const { orders, more } = (await response.json()) as {
            orders: { id: number; total: string }[];
            more: boolean;
          };
          yield { rows: orders.map(({ id, total }) => ({ id: BigInt(id), total })), next: page + 1 };
          if (!more) return;
        }
      },
    },
    tags: {
      columns: { tag: t.string },
      async *read() {
        yield { rows: [{ tag: 'a' }] };
        yield { rows: [] };
      },
    },
  },
});

const requests: string[] = [];
let server: Server;
let source: Source;
let config: { url: string; token: string };

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers.authorization}`);
    const page = Number(new URL(request.url!, 'http://x').searchParams.get('page'));
    if (page === 7) return;
    response.end(JSON.stringify({ orders: [{ id: page, total: `${page}.50` }], more: page < 2 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  config = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'hidden' };
  source = shop.source!.create(config);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const c: Context = { signal: new AbortController().signal, log: silentLogger, cwd: '.', memory: 1 << 20 };

async function planned(stream: string, mode: ReadMode, known: readonly Split[] = []) {
  const catalog = await source.discover([stream], c);
  const read: StreamRead = {
    stream,
    mode,
    schema: catalog.streams[0]!.schema,
    generation: 1,
    resumable: true,
    options: {},
  };
  const splits: Split[] = [];
  for await (const split of source.splits([read], known, c)) splits.push(split);
  return { read, splits };
}

async function opened(stream: string, mode: ReadMode, at?: Json) {
  const { read, splits } = await planned(stream, mode);
  const split = splits[0]!;
  return source.open(
    { split, at: at ?? split.start, cuts: [], reads: [read], batchRows: 1000, batchBytes: 1 << 20 },
    c,
  );
}

async function readAll(stream: string, mode: ReadMode, at?: Json): Promise<Message[]> {
  const reader = await opened(stream, mode, at);
  const messages: Message[] = [];
  for await (const message of reader) messages.push(message);
  await reader.close();
  return messages;
}

const shown = (messages: readonly Message[]) => messages.map((m) => (m.kind === 'batch' ? m.rows() : m));

describe('a defined source', () => {
  it('offers its streams, with types and keys, by pattern', async () => {
    expect(source.capabilities).toEqual({
      replay: true,
      modes: ['full', 'incremental'],
      incremental: 'none',
      before: false,
    });
    const { streams } = await source.discover(undefined, c);
    expect(streams.map(({ schema }) => [schema.stream, schema.key])).toEqual([
      ['orders', ['id']],
      ['tags', []],
    ]);
    expect(streams[0]!.schema.fields.map((f) => [f.name, f.nullable])).toEqual([
      ['id', false],
      ['total', false],
      ['note', true],
    ]);
    expect((await source.discover(['t*'], c)).streams.map(({ schema }) => schema.stream)).toEqual(['tags']);
  });

  it('reads page by page, with a checkpoint behind each that can be resumed from', async () => {
    expect(shown(await readAll('orders', 'full'))).toEqual([
      [{ id: 0n, total: '0.50' }],
      { kind: 'checkpoint', position: 1 },
      [{ id: 1n, total: '1.50' }],
      { kind: 'checkpoint', position: 2 },
      [{ id: 2n, total: '2.50' }],
      { kind: 'checkpoint', position: 3 },
      { kind: 'checkpoint', position: 3, sealed: true },
    ]);
    expect(requests.at(-1)).toBe('/orders?page=2 Bearer hidden');
  });

  it('resumes behind the page that was safe', async () => {
    const messages = await readAll('orders', 'full', 2);
    expect(shown(messages)[0]).toEqual([{ id: 2n, total: '2.50' }]);
    expect(messages.length).toBe(3);
  });

  it('does not seal what a later run continues', async () => {
    const messages = await readAll('orders', 'incremental');
    expect(messages.filter((m) => m.kind === 'checkpoint').map((m) => [m.position, m.sealed])).toEqual([
      [1, undefined],
      [2, undefined],
      [3, undefined],
    ]);
  });

  it('seals a stream that has no places to resume from, once', async () => {
    expect(shown(await readAll('tags', 'full'))).toEqual([
      [{ tag: 'a' }],
      { kind: 'checkpoint', position: null, sealed: true },
    ]);
    const { splits } = await planned('tags', 'full');
    expect((await planned('tags', 'full', splits)).splits).toEqual([]);
  });

  it('ends a pending request when it is closed', async () => {
    const reader = await opened('orders', 'full', 7);
    const next = reader[Symbol.asyncIterator]().next();
    setTimeout(() => reader.close(), 20);
    await expect(next).rejects.toThrow(/abort/i);
  });

  it('is known by its configuration without secrets', async () => {
    const other = shop.source!.create({ ...config, token: 'rotated' });
    expect(await other.identity(c)).toBe(await source.identity(c));
    expect(await source.identity(c)).toMatch(/^shop:[0-9a-f]{16}$/);
    const elsewhere = shop.source!.create({ ...config, url: 'http://other' });
    expect(await elsewhere.identity(c)).not.toBe(await source.identity(c));
  });
});

describe('rows have the types of their columns', () => {
  const columns = {
    id: t.int64,
    name: t.string.nullable,
    at: t.timestampOffset,
    status: t.enum('open', 'paid'),
    tags: t.list(t.string),
  };
  type OrderRow = RowOf<typeof columns>;

  it('as the columns say', () => {
    expectTypeOf<OrderRow['id']>().toEqualTypeOf<bigint | Special>();
    expectTypeOf<OrderRow['status']>().toEqualTypeOf<'open' | 'paid' | Special>();
    const row: OrderRow = { id: 1n, at: { at: 0n, offset: 0 }, status: 'open', tags: ['a'] };
    expect(row.name).toBeUndefined();
  });

  it('and a wrong one does not compile', () => {
    const wrong = () => {
      const rest = { at: new Special('infinity'), status: 'open', tags: [] } as const;
      // @ts-expect-error an int64 is a bigint
      const id: OrderRow = { ...rest, tags: [], id: 1 };
      // @ts-expect-error id may not be left out
      const missing: OrderRow = { ...rest, tags: [] };
      // @ts-expect-error there is no such label
      const label: OrderRow = { ...rest, tags: [], id: 1n, status: 'closed' };
      // @ts-expect-error id is not nullable
      const nothing: OrderRow = { ...rest, tags: [], id: null };
      return [id, missing, label, nothing];
    };
    expect(wrong().length).toBe(4);
    defineSource({
      name: 'wrong',
      title: 'A source whose rows do not fit',
      config: z.object({}),
      streams: {
        people: {
          columns: { id: t.int64, name: t.string },
          // @ts-expect-error a column of the key must be one of the columns
          key: ['uid'],
          // @ts-expect-error name is a string
          async *read() {
            yield { rows: [{ id: 1n, name: 7 }] };
          },
        },
      },
    });
  });
});

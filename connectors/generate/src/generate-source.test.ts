/** What is read, from where, and how fast. */
import type { Row } from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import generate from './index.js';
import { allRows, c, rowsOf, sourceOf } from './testing/read-generated.js';

describe('rows depend on seed, stream and row number alone', () => {
  it('whatever the splits, batch sizes, starts and cuts are', async () => {
    const whole = await allRows({ rows: 500, seed: 7 });
    expect(whole).toHaveLength(500);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 99 }),
        fc.integer({ min: 0, max: 499 }),
        async (splitRows, batchRows, from) => {
          const { splits, messages } = await sourceOf({ rows: 500, seed: 7, splitRows });
          const rows: Row[] = [];
          for (const split of await splits()) {
            const start = Math.max(from, split.start as number);
            if (start >= (split.spec as { to: number }).to) continue;
            rows.push(
              ...rowsOf(await messages(split, { from: start, batchRows, cuts: [start + 3, start + 17] })),
            );
          }
          expect(rows).toEqual(whole.slice(from));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('and other seeds and streams give other rows', async () => {
    const first = await allRows({ rows: 5, seed: 1 });
    const second = await allRows({ rows: 5, seed: 2 });
    expect(first.map((row) => row['uid'])).not.toEqual(second.map((row) => row['uid']));
    const both = await allRows({ rows: 5, streams: { a: {}, b: {} } });
    expect(new Set(both.map((row) => row['uid'])).size).toBe(10);
  });

  it('beyond 32 bits of row numbers too', async () => {
    const far = 2 ** 32 - 2;
    const { splits, messages } = await sourceOf({ rows: far + 6, splitRows: far + 6 });
    const [split] = await splits();
    const rows = rowsOf(await messages(split!, { from: far }));
    expect(rows.map((row) => row['id'])).toEqual([0, 1, 2, 3, 4, 5].map((i) => BigInt(far + 1 + i)));
    expect(new Set(rows.map((row) => row['uid'])).size).toBe(6);
    const again = rowsOf(await messages(split!, { from: far + 3 }));
    expect(again).toEqual(rows.slice(3));
  });
});

describe('reading', () => {
  it('checkpoints the next row number, seals a split at its end, and ends batches at cuts', async () => {
    const { splits, messages } = await sourceOf({ rows: 10, splitRows: 6 });
    const planned = await splits();
    expect(planned.map(({ id, start, spec }) => ({ id, start, spec }))).toEqual([
      { id: 'rows:0', start: 0, spec: { to: 6 } },
      { id: 'rows:6', start: 6, spec: { to: 10 } },
    ]);
    const seen = await messages(planned[0]!, { cuts: [2] });
    expect(seen.map((m) => (m.kind === 'batch' ? m.rowCount : m))).toEqual([
      2,
      { kind: 'checkpoint', position: 2 },
      4,
      { kind: 'checkpoint', position: 6, sealed: true },
    ]);
    expect(await messages(planned[0]!, { from: 6 })).toEqual([
      { kind: 'checkpoint', position: 6, sealed: true },
    ]);
    expect(await splits('full', planned)).toEqual([]);
  });

  it('of no rows seals an empty split', async () => {
    const { splits, messages } = await sourceOf({ rows: 0 });
    const [split] = await splits();
    expect(await messages(split!)).toEqual([{ kind: 'checkpoint', position: 0, sealed: true }]);
  });

  it('incrementally goes on where the last run ended, up to a greater number of rows', async () => {
    const before = await sourceOf({ rows: 3 });
    const [poll] = await before.splits('incremental');
    expect(poll).toMatchObject({ id: 'rows', phase: 'poll', start: 0 });
    expect(await before.messages(poll!, { from: 3, mode: 'incremental' })).toEqual([]);
    const after = await sourceOf({ rows: 8 });
    const seen = await after.messages(poll!, { from: 3, mode: 'incremental' });
    expect(rowsOf(seen).map((row) => row['id'])).toEqual([4n, 5n, 6n, 7n, 8n]);
    expect(seen.at(-1)).toEqual({ kind: 'checkpoint', position: 8 });
    expect(await before.source.identity(c)).toBe(await after.source.identity(c));
  });

  it('keeps batches under the byte bound once the size of rows is known', async () => {
    const { source, streams } = await sourceOf({ rows: 20_000 });
    const { schema } = streams[0]!;
    const reads = [
      { stream: 'rows', mode: 'full' as const, schema, generation: 1, options: {}, resumable: true },
    ];
    const split = { id: 'rows:0', streams: ['rows'], phase: 'bulk' as const, start: 0, spec: { to: 20_000 } };
    const request = { split, at: 0, cuts: [], reads, batchRows: 65_536, batchBytes: 200_000 };
    const sizes: number[] = [];
    for await (const m of await source.open(request, c)) if (m.kind === 'batch') sizes.push(m.byteSize);
    expect(Math.max(...sizes)).toBeLessThan(220_000);
    expect(sizes.length).toBeLessThan(20);
  });

  it('at a rate takes the time that the rate gives, and ends at once when it is closed', async () => {
    const { splits, messages, source, streams } = await sourceOf({ rows: 100, rate: 400 });
    const [split] = await splits();
    const started = performance.now();
    expect(rowsOf(await messages(split!))).toHaveLength(100);
    expect(performance.now() - started).toBeGreaterThan(200);

    const slow = generate.source!.create(generate.config.parse({ rows: 100, rate: 0.01 }));
    const reads = [
      {
        stream: 'rows',
        mode: 'full' as const,
        schema: streams[0]!.schema,
        generation: 1,
        options: {},
        resumable: true,
      },
    ];
    const reader = await slow.open(
      { split: split!, at: 0, cuts: [], reads, batchRows: 10, batchBytes: 1 << 20 },
      c,
    );
    const ended = (async () => {
      for await (const message of reader)
        if (message.kind === 'checkpoint') setImmediate(() => void reader.close());
    })();
    await expect(ended).rejects.toThrow(/abort/i);
    await source.check(c);
  });

  it('refuses a split of a stream that the configuration no longer has', async () => {
    const { source, streams } = await sourceOf({});
    const reads = [
      {
        stream: 'gone',
        mode: 'full' as const,
        schema: streams[0]!.schema,
        generation: 1,
        options: {},
        resumable: true,
      },
    ];
    const split = { id: 'gone:0', streams: ['gone'], phase: 'bulk' as const, start: 0, spec: { to: 1 } };
    const opened = source.open({ split, at: 0, cuts: [], reads, batchRows: 10, batchBytes: 1000 }, c);
    await expect(opened).rejects.toMatchObject({ code: 'SLUICE-GENERATE-0001', class: 'contract' });
  });
});

describe('configuration', () => {
  it.each([
    [{ row: 5 }, /row/],
    [{ streams: { s: { columns: { a: { type: 'int', min: 5, max: 4 } } } } }, /min is above max/],
    [{ streams: { s: { columns: { a: { type: 'int', bits: 8, max: 300 } } } } }, /fit int8/],
    [{ streams: { s: { columns: { a: { type: 'decimal', precision: 3, max: '1000' } } } } }, /fit precision/],
    [
      { streams: { s: { columns: { a: { type: 'pick', values: ['a'], weights: [1, 2] } } } } },
      /as many weights/,
    ],
    [{ streams: { s: { columns: { a: { type: 'date', from: '2023-02-30' } } } } }, /2024-02-29/],
    [{ streams: { s: { columns: { a: { type: 'list', item: { type: 'sequence' } } } } } }, /type|input/i],
    [{ streams: { s: { columns: { a: { type: 'int' } }, key: ['b'] } } }, /no column b/],
    [{ streams: { s: { columns: { a: { type: 'int', nulls: 0.1 } }, key: ['a'] } } }, /may be null/],
    [{ streams: { s: { columns: {} } } }, /one column/],
  ])('refuses %j', (config, message) => {
    expect(JSON.stringify(generate.config.safeParse(config).error?.issues)).toMatch(message);
  });
});

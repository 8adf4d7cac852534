import {
  Batch,
  type Context,
  columnValues,
  getBit,
  isValid,
  type Layout,
  type Message,
  type Row,
  Special,
  type Split,
  silentLogger,
} from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import generate from './index.js';

const c: Context = { signal: new AbortController().signal, log: silentLogger, cwd: '/', memory: 1 << 28 };

interface ReadPart {
  readonly from?: number;
  readonly cuts?: number[];
  readonly batchRows?: number;
  readonly mode?: 'full' | 'incremental';
}

async function sourceOf(config: object) {
  const source = generate.source!.create(generate.config.parse(config));
  const { streams } = await source.discover(undefined, c);
  const reads = (mode: 'full' | 'incremental') =>
    streams.map(({ schema }) => ({
      stream: schema.stream,
      mode,
      schema,
      generation: 1,
      options: {},
      resumable: true,
    }));
  const splits = async (mode: 'full' | 'incremental' = 'full', known: Split[] = []) => {
    const all: Split[] = [];
    for await (const split of source.splits(reads(mode), known, c)) all.push(split);
    return all;
  };
  const messages = async (
    split: Split,
    { from, cuts = [], batchRows = 1000, mode = 'full' }: ReadPart = {},
  ) => {
    const request = { split, at: from ?? split.start, cuts, batchRows, batchBytes: 1 << 20 };
    const read = reads(mode).filter(({ stream }) => stream === split.streams[0]);
    const reader = await source.open({ ...request, reads: read }, c);
    const all: Message[] = [];
    for await (const message of reader) all.push(message);
    await reader.close();
    return all;
  };
  return { source, streams, splits, messages };
}

function rowsOf(messages: readonly Message[]): Row[] {
  return messages.flatMap((message) => (message.kind === 'batch' ? [...message.rows()] : []));
}

async function allRows(config: object): Promise<Row[]> {
  const { splits, messages } = await sourceOf(config);
  const rows: Row[] = [];
  for (const split of await splits()) rows.push(...rowsOf(await messages(split)));
  return rows;
}

function onlyColumn(spec: object, rows = 2000, seed = 1): Promise<Row[]> {
  return allRows({ rows, seed, streams: { s: { columns: { c: spec } } } });
}

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

describe('columns', () => {
  it('keep to their bounds', async () => {
    const ints = (await onlyColumn({ type: 'int', bits: 8, min: -3, max: 4 })).map(
      (row) => row['c'] as number,
    );
    expect(new Set(ints)).toEqual(new Set([-3, -2, -1, 0, 1, 2, 3, 4]));
    const wide = (await onlyColumn({ type: 'int', bits: 64 })).map((row) => row['c'] as bigint);
    expect(wide.some((v) => v < -(2n ** 62n)) && wide.some((v) => v > 2n ** 62n)).toBe(true);
    const unsigned = (await onlyColumn({ type: 'int', bits: 64, signed: false })).map(
      (row) => row['c'] as bigint,
    );
    expect(unsigned.every((v) => v >= 0n) && unsigned.some((v) => v >= 2n ** 63n)).toBe(true);
    const money = (
      await onlyColumn({ type: 'decimal', precision: 5, scale: 2, min: '-1.50', max: '1.50' })
    ).map((row) => row['c'] as string);
    expect(money.every((v) => /^-?\d\.\d\d$/.test(v) && Math.abs(Number(v)) <= 1.5)).toBe(true);
    expect(money.some((v) => v.startsWith('-'))).toBe(true);
    const big = (await onlyColumn({ type: 'decimal', precision: 38, scale: 3 })).map(
      (row) => row['c'] as string,
    );
    expect(big.some((v) => v.length > 37)).toBe(true);
    const days = (await onlyColumn({ type: 'date', from: '1969-12-31', to: '1970-01-02' })).map(
      (row) => row['c'],
    );
    expect(new Set(days)).toEqual(new Set([-1, 0, 1]));
  });

  it('choose by weight, share and length', async () => {
    const picks = await onlyColumn({ type: 'pick', values: ['a', 'ü', 'c'], weights: [8, 2, 0] }, 10_000);
    const count = (value: string) => picks.filter((row) => row['c'] === value).length;
    expect(count('c')).toBe(0);
    expect(count('a') / picks.length).toBeCloseTo(0.8, 1);
    expect(count('a') + count('ü')).toBe(picks.length);
    const texts = await onlyColumn({ type: 'text', min: 2, max: 4, alphabet: 'aß漢😀' });
    const lengths = texts.map((row) => [...(row['c'] as string)].length);
    expect(new Set(lengths)).toEqual(new Set([2, 3, 4]));
    expect(new Set(texts.flatMap((row) => [...(row['c'] as string)]))).toEqual(new Set('aß漢😀'));
    const bools = await onlyColumn({ type: 'bool', share: 0.25 }, 10_000);
    expect(bools.filter((row) => row['c']).length / bools.length).toBeCloseTo(0.25, 1);
    const uuids = await onlyColumn({ type: 'uuid' });
    expect(new Set(uuids.map((row) => row['c'])).size).toBe(uuids.length);
    expect(uuids[0]!['c']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('make documents that parse, whatever their members hold', async () => {
    const fields = {
      n: { type: 'int', min: -2_000_000_000 },
      quoted: { type: 'pick', values: ['"', '\\', '\n', 'é', ''] },
      exact: { type: 'decimal', precision: 30, scale: 2 },
      maybe: { type: 'bool', nulls: 0.5 },
      inner: { type: 'json', fields: {} },
      items: { type: 'list', item: { type: 'uuid' } },
      'a "name"': { type: 'words' },
    };
    const rows = await onlyColumn({ type: 'json', fields });
    for (const row of rows) {
      const document = JSON.parse(row['c'] as string);
      expect(Object.keys(document)).toEqual(Object.keys(fields));
      expect(Number.isInteger(document.n) && Array.isArray(document.items)).toBe(true);
      expect(fields.quoted.values).toContain(document.quoted);
    }
    expect(rows.some((row) => JSON.parse(row['c'] as string).n < 0)).toBe(true);
  });

  it('have nulls and special values in the share that is asked for, with empty buffers beneath', async () => {
    const columns = {
      a: { type: 'int', nulls: 0.3 },
      b: { type: 'words', nulls: 0.3 },
      c: { type: 'list', item: { type: 'text' }, min: 1, nulls: 0.3 },
      d: { type: 'struct', fields: { x: { type: 'uuid' }, y: { type: 'bool' } }, nulls: 0.3 },
      e: { type: 'union', variants: { x: { type: 'int' }, y: { type: 'text' } }, nulls: 0.3 },
      f: { type: 'timestamp', special: { share: 0.3, values: ['infinity', '-infinity'] } },
      g: { type: 'decimal', precision: 25, scale: 1, nulls: 0.3 },
      h: { type: 'timestamp', zone: 'offset', nulls: 0.3 },
    };
    const { splits, messages } = await sourceOf({ rows: 1000, streams: { s: { columns } } });
    const [batch] = await messages((await splits())[0]!);
    if (!(batch instanceof Batch)) throw new Error('a batch comes first');
    expect(batch.rowCount).toBe(1000);
    for (const [i, column] of batch.columns().entries()) {
      const empty = Array.from({ length: 1000 }, (_, row) => row).filter((row) => !isValid(column, row));
      expect(empty.length / 1000, batch.schema.fields[i]!.name).toBeCloseTo(0.3, 1);
      for (const row of empty) expect(heldBy(column.data, row)).toBe(0);
    }
    const specials = columnValues(batch.schema.fields[5]!.type, batch.column(5)).filter(
      (v) => v instanceof Special,
    );
    expect(new Set(specials.map((v) => (v as Special).text))).toEqual(new Set(['infinity', '-infinity']));
  });

  it('of every type survive being read as rows and built again', async () => {
    const columns = {
      sequence: { type: 'sequence', start: -5, step: 3 },
      u8: { type: 'int', bits: 8, signed: false },
      f32: { type: 'float', bits: 32, min: -1, max: 1 },
      f64: { type: 'float' },
      unbounded: { type: 'decimal', scale: 4 },
      binary: { type: 'bytes' },
      label: { type: 'pick', values: ['x', 'y'], as: 'enum' },
      clock: { type: 'time', unit: 'ns' },
      local: { type: 'timestamp', zone: 'none', unit: 'ns' },
      kept: { type: 'timestamp', zone: 'offset' },
      gap: { type: 'interval' },
      length: { type: 'duration' },
      other: { type: 'native', name: 'point', values: ['(0,0)', '(1,2)'] },
      nothing: { type: 'null' },
      lists: { type: 'list', item: { type: 'list', item: { type: 'int', nulls: 0.2 } } },
      pairs: { type: 'map', key: { type: 'words' }, value: { type: 'float', nulls: 0.1 } },
      either: {
        type: 'union',
        variants: { n: { type: 'int' }, s: { type: 'struct', fields: { t: { type: 'text' } } } },
      },
    };
    const { splits, messages } = await sourceOf({ rows: 300, streams: { s: { columns } } });
    for (const message of await messages((await splits())[0]!)) {
      if (message.kind !== 'batch') continue;
      const rebuilt = Batch.ofRows(message.schema, message.rows());
      const values = (batch: Batch) =>
        batch.schema.fields.map((f, i) => columnValues(f.type, batch.column(i)));
      expect(values(rebuilt)).toEqual(values(message));
      expect(message.rows()[0]!['sequence']).toBe(-5n);
    }
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

/** How much the buffers hold of a row: values other than zero, bytes and items. */
function heldBy(data: Layout, row: number): number {
  switch (data.layout) {
    case 'bits':
      return Number(getBit(data.values, row));
    case 'fixed':
      return Number(data.values[row]);
    case 'bytes':
      return data.values
        .subarray(row * data.width, (row + 1) * data.width)
        .reduce((sum, byte) => sum + byte, 0);
    case 'varlen':
    case 'list':
      return data.offsets[row + 1]! - data.offsets[row]!;
    case 'struct':
    case 'union':
      return data.children.reduce((sum, child) => sum + heldBy(child.data, row), 0);
    default:
      return 0;
  }
}

import { Readable } from 'node:stream';
import { type Context, type Message, type Row, silentLogger } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { type StdinSettings, StdinSource } from './stdin-source.js';

const context: Context = { signal: new AbortController().signal, log: silentLogger, cwd: '/', memory: 0 };

async function* chunks(text: string, size: number, pauseMs = 0): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) {
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    yield bytes.subarray(at, at + size);
  }
}

async function readAll(source: StdinSource): Promise<{ rows: Row[]; checkpoints: Message[] }> {
  const { streams } = await source.discover(undefined);
  const { schema } = streams[0]!;
  const read = {
    stream: schema.stream,
    mode: 'full',
    schema,
    generation: 1,
    options: {},
    resumable: true,
  } as const;
  const rows: Row[] = [];
  const checkpoints: Message[] = [];
  for await (const split of source.splits([read], [])) {
    const request = { split, at: split.start, cuts: [], reads: [read], batchRows: 2, batchBytes: 1 << 20 };
    const reader = await source.open(request, context);
    for await (const message of reader) {
      if (message.kind === 'batch') rows.push(...message.rows());
      else checkpoints.push(message);
    }
    await reader.close();
  }
  return { rows, checkpoints };
}

const csv: StdinSettings = { format: 'csv', stream: 'people', csv: {} };

it.each([1, 7, 1000])(
  'guesses columns from the first rows and loses none of them (chunks of %i bytes)',
  async (size) => {
    const source = new StdinSource(csv, chunks('id,name\n1,one\n2,"two\nlines"\n3,\n', size));
    const { rows, checkpoints } = await readAll(source);
    expect(rows).toEqual([
      { id: 1n, name: 'one' },
      { id: 2n, name: 'two\nlines' },
      { id: 3n, name: null },
    ]);
    expect(checkpoints.at(-1)).toEqual({ kind: 'checkpoint', position: { rows: 3 }, sealed: true });
    expect(checkpoints.filter((message) => message.kind === 'checkpoint' && message.sealed)).toHaveLength(1);
  },
);

it('reads JSON Lines of declared columns without waiting for a sample', async () => {
  const settings: StdinSettings = {
    format: 'jsonl',
    stream: 's',
    columns: { id: 'int64', total: 'decimal(12,2)' },
    csv: {},
  };
  const source = new StdinSource(settings, chunks('{"id":9007199254740993,"total":1.5}\n{"id":2}\n', 5));
  expect((await readAll(source)).rows).toEqual([
    { id: 9007199254740993n, total: '1.50' },
    { id: 2n, total: null },
  ]);
});

it('begins with the first lines of a writer that pauses', async () => {
  const source = new StdinSource(csv, chunks(`id,name\n1,a\n${'2,b\n'.repeat(3)}`, 12, 300));
  expect((await readAll(source)).rows).toHaveLength(4);
});

it('refuses an empty input and a second reading', async () => {
  const empty = new StdinSource(csv, chunks('', 1));
  await expect(empty.discover(undefined)).rejects.toMatchObject({ code: 'SLUICE-STDIN-0002' });
  const source = new StdinSource(csv, chunks('id\n1\n', 9));
  await readAll(source);
  await expect(readAll(source)).rejects.toMatchObject({ code: 'SLUICE-STDIN-0001' });
});

it.each(['close', 'signal'] as const)(
  'ends by %s while the writer is silent, without sealing what is not whole',
  async (way) => {
    const writer = new Readable({ read() {} });
    writer.push('id\n1\n2\n3\n4');
    const stopping = new AbortController();
    const settings: StdinSettings = { format: 'csv', stream: 's', columns: { id: 'int64' }, csv: {} };
    const source = new StdinSource(settings, writer);
    const { schema } = (await source.discover(undefined)).streams[0]!;
    const read = { stream: 's', mode: 'full', schema, generation: 1, options: {}, resumable: true } as const;
    const split = { id: 's', streams: ['s'], phase: 'bulk', start: { rows: 0 }, spec: null } as const;
    const request = { split, at: { rows: 0 }, cuts: [], reads: [read], batchRows: 3, batchBytes: 1 << 20 };
    const reader = await source.open(request, { ...context, signal: stopping.signal });
    const seen: Message[] = [];
    const reading = (async () => {
      for await (const message of reader) seen.push(message);
    })();
    setTimeout(() => (way === 'close' ? void reader.close() : stopping.abort()), 50);
    await expect(reading).rejects.toThrow(/abort/i);
    expect(seen.some((message) => message.kind === 'checkpoint' && message.sealed)).toBe(false);
    expect(
      seen.flatMap((message) => (message.kind === 'batch' ? message.rows() : [])).length,
    ).toBeLessThanOrEqual(3);
    await reader.close();
    expect(writer.destroyed).toBe(true);
  },
);

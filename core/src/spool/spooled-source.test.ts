import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Batch,
  type Context,
  checkpoint,
  field,
  type Json,
  type OpenRequest,
  type Reader,
  type Source,
  type Split,
  silentLogger,
  streamSchema,
  types,
} from '@sluice/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpooledSource } from './spooled-source.js';

const SCHEMA = streamSchema('s', [field('id', types.int64)], ['id']);
const context: Context = {
  signal: new AbortController().signal,
  log: silentLogger,
  cwd: '/',
  memory: 1 << 20,
};
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-spooled-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Hands out numbers, each once: what was acknowledged never comes again. */
class Once {
  readonly acknowledged: number[] = [];
  opened = 0;
  failAt: number | undefined;

  constructor(
    private readonly last: number,
    private next = 1,
  ) {}

  readonly source = {
    capabilities: { replay: false, modes: ['full'], incremental: 'none', before: false },
    open: async ({ at }: OpenRequest): Promise<Reader> => {
      this.opened++;
      this.next = (at as number) + 1;
      const { last } = this;
      const numbers = async function* (this: Once) {
        while (this.next <= last) {
          if (this.next === this.failAt) throw new Error('gone');
          yield Batch.ofRows(SCHEMA, [{ id: BigInt(this.next) }]);
          yield checkpoint(this.next, this.next === last);
          this.next++;
        }
      };
      return {
        [Symbol.asyncIterator]: () => numbers.call(this),
        ack: async (position: Json) => void this.acknowledged.push(position as number),
        close: async () => {},
      };
    },
  } as unknown as Source;
}

function request(at: Json, volatile = false, generation = 1): OpenRequest {
  const split: Split = {
    id: 's',
    streams: ['s'],
    phase: 'bulk',
    start: 0,
    spec: null,
    ...(volatile && { volatile }),
  };
  const read = {
    stream: 's',
    mode: 'full',
    schema: SCHEMA,
    generation,
    options: {},
    resumable: false,
  } as const;
  return { split, at, cuts: [], reads: [read], batchRows: 10, batchBytes: 1000 };
}

/** Reads until `until` was met, or to the end; positions that were passed. */
async function read(source: Source, of: OpenRequest, until = Infinity, ack = false): Promise<number[]> {
  const reader = await source.open(of, context);
  const passed: number[] = [];
  try {
    for await (const message of reader) {
      if (message.kind !== 'checkpoint') continue;
      passed.push(message.position as number);
      if (ack) await reader.ack!(message.position);
      if (message.position === until) break;
    }
  } finally {
    await reader.close();
  }
  return passed;
}

describe('a source that gives everything once', () => {
  it('can be read again from any place, by several at once, and is asked once', async () => {
    const once = new Once(6);
    const spooled = new SpooledSource(once.source, folder, context);
    expect(await read(spooled, request(0, true), 3)).toEqual([1, 2, 3]);
    const both = await Promise.all([read(spooled, request(0, true)), read(spooled, request(2, true))]);
    expect(both).toEqual([
      [1, 2, 3, 4, 5, 6],
      [3, 4, 5, 6],
    ]);
    expect(once.opened).toBe(1);
    expect(once.acknowledged).toEqual([0, 1, 2, 3, 4, 5, 6]);
    await spooled.endRun();
    expect(await readdir(folder, { recursive: true })).not.toContainEqual(expect.stringContaining('.spool'));
  });

  it('goes on in a later run from what was spooled and not committed', async () => {
    const first = new SpooledSource(new Once(6).source, folder, context);
    expect(await read(first, request(0), 4)).toEqual([1, 2, 3, 4]);
    // No word of an end: the process was killed.
    const once = new Once(6);
    const second = new SpooledSource(once.source, folder, context);
    expect(await read(second, request(1), Infinity, true)).toEqual([2, 3, 4, 5, 6]);
    expect(once.acknowledged).toEqual([4, 5, 6]);
    await second.endRun();
    const third = new SpooledSource(new Once(3).source, folder, context);
    expect(await read(third, request(0, false, 2))).toEqual([1, 2, 3]);
    await third.endRun();
    await first.endRun();
  });

  it('is opened again behind what is spooled when it fails, unless it is a pipe', async () => {
    const once = new Once(5);
    once.failAt = 3;
    const spooled = new SpooledSource(once.source, folder, context);
    await expect(read(spooled, request(0))).rejects.toThrow('gone');
    once.failAt = undefined;
    expect(await read(spooled, request(1))).toEqual([2, 3, 4, 5]);
    await spooled.endRun();
    const pipe = new Once(5);
    pipe.failAt = 3;
    const piped = new SpooledSource(pipe.source, folder, context);
    await expect(read(piped, request(0, true))).rejects.toThrow('gone');
    pipe.failAt = undefined;
    await expect(read(piped, request(1, true))).rejects.toThrow('gone');
    await piped.endRun();
  });

  it('lets readers leave while it waits', async () => {
    const silent = {
      capabilities: new Once(0).source.capabilities,
      open: async (): Promise<Reader> => ({
        async *[Symbol.asyncIterator]() {
          await new Promise(() => {});
        },
        close: async () => {},
      }),
    } as unknown as Source;
    const spooled = new SpooledSource(silent, folder, context);
    const reader = await spooled.open(request(0, true), context);
    const reading = reader[Symbol.asyncIterator]().next();
    await reader.close();
    expect(await reading).toEqual({ done: true, value: undefined });
    const stopped = new AbortController();
    const other = await spooled.open(request(0, true), { ...context, signal: stopped.signal });
    const waiting = other[Symbol.asyncIterator]().next();
    stopped.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
  });
});

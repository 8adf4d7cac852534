import {
  Batch,
  type Context,
  field,
  type LaneRequest,
  type Logger,
  type SinkStream,
  silentLogger,
  streamSchema,
  types,
} from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import blackhole from './index.js';

const schema = streamSchema('numbers', [field('n', types.int32)], ['n']);
const job = { id: 'j/main/main', source: 'test', fence: 1n };
const split = { id: 'numbers', streams: ['numbers'], phase: 'bulk' as const, start: 0, spec: null };

function contextWith(log: Partial<Logger> = {}): Context {
  return {
    signal: new AbortController().signal,
    log: { ...silentLogger, ...log },
    cwd: '/',
    memory: 1 << 20,
  };
}

function streamOf(write: SinkStream['write'], encodings: string[] = []): SinkStream {
  const shape = {
    stream: 'numbers',
    target: 'numbers',
    schema,
    read: 'full' as const,
    save: 'keep' as const,
  };
  return { ...shape, write, options: {}, encodings };
}

async function laneOf(
  config: object,
  stream: SinkStream,
): Promise<{ lane: LaneRequest; sink: ReturnType<typeof make> }> {
  const sink = make(config);
  return { sink, lane: { job, split, generation: 1, tables: await sink.plan([stream], contextWith()) } };
}

function make(config: object) {
  return blackhole.sink!.create(blackhole.config.parse(config));
}

describe('blackhole', () => {
  it('accepts rows and says how many it dropped', async () => {
    const said: unknown[] = [];
    const { sink, lane } = await laneOf({}, streamOf('append'));
    const writer = await sink.open(
      lane,
      contextWith({ info: (message, fields) => said.push([message, fields]) }),
    );
    if (writer.protocol !== 'append') throw new Error('append rows are appended');
    await writer.write(Batch.ofRows(schema, [{ n: 1 }, { n: 2 }]));
    await writer.write({ kind: 'clear', stream: 'numbers' });
    await writer.write(Batch.ofRows(schema, [{ n: 3 }]));
    await writer.flush({
      split,
      number: 1,
      generation: 1,
      fence: 1n,
      version: 1n,
      position: 3,
      sealed: true,
    });
    await writer.close();
    expect(said).toEqual([
      [
        'rows dropped',
        { stream: 'numbers', split: 'numbers', rows: 3, bytes: expect.any(Number), batches: 2 },
      ],
    ]);
  });

  it.each([
    ['none', 0],
    ['columns', 1],
    ['rows', 1],
  ])('decodes %s of what it drops', async (decode, times) => {
    const { sink, lane } = await laneOf({ decode }, streamOf('append', ['raw']));
    let made = 0;
    const decoder = {
      column: () => {
        made++;
        return { length: 1, data: { layout: 'fixed' as const, values: Int32Array.of(5) } };
      },
    };
    const batch = Batch.ofEncoded(schema, 1, { format: 'raw', bytes: new Uint8Array(9) }, decoder);
    await (await sink.open(lane, contextWith())).write(batch);
    expect(made).toBe(times);
    expect(lane.tables[0]!.encoding).toBe(decode === 'none' ? 'raw' : undefined);
  });

  it('promises for each mode no more than it keeps', async () => {
    const planOf = async (write: SinkStream['write']) =>
      (await make({}).plan([streamOf(write)], contextWith()))[0]!;
    expect((await planOf('append')).protocol).toBe('append');
    expect((await planOf('replace')).protocol).toBe('append');
    expect((await planOf('upsert')).protocol).toBe('keyed');
    await expect(planOf('mirror')).rejects.toMatchObject({ class: 'config' });
    expect(await make({}).attach(job, contextWith())).toBeUndefined();
  });
});

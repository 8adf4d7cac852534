import {
  type CatalogStream,
  field,
  routedStream,
  type Sink,
  type SinkJob,
  silentLogger,
  streamSchema,
  types,
} from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { planOf, transformOf } from '../testing/plan-stream.js';
import { routedSink } from './routed-sink.js';
import { joinedTable, tablesOf } from './routed-table.js';

const streamOf = (name: string): CatalogStream => ({
  schema: streamSchema(name, [field('id', types.int64)], ['id']),
  types: [],
});
const routing = (...routes: string[]) =>
  transformOf('routing', (schema) => ({
    out: schema,
    routes,
    reads: [],
    writes: [],
    rung: 'columns',
    apply: (batch) => [batch],
  }));
const keeping = transformOf('keeping', (schema) => ({
  out: schema,
  reads: [],
  writes: [],
  rung: 'columns',
  apply: (batch) => [batch],
}));

describe('the plan of a routed stream', () => {
  it('has a table for each route, by the settings of the route', async () => {
    const { streams } = await planOf({
      streams: [streamOf('shop.orders')],
      transforms: [keeping, routing('eu.orders', 'us.orders')],
      target: (stream) => ({
        write: 'append',
        name: stream === 'us.orders' ? 'america' : '{schema}_{stream}',
      }),
    });
    const { table } = streams[0]!.targets['main']!;
    expect(table).toMatchObject({ stream: 'shop.orders', target: 'eu_orders, america', write: 'append' });
    expect(tablesOf(table).map(({ stream, target, schema }) => [stream, target, schema.stream])).toEqual([
      ['shop.orders → eu.orders', 'eu_orders', 'shop.orders → eu.orders'],
      ['shop.orders → us.orders', 'america', 'shop.orders → us.orders'],
    ]);
  });

  it('leaves out the routes that the sink does not take', async () => {
    const { streams } = await planOf({
      streams: [streamOf('orders')],
      transforms: [routing('a', 'b')],
      target: (stream) => (stream === 'b' ? {} : undefined),
    });
    expect(tablesOf(streams[0]!.targets['main']!.table).map(({ target }) => target)).toEqual(['b']);
  });

  it.each<[string, Parameters<typeof planOf>[0], string]>([
    [
      'a transform would follow',
      { streams: [streamOf('s')], transforms: [routing('a'), keeping] },
      'SLUICE-CORE-0017',
    ],
    [
      'its routes would be written in different ways',
      {
        streams: [streamOf('s')],
        transforms: [routing('a', 'b')],
        target: (stream) => ({ write: stream === 'a' ? 'append' : 'upsert' }),
      },
      'SLUICE-CORE-0008',
    ],
    [
      'two streams would be written to one table',
      { streams: [streamOf('s'), streamOf('t')], transforms: [routing('a')] },
      'SLUICE-CORE-0011',
    ],
  ])('is refused where %s', async (_, setting, code) => {
    await expect(planOf(setting)).rejects.toMatchObject({ code });
  });
});

describe('a sink with routes', () => {
  const routes = ['a', 'b'].map((to) => routedStream('s', to));
  const job: SinkJob = { id: 'j/f/s', source: 'x', fence: 1n };
  const context = { signal: new AbortController().signal, log: silentLogger, cwd: '.', memory: 0 };

  it('is asked for each route, and shows the stream alone', async () => {
    const { streams } = await planOf({ streams: [streamOf('s')], transforms: [routing('a', 'b')] });
    const { table } = streams[0]!.targets['main']!;
    const calls: unknown[] = [];
    const inner = {
      capabilities: {},
      attach: async () => ({
        source: 'x',
        fence: 0n,
        streams: {
          s: { generation: 2, published: false },
          [routes[0]!]: { generation: 2, published: true },
          [routes[1]!]: { generation: 2, published: false },
          t: { generation: 1, published: true },
        },
        splits: {},
      }),
      adopt: async (_: SinkJob, record: unknown) => calls.push(['adopt', record]),
      applySchema: async (_: SinkJob, { stream }: { stream: string }) => calls.push(['schema', stream]),
      publish: async (_: SinkJob, { stream }: { stream: string }) => calls.push(['publish', stream]),
      open: async ({ tables }: { tables: readonly { stream: string }[] }) =>
        tables.map(({ stream }) => stream),
    };
    const sink = routedSink(inner as unknown as Sink, new Map([['s', routes]]));
    expect((await sink.attach(job, context))!.streams).toEqual({
      s: { generation: 2, published: false },
      t: { generation: 1, published: true },
    });
    const begun = { generation: 2, published: false };
    await sink.adopt(job, { streams: { s: begun, t: begun }, splits: {} }, context);
    await sink.applySchema(job, table, 2, context);
    await sink.publish(job, table, 2, { allowEmpty: false }, context);
    expect(calls).toEqual([
      ['adopt', { streams: { s: begun, t: begun, [routes[0]!]: begun, [routes[1]!]: begun }, splits: {} }],
      ['schema', routes[1]],
      ['publish', routes[1]],
      ['adopt', { streams: { s: { generation: 2, published: true } }, splits: {} }],
    ]);
    const lane = {
      job,
      split: { id: 's', streams: ['s'], phase: 'bulk' as const, start: 0, spec: 0 },
      generation: 2,
    };
    expect(await sink.open({ ...lane, tables: [table] }, context)).toEqual(routes);
  });

  it('treats other streams as they are', () => {
    const table = { stream: 't' } as Parameters<typeof tablesOf>[0];
    expect(tablesOf(table)).toEqual([table]);
    expect(joinedTable('s', [{ ...table, target: 'a', exists: true, ddl: ['x'] }])).toMatchObject({
      stream: 's',
      target: 'a',
      ddl: ['x'],
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { JobFlow } from './job.js';
import { loadJob } from './load-job.js';
import { discoveryPatterns, streamSettings, targetSettings, unmatchedNames } from './stream-settings.js';

async function flowOf(streams: unknown, sink: object = {}, more: object = {}): Promise<JobFlow> {
  const connections = { shop: { connector: 'postgres' }, lake: { connector: 'duckdb' } };
  const flow = {
    source: 'shop',
    ...(streams !== undefined && { streams }),
    sinks: { lake: { to: 'lake', ...sink } },
    ...more,
  };
  const job = await loadJob({ name: 'j', connections, flows: { main: flow } } as never, {
    env: {},
    cwd: '/',
  });
  return job.flows[0]!;
}

describe('streams', () => {
  it('are all selected without the key', async () => {
    const flow = await flowOf(undefined, {}, { mode: 'incremental' });
    expect(streamSettings(flow, 'any.thing')).toEqual({
      mode: 'incremental',
      onFailure: 'stop',
      columns: {},
      source: { values: {}, paths: {}, at: [] },
    });
    expect(discoveryPatterns(flow)).toBeUndefined();
  });

  it('are selected by a list of names and patterns', async () => {
    const flow = await flowOf(['public.orders', 'public.cust*']);
    expect(streamSettings(flow, 'public.orders')?.mode).toBe('full');
    expect(streamSettings(flow, 'public.customers')).toBeDefined();
    expect(streamSettings(flow, 'public.items')).toBeUndefined();
    expect(discoveryPatterns(flow)).toEqual(['public.orders', 'public.cust*']);
  });

  it('take their settings from the broadest pattern to the exact name, wherever these stand', async () => {
    const flow = await flowOf({
      'public.orders': {
        key: ['id'],
        columns: { total: { type: 'decimal(12,2)' } },
        source: { chunk: 'key' },
      },
      '*': {
        mode: 'incremental',
        cursor: { column: 'at' },
        columns: { total: { type: 'string' }, n: { type: 'int32' } },
      },
      'public.*': { cursor: { column: 'changed', clock: 'database' }, source: { chunk: 'ctid', size: 10 } },
    });
    expect(streamSettings(flow, 'public.orders')).toEqual({
      mode: 'incremental',
      onFailure: 'stop',
      key: ['id'],
      cursor: { column: 'changed', clock: 'database' },
      columns: { total: { type: 'decimal(12,2)' }, n: { type: 'int32' } },
      source: {
        values: { chunk: 'key', size: 10 },
        paths: {
          chunk: ['flows', 'main', 'streams', 'public.orders', 'source', 'chunk'],
          size: ['flows', 'main', 'streams', 'public.*', 'source', 'size'],
        },
        at: ['flows', 'main', 'streams', 'public.orders', 'source'],
      },
    });
    expect(streamSettings(flow, 'other.orders')?.cursor).toEqual({ column: 'at' });
  });

  it('take the later of two patterns that are equally broad', async () => {
    const one = await flowOf({ 'a*': { mode: 'full' }, '*b': { mode: 'cdc' } });
    const two = await flowOf({ '*b': { mode: 'cdc' }, 'a*': { mode: 'full' } });
    expect(streamSettings(one, 'a-b')?.mode).toBe('cdc');
    expect(streamSettings(two, 'a-b')?.mode).toBe('full');
  });

  it('say what the flow does when they fail, by pattern or for all', async () => {
    const flow = await flowOf(
      { '*': {}, 'public.*': { onFailure: 'stop' } },
      {},
      { mode: 'cdc', onFailure: 'quarantine' },
    );
    expect(streamSettings(flow, 'sales.orders')?.onFailure).toBe('quarantine');
    expect(streamSettings(flow, 'public.orders')?.onFailure).toBe('stop');
  });

  it('are left out by false, and taken back by a narrower pattern', async () => {
    const flow = await flowOf({ 'public.tmp_*': false, 'public.*': { mode: 'cdc' }, 'public.tmp_keep': {} });
    expect(streamSettings(flow, 'public.tmp_x')).toBeUndefined();
    expect(streamSettings(flow, 'public.tmp_keep')?.mode).toBe('cdc');
    expect(streamSettings(flow, 'public.orders')?.mode).toBe('cdc');
    expect(discoveryPatterns(flow)).toEqual(['public.*', 'public.tmp_keep']);
  });
});

describe('targets', () => {
  it('have the settings of the sink, then those of patterns', async () => {
    const flow = await flowOf(undefined, {
      write: 'upsert',
      name: 'bronze.{schema}_{stream}',
      options: { compress: 'zstd', level: 3 },
      streams: {
        'public.events': { write: 'append', options: { level: 9 } },
        'public.*': { save: 'recreate' },
      },
    });
    const sink = ['flows', 'main', 'sinks', 'lake'];
    expect(targetSettings(flow.sinks[0]!, 'public.events')).toEqual({
      write: 'append',
      save: 'recreate',
      name: 'bronze.{schema}_{stream}',
      options: {
        values: { compress: 'zstd', level: 9 },
        paths: {
          compress: [...sink, 'options', 'compress'],
          level: [...sink, 'streams', 'public.events', 'options', 'level'],
        },
        at: [...sink, 'streams', 'public.events', 'options'],
      },
    });
    expect(targetSettings(flow.sinks[0]!, 'other')).toMatchObject({
      write: 'upsert',
      save: 'keep',
      options: { values: { level: 3 } },
    });
  });
});

it('finds names that match no stream', async () => {
  const flow = await flowOf(
    { 'public.orders': {}, 'public.cust*': {}, 'x.*': false },
    { streams: { 'public.order': { write: 'append' }, '*': {} } },
    { transforms: [{ use: 'mask', streams: ['*.customer', 'public.*'] }, { use: 'filter' }] },
  );
  const at = ['flows', 'main'];
  expect(unmatchedNames(flow, ['public.orders', 'public.customers'])).toEqual([
    {
      path: [...at, 'sinks', 'lake', 'streams', 'public.order'],
      name: 'public.order',
      near: 'public.orders',
    },
    { path: [...at, 'transforms', 0, 'streams', 0], name: '*.customer' },
  ]);
  expect(unmatchedNames(flow, ['public.items']).map(({ name }) => name)).toEqual([
    'public.orders',
    'public.cust*',
    'public.order',
    '*.customer',
  ]);
});

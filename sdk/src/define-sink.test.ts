import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Batch } from './batch.js';
import { type Context, silentLogger } from './context.js';
import { defineSink } from './define-sink.js';
import { streamSchema } from './schema.js';
import type { Epoch, SinkJob, SinkStream } from './sink.js';
import * as types from './types.js';
import { field } from './types.js';

const c: Context = { signal: new AbortController().signal, log: silentLogger, cwd: '.', memory: 1 << 20 };
const schema = streamSchema(
  'shop.orders',
  [field('id', types.int64), field('total', types.decimal(12, 2))],
  ['id'],
);
const job: SinkJob = { id: 'job/main/out', source: 'shop', fence: 1n };
const split = { id: 's', streams: ['shop.orders'], phase: 'bulk' as const, start: null, spec: null };
const epoch: Epoch = { split, number: 1, generation: 1, fence: 1n, version: 1n, position: 1, sealed: false };

function stream(write: SinkStream['write']): SinkStream {
  return {
    stream: 'shop.orders',
    target: 'orders',
    schema,
    read: 'full',
    write,
    save: 'keep',
    options: {},
    encodings: [],
  };
}

/** A sink that notes what is asked of it. */
function noting(mode: 'append' | 'upsert', writers?: number) {
  const calls: string[] = [];
  const connector = defineSink({
    name: 'noting',
    title: 'Notes what is asked of it',
    config: z.object({ to: z.string() }),
    mode,
    ...(writers !== undefined && { writers }),
    async write({ config, table, batch }) {
      calls.push(
        `${config.to}/${table.target}: ${batch
          .rows()
          .map((row) => row['id'])
          .join()}`,
      );
    },
    async flush(config) {
      calls.push(`flush ${config.to}`);
    },
    async check(config) {
      calls.push(`check ${config.to}`);
    },
  });
  return { calls, sink: connector.sink!.create({ to: 'x' }) };
}

describe('a defined sink', () => {
  it('writes batches to the table of their stream and flushes at the epoch’s end', async () => {
    const { calls, sink } = noting('upsert');
    await sink.check(c);
    const tables = await sink.plan([stream('upsert')], c);
    const writer = await sink.open({ job, split, generation: 1, tables }, c);
    if (writer.protocol !== 'keyed') throw new Error(`protocol ${writer.protocol}`);
    await writer.write(
      Batch.ofRows(schema, [
        { id: 1n, total: '1.00' },
        { id: 2n, total: null },
      ]),
    );
    await writer.flush(epoch);
    await writer.abort();
    await writer.close();
    expect(calls).toEqual(['check x', 'x/orders: 1,2', 'flush x']);
  });

  it('plans every column as it is, and says which protocol commits', async () => {
    const [plan] = await noting('append').sink.plan([stream('append')], c);
    expect(plan).toMatchObject({ target: 'orders', protocol: 'append', publish: 'none', ddl: [] });
    expect(plan!.types).toEqual([
      { column: 'id', from: 'int64', to: 'int64', verdict: 'exact' },
      { column: 'total', from: 'decimal(12,2)', to: 'decimal(12,2)', verdict: 'exact' },
    ]);
  });

  it.each([
    ['append', { append: 'append' }, 'upsert'],
    ['upsert', { upsert: 'keyed' }, 'replace'],
  ] as const)('of mode %s has that mode and refuses others', async (mode, modes, other) => {
    const { sink } = noting(mode, 3);
    expect(sink.capabilities).toMatchObject({
      modes,
      writers: 3,
      transactions: 'partial',
      partialUpdates: false,
    });
    await expect(sink.plan([stream(other)], c)).rejects.toMatchObject({
      code: 'SLUICE-SDK-0002',
      class: 'config',
    });
  });

  it('cannot clear, keeps no record, and is known by its name', async () => {
    const { sink } = noting('append');
    const tables = await sink.plan([stream('append')], c);
    const writer = await sink.open({ job, split, generation: 1, tables }, c);
    await expect(writer.write({ kind: 'clear', stream: 'shop.orders' })).rejects.toMatchObject({
      code: 'SLUICE-SDK-0002',
    });
    expect(await sink.attach(job, c)).toBeUndefined();
    expect(await sink.identity(c)).toBe('noting');
  });
});

import { PassThrough } from 'node:stream';
import {
  Batch,
  type Context,
  type LaneRequest,
  silentLogger,
  streamSchema,
  type TablePlan,
  types,
} from '@sluice/sdk';
import { expect, it } from 'vitest';
import { type StdoutSettings, StdoutSink } from './stdout-sink.js';

const schema = streamSchema('s', [
  { name: 'id', type: types.int64, nullable: false },
  { name: 'name', type: types.string, nullable: true },
]);
const rows = [
  { id: 9007199254740993n, name: 'a,"b"' },
  { id: 2n, name: null },
];
const context: Context = { signal: new AbortController().signal, log: silentLogger, cwd: '/', memory: 0 };

async function printed(settings: StdoutSettings, out: PassThrough): Promise<string> {
  const sink = new StdoutSink(settings, out);
  const [table] = (await sink.plan([
    {
      stream: 's',
      target: 's',
      schema,
      read: 'full',
      write: 'append',
      save: 'keep',
      options: {},
      encodings: [],
    },
  ])) as [TablePlan];
  const writer = await sink.open({ tables: [table] } as unknown as LaneRequest, context);
  const chunks: Buffer[] = [];
  out.on('data', (chunk: Buffer) => chunks.push(chunk));
  await writer.write(Batch.ofRows(schema, rows));
  await writer.write(Batch.ofRows(schema, rows.slice(1)));
  return Buffer.concat(chunks).toString();
}

it('prints JSON Lines with every digit of an integer', async () => {
  const text = await printed({ format: 'jsonl', header: true }, new PassThrough());
  expect(text).toBe(
    '{"id":9007199254740993,"name":"a,\\"b\\""}\n{"id":2,"name":null}\n{"id":2,"name":null}\n',
  );
});

it('prints CSV with one header', async () => {
  const text = await printed({ format: 'csv', header: true }, new PassThrough());
  expect(text).toBe('id,name\n9007199254740993,"a,""b"""\n2,\n2,\n');
});

it('waits for a slow reader', async () => {
  const out = new PassThrough({ highWaterMark: 1 });
  const text = printed({ format: 'csv', header: false }, out);
  expect((await text).split('\n').length).toBeGreaterThanOrEqual(3);
});

it('says that standard output was closed', async () => {
  const out = new PassThrough();
  const sink = new StdoutSink({ format: 'csv', header: true }, out);
  const writer = await sink.open({ tables: [{ stream: 's', schema }] } as unknown as LaneRequest, context);
  out.destroy(new Error('EPIPE'));
  await new Promise((resolve) => setImmediate(resolve));
  await expect(writer.write(Batch.ofRows(schema, rows))).rejects.toMatchObject({
    code: 'SLUICE-STDOUT-0001',
  });
});

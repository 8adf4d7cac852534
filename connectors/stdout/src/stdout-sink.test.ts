import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  Batch,
  type Context,
  type Epoch,
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

it('has handed everything to the system when it flushes', async () => {
  const written: string[] = [];
  const slow = new Writable({
    highWaterMark: 1 << 20,
    write(chunk: Buffer, _, done) {
      setTimeout(() => {
        written.push(chunk.toString());
        done();
      }, 20);
    },
  });
  const writer = await new StdoutSink({ format: 'jsonl', header: true }, slow).open(
    { tables: [{ stream: 's', schema }] } as unknown as LaneRequest,
    context,
  );
  await writer.write(Batch.ofRows(schema, rows.slice(1)));
  expect(written).toEqual([]);
  if (writer.protocol !== 'append') throw new Error('stdout appends');
  await writer.flush({} as Epoch);
  expect(written.join('')).toBe('{"id":2,"name":null}\n');
});

it('ends with a coded error when the program behind the pipe ends', async () => {
  const module = (name: string) => JSON.stringify(new URL(`../dist/${name}.js`, import.meta.url).href);
  const program = `
    const { StdoutSink } = await import(${module('stdout-sink')});
    const { Batch, streamSchema, types } = await import(import.meta.resolve('@sluice/sdk', ${module('index')}));
    const schema = streamSchema('s', [{ name: 'text', type: types.string, nullable: false }]);
    const sink = new StdoutSink({ format: 'jsonl', header: true });
    const c = { signal: new AbortController().signal };
    const writer = await sink.open({ tables: [{ stream: 's', schema }] }, c);
    const batch = Batch.ofRows(schema, Array.from({ length: 1000 }, () => ({ text: 'x'.repeat(100) })));
    try {
      for (;;) await writer.write(batch);
    } catch (error) {
      process.stderr.write(error.code);
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  child.stdout.once('data', () => child.stdout.destroy());
  await once(child, 'close');
  expect(Buffer.concat(said).toString()).toBe('SLUICE-STDOUT-0001');
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

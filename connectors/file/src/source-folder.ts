/** For tests of the source: a folder of its own for each test, files in it, and reading as the engine does. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ParquetWriter } from '@sluice/formats';
import {
  type Catalog,
  type Column,
  type Context,
  columnOf,
  type Field,
  formatType,
  type Json,
  type Row,
  type Source,
  type Split,
  type StreamRead,
  silentLogger,
  type Value,
} from '@sluice/sdk';
import { fileConfig } from './config.js';
import { FileSource } from './source.js';

/** Files that other people made. */
export const data: string = fileURLToPath(
  new URL('../../../node_modules/vega-datasets/data', import.meta.url),
);

/** The folder of the test that runs; paths in configurations start there. */
export let folder: string;

/** To be called before and after each test. */
export async function makeFolder(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'sluice-source-'));
}
export async function removeFolder(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

export function context(): Context {
  return { signal: new AbortController().signal, log: silentLogger, cwd: folder, memory: 1 << 26 };
}

export function sourceOf(config: object): Source {
  return new FileSource(fileConfig.parse(config));
}

export async function write(files: { readonly [name: string]: string | Uint8Array }): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

export interface ReadStream {
  readonly rows: Row[];
  readonly positions: Json[];
  readonly splits: Split[];
}

/** Reads a stream as the engine would, one split after the other. */
export async function readStream(
  source: Source,
  stream: string,
  options: {
    mode?: 'full' | 'incremental';
    known?: readonly Split[];
    batchRows?: number;
    catalog?: Catalog;
  } = {},
): Promise<ReadStream> {
  const { mode = 'full', known = [], batchRows = 16_384 } = options;
  const { streams } = options.catalog ?? (await source.discover([stream], context()));
  const read = readOf({ streams }, stream, mode);
  const result: ReadStream = { rows: [], positions: [], splits: [] };
  for await (const split of source.splits([read], known, context())) {
    result.splits.push(split);
    const request = { split, at: split.start, cuts: [], reads: [read], batchRows, batchBytes: 1 << 20 };
    const reader = await source.open(request, context());
    for await (const message of reader) {
      if (message.kind === 'batch') result.rows.push(...message.rows());
      if (message.kind === 'checkpoint') result.positions.push(message.position);
    }
    await reader.close();
  }
  return result;
}

/** How the engine asks for a stream. */
export function readOf(
  { streams }: Catalog,
  stream: string,
  mode: 'full' | 'incremental' = 'full',
): StreamRead {
  const { schema } = streams.find((found) => found.schema.stream === stream)!;
  return { stream, mode, schema, generation: 1, options: {}, resumable: true };
}

export async function namesOf(config: object): Promise<string[]> {
  const { streams } = await sourceOf(config).discover(undefined, context());
  return streams.map(({ schema }) => schema.stream);
}

export async function typesOf(source: Source, stream: string): Promise<{ [column: string]: string }> {
  const { streams } = await source.discover([stream], context());
  if (streams[0]?.problem) throw streams[0].problem;
  return Object.fromEntries(streams[0]!.schema.fields.map(({ name, type }) => [name, formatType(type)]));
}

export async function parquet(
  fields: readonly Field[],
  values: readonly (readonly Value[])[],
  rowGroupRows = 1 << 20,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const writer = new ParquetWriter(fields, async (chunk) => void chunks.push(Uint8Array.from(chunk)), {
    rowGroupRows,
  });
  const columns: Column[] = fields.map((f, i) => columnOf(f, values[i]!));
  await writer.write(columns, values[0]!.length);
  await writer.finish();
  return Buffer.concat(chunks);
}

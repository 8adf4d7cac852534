/** Reads what a configuration generates, for tests. */
import { type Context, type Message, type Row, type Split, silentLogger } from '@sluice/sdk';
import generate from '../index.js';

export const c: Context = {
  signal: new AbortController().signal,
  log: silentLogger,
  cwd: '/',
  memory: 1 << 28,
};

export interface ReadPart {
  readonly from?: number;
  readonly cuts?: number[];
  readonly batchRows?: number;
  readonly mode?: 'full' | 'incremental';
}

export async function sourceOf(config: object) {
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

export function rowsOf(messages: readonly Message[]): Row[] {
  return messages.flatMap((message) => (message.kind === 'batch' ? [...message.rows()] : []));
}

export async function allRows(config: object): Promise<Row[]> {
  const { splits, messages } = await sourceOf(config);
  const rows: Row[] = [];
  for (const split of await splits()) rows.push(...rowsOf(await messages(split)));
  return rows;
}

export function onlyColumn(spec: object, rows = 2000, seed = 1): Promise<Row[]> {
  return allRows({ rows, seed, streams: { s: { columns: { c: spec } } } });
}

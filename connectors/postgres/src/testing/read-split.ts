/** Reads splits for tests. */
import type { Context, Json, JsonObject, Source, Split, StreamRead, Value } from '@sluice/sdk';
import { collect, testContext } from './copy-run.js';

/** The read of a stream as planned for it, in mode full. */
export async function planRead(
  source: Source,
  stream: string,
  options: JsonObject = {},
  resumable = false,
): Promise<StreamRead> {
  const { streams } = await source.discover([stream], testContext());
  if (streams[0] === undefined) throw new Error(`no stream ${stream}`);
  const { schema, encodings = [] } = streams[0];
  const [encoding] = encodings;
  return { stream, mode: 'full', schema, generation: 1, options, resumable, ...(encoding && { encoding }) };
}

export async function planSplits(
  source: Source,
  read: StreamRead,
  known: readonly Split[] = [],
): Promise<Split[]> {
  return collect(source.splits([read], known, testContext()));
}

/** Rows up to a checkpoint. */
export interface Part {
  readonly rows: readonly (readonly Value[])[];
  readonly position: Json;
  readonly sealed: boolean;
}

export interface PartsRequest {
  readonly at?: Json;
  readonly cuts?: readonly Json[];
  readonly batchRows?: number;
  readonly batchBytes?: number;
}

/** What a split yields, by its checkpoints; each row as the values of its columns. */
export async function readParts(
  source: Source,
  read: StreamRead,
  split: Split,
  request: PartsRequest = {},
  c: Context = testContext(),
): Promise<Part[]> {
  const { at = split.start, cuts = [], batchRows = 1000, batchBytes = 1024 * 1024 } = request;
  const reader = await source.open({ split, at, cuts, reads: [read], batchRows, batchBytes }, c);
  const parts: Part[] = [];
  let rows: Value[][] = [];
  try {
    for await (const message of reader) {
      if (message.kind === 'batch') {
        for (const row of message.rows()) rows.push(read.schema.fields.map((f) => row[f.name]!));
      } else if (message.kind === 'checkpoint') {
        parts.push({ rows, position: message.position, sealed: message.sealed === true });
        rows = [];
      }
    }
  } finally {
    await reader.close();
  }
  if (rows.length > 0) throw new Error(`${rows.length} rows behind the last checkpoint`);
  return parts;
}

/** All rows of a split. */
export async function readRows(
  source: Source,
  read: StreamRead,
  split: Split,
  request: PartsRequest = {},
): Promise<Value[][]> {
  const parts = await readParts(source, read, split, request);
  return parts.flatMap((part) => part.rows.map((row) => [...row]));
}

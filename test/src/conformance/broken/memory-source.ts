/**
 * A small source that keeps every rule: streams of rows in a table of this process, read by row number. What is
 * deliberately broken derives from it, so each of its steps is a method of its own.
 */

import { setImmediate as turn } from 'node:timers/promises';
import {
  Batch,
  type Catalog,
  type Column,
  type Context,
  checkpoint,
  columnOf,
  formatType,
  type Json,
  type Message,
  matchesPattern,
  type OpenRequest,
  type PollPlace,
  type Reader,
  type Row,
  type Source,
  type Split,
  type StreamRead,
  type StreamSchema,
  secret,
  slice,
  streamSchema,
  types,
} from '@sluice/sdk';
import { z } from 'zod';
import { typeMatrix } from '../values/type-matrix.js';
import { sampleValues } from '../values/value-arbitrary.js';
import { memoryErrors } from './memory-errors.js';

export const memorySourceConfig = z.strictObject({
  place: z.string().describe('Name of the place in memory'),
  token: secret().optional().describe('Opens the place'),
  volatile: z.boolean().default(false).describe('Whether full reads live no longer than their source'),
});
export type MemorySourceConfig = z.output<typeof memorySourceConfig>;

/** A stream of the system: its rows in the order of their arrival. */
export interface MemoryStream {
  readonly schema: StreamSchema;
  readonly rows: Row[];
}

/** Systems by place: what sources of several processes would share over the network. */
const places = new Map<string, Map<string, MemoryStream>>();

export function openPlace(place: string): Map<string, MemoryStream> {
  const streams = new Map(
    [numbers(), everyType(), nothing()].map((stream) => [stream.schema.stream, stream]),
  );
  places.set(place, streams);
  return streams;
}

const SEED = 7;

function numbers(): MemoryStream {
  const schema = streamSchema(
    'numbers',
    [
      { name: 'id', type: types.int64, nullable: false },
      { name: 'name', type: types.string, nullable: true },
    ],
    ['id'],
  );
  const names = sampleValues(types.string, SEED, 200);
  return { schema, rows: names.map((name, i) => ({ id: BigInt(i), name: i % 7 === 0 ? null : name })) };
}

/** One column a logical type. */
function everyType(): MemoryStream {
  const cases = typeMatrix.map((of) => ({
    ...of,
    values: of.values.filter((value) => String(value).length < 10_000),
  }));
  const fields = cases.map(({ name, type }) => ({ name, type, nullable: true }));
  const rows = Array.from({ length: 40 }, (_, i): Row => {
    const held = cases.map(({ name, values }) => [
      name,
      values.length === 0 || i % 5 === 4 ? null : values[i % values.length]!,
    ]);
    return Object.fromEntries(held) as Row;
  });
  return { schema: streamSchema('every type', fields), rows };
}

function nothing(): MemoryStream {
  return { schema: streamSchema('nothing', [{ name: 'id', type: types.int32, nullable: true }]), rows: [] };
}

const SPLIT_ROWS = 70;

/** The rows of a split, and what its reader was opened with. */
export interface Opened {
  readonly request: OpenRequest;
  readonly stream: MemoryStream;
  readonly from: number;
  readonly to: number;
  /** Aborted when the reader is closed or the context is. */
  readonly signal: AbortSignal;
}

export class MemorySource implements Source {
  readonly capabilities: Source['capabilities'] = {
    replay: true,
    modes: ['full', 'incremental'],
    incremental: 'exact',
    before: false,
  };

  constructor(readonly config: MemorySourceConfig) {}

  protected get place(): Map<string, MemoryStream> {
    const found = places.get(this.config.place);
    if (found === undefined) throw memoryErrors.unreachable(`place ${this.config.place} is not open`);
    return found;
  }

  async check(_c: Context): Promise<void> {
    void this.place;
  }

  async identity(_c: Context): Promise<string> {
    return `memory:${this.config.place}`;
  }

  async discover(patterns: readonly string[] | undefined, _c: Context): Promise<Catalog> {
    const chosen = [...this.place.values()].filter(
      ({ schema }) => patterns?.some((pattern) => matchesPattern(pattern, schema.stream)) ?? true,
    );
    return {
      streams: chosen.map(({ schema, rows }) => ({
        schema,
        types: schema.fields.map(({ name, type }) => {
          const text = formatType(type);
          return { column: name, from: text, to: text, verdict: 'exact' as const };
        }),
        encodings: ['memory-rows'],
        estimatedRows: rows.length,
      })),
    };
  }

  async *splits(reads: readonly StreamRead[], known: readonly Split[], _c: Context): AsyncIterable<Split> {
    for (const read of reads) {
      for (const split of this.splitsOf(read)) if (!known.some(({ id }) => id === split.id)) yield split;
    }
  }

  protected *splitsOf({ stream: name, mode, resumable }: StreamRead): Iterable<Split> {
    const { rows, schema } = this.stream(name);
    const streams = [name];
    if (mode === 'incremental') {
      yield { id: name, streams, phase: 'poll', start: 0, spec: null };
      return;
    }
    for (let from = 0; from === 0 || from < rows.length; from += SPLIT_ROWS) {
      const to = Math.min(from + SPLIT_ROWS, rows.length);
      const part: Split = { id: `${name}:${from}`, streams, phase: 'bulk', start: from, spec: { to } };
      const split = schema.key.length > 0 ? { ...part, distinct: true } : part;
      yield this.config.volatile && !resumable ? { ...split, volatile: true } : split;
    }
  }

  async idle(polls: readonly PollPlace[], _c: Context): Promise<boolean[]> {
    return polls.map(({ at, reads }) => this.rowAt(at) === this.stream(reads[0]!.stream).rows.length);
  }

  async open(request: OpenRequest, c: Context): Promise<Reader> {
    const { split, at, reads } = request;
    const stream = this.stream(reads[0]!.stream);
    const to = split.phase === 'bulk' ? (split.spec as { to: number }).to : stream.rows.length;
    const closing = new AbortController();
    const signal = AbortSignal.any([c.signal, closing.signal]);
    const opened: Opened = { request, stream, from: this.rowAt(at), to, signal };
    return {
      [Symbol.asyncIterator]: () => this.messages(opened)[Symbol.asyncIterator](),
      ack: (position) => this.ack(position),
      close: async () => closing.abort(),
    };
  }

  protected rowAt(position: Json): number {
    return position as number;
  }

  protected async ack(_position: Json): Promise<void> {}

  protected async *messages(opened: Opened): AsyncIterable<Message> {
    const { request, to, signal } = opened;
    const bulk = request.split.phase === 'bulk';
    let row = opened.from;
    while (row < to) {
      await turn();
      signal.throwIfAborted();
      const end = this.endOf(row, opened);
      yield this.batch(opened, row, end);
      yield this.mark(end, bulk && end === to);
      row = end;
    }
    if (bulk && opened.from >= to) yield this.mark(to, true);
  }

  protected mark(row: number, sealed: boolean): Message {
    return checkpoint(row, sealed);
  }

  /** Where the batch that begins at `row` ends. */
  protected endOf(row: number, { request, stream, to }: Opened): number {
    const stop = Math.min(
      to,
      row + request.batchRows,
      ...(request.cuts as number[]).filter((cut) => cut > row),
    );
    let bytes = 0;
    let end = row;
    while (end < stop && (end === row || bytes < request.batchBytes / 2)) {
      bytes += JSON.stringify(stream.rows[end], (_, value: unknown) =>
        typeof value === 'bigint' ? Number(value) : value,
      ).length;
      end++;
    }
    return end;
  }

  protected batch(opened: Opened, from: number, to: number): Batch {
    const { schema, encoding } = opened.request.reads[0]!;
    const rows = opened.stream.rows.slice(from, to);
    const columns = schema.fields.map((f) =>
      columnOf(
        f,
        rows.map((row) => row[f.name] ?? null),
      ),
    );
    if (encoding === undefined) return Batch.ofColumns(schema, columns, rows.length);
    const bytes = Buffer.from(`${from} to ${to}`);
    return Batch.ofEncoded(schema, rows.length, { format: encoding, bytes }, { column: (i) => columns[i]! });
  }

  protected stream(name: string): MemoryStream {
    const found = this.place.get(name);
    if (found === undefined) throw memoryErrors.streamMissing(`there is no stream ${name}`);
    return found;
  }
}

/** The column without its first rows, for variants that make columns of the wrong length. */
export function shortened(column: Column): Column {
  return slice(column, 1, column.length);
}

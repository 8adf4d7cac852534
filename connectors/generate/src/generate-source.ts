/** The source: streams of generated rows, read by row number. A position is the number of the next row. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Catalog,
  type Context,
  checkpoint,
  formatType,
  type Message,
  matchesPattern,
  type OpenRequest,
  type Reader,
  type Source,
  type Split,
  type StreamRead,
} from '@sluice/sdk';
import { generateErrors } from './errors.js';
import type { GenerateConfig, GenerateStream } from './generate-config.js';
import { rowsOf, StreamGenerator, schemaOf } from './stream-generator.js';

/** Rows of the first batch, from whose size later ones follow. */
const FIRST_ROWS = 1024;

export class GenerateSource implements Source {
  readonly capabilities = {
    replay: true,
    modes: ['full', 'incremental'],
    incremental: 'exact',
    before: false,
  } as const;

  constructor(private readonly config: GenerateConfig) {}

  async check(): Promise<void> {}

  async identity(): Promise<string> {
    return `generate:${this.config.seed}`;
  }

  async discover(patterns: readonly string[] | undefined): Promise<Catalog> {
    const chosen = Object.entries(this.config.streams).filter(
      ([name]) => patterns?.some((pattern) => matchesPattern(pattern, name)) ?? true,
    );
    return {
      streams: chosen.map(([name, stream]) => {
        const schema = schemaOf(name, stream);
        const types = schema.fields.map((f) => {
          const type = formatType(f.type);
          return { column: f.name, from: type, to: type, verdict: 'exact' as const };
        });
        return { schema, types, estimatedRows: rowsOf(this.config, stream) };
      }),
    };
  }

  async *splits(reads: readonly StreamRead[], known: readonly Split[]): AsyncIterable<Split> {
    const ids = new Set(known.map((split) => split.id));
    for (const read of reads) {
      for (const split of read.mode === 'full' ? this.ranges(read.stream) : [this.poll(read.stream)]) {
        if (!ids.has(split.id)) yield split;
      }
    }
  }

  private *ranges(name: string): Iterable<Split> {
    const rows = rowsOf(this.config, this.stream(name));
    const { splitRows } = this.config;
    for (let from = 0; from === 0 || from < rows; from += splitRows) {
      const to = Math.min(from + splitRows, rows);
      yield {
        id: `${name}:${from}`,
        streams: [name],
        phase: 'bulk',
        start: from,
        spec: { to },
        estimatedRows: to - from,
      };
    }
  }

  /** The end is read from the configuration by each run, so that a greater `rows` continues the stream. */
  private poll(name: string): Split {
    return { id: name, streams: [name], phase: 'poll', start: 0, spec: null };
  }

  async open(request: OpenRequest, c: Context): Promise<Reader> {
    const { split, at, cuts, reads } = request;
    const { schema, stream: name } = reads[0]!;
    const stream = this.stream(name);
    const generator = new StreamGenerator(this.config.seed, name, stream);
    const bulk = split.phase === 'bulk';
    const end = bulk ? (split.spec as { to: number }).to : rowsOf(this.config, stream);
    const closing = new AbortController();
    const signal = AbortSignal.any([c.signal, closing.signal]);
    const pace = this.config.rate === undefined ? undefined : new Pace(this.config.rate, signal);
    const stops = [...(cuts as number[]), end].sort((a, b) => a - b);

    async function* messages(): AsyncGenerator<Message> {
      let row = at as number;
      let size = FIRST_ROWS;
      while (row < end) {
        signal.throwIfAborted();
        const stop = stops.find((cut) => cut > row)!;
        const count = Math.min(stop - row, size, request.batchRows, pace?.rowsAtOnce ?? Infinity);
        const batch = generator.batch(schema, row, count);
        size = Math.max(1, Math.floor((request.batchBytes * count) / Math.max(1, batch.byteSize)));
        // Far too large, as a first batch of wide rows is: made again with fewer rows, which are the same.
        if (size * 2 < count) continue;
        await pace?.wait(count);
        row += count;
        yield batch;
        yield checkpoint(row, bulk && row === end);
      }
      if (bulk && (at as number) >= end) yield checkpoint(end, true);
    }
    return {
      [Symbol.asyncIterator]: messages,
      async close() {
        closing.abort();
      },
    };
  }

  private stream(name: string): GenerateStream {
    const stream = this.config.streams[name];
    if (stream === undefined)
      throw generateErrors.unknownStream(`there is no stream ${name}`, { details: { stream: name } });
    return stream;
  }
}

/** Spreads rows over time: a row is due `1 / rate` seconds after the one before it. */
class Pace {
  /** A tenth of a second's rows at once keeps timers cheap and the flow even. */
  readonly rowsAtOnce: number;
  private readonly started = performance.now();
  private rows = 0;
  constructor(
    private readonly rate: number,
    private readonly signal: AbortSignal,
  ) {
    this.rowsAtOnce = Math.max(1, Math.floor(rate / 10));
  }
  async wait(count: number): Promise<void> {
    this.rows += count;
    const due = this.started + ((this.rows - 1) / this.rate) * 1000;
    const ms = due - performance.now();
    if (ms > 1) await sleep(ms, undefined, { signal: this.signal });
  }
}

/** Rows to standard output, one text line (or CSV record) each. What was printed cannot be taken back: at least once. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { type CsvWriteOptions, CsvWriter, JsonLinesWriter } from '@sluice/formats';
import {
  type Batch,
  type Clear,
  type Context,
  type FlushWriter,
  formatType,
  type LaneRequest,
  type Sink,
  type SinkCapabilities,
  type SinkStream,
  sdkErrors,
  type TablePlan,
} from '@sluice/sdk';
import { stdoutErrors } from './errors.js';

export interface StdoutSettings extends CsvWriteOptions {
  readonly format: 'jsonl' | 'csv';
  readonly header: boolean;
}

/** What the sink needs of a stream; tests pass one of their own. */
export type Out = Writable;

export class StdoutSink implements Sink {
  readonly capabilities: SinkCapabilities = {
    modes: { append: 'append' },
    transactions: 'partial',
    partialUpdates: false,
    move: false,
    guard: false,
    writers: 1,
    epoch: { ms: 1000 },
  };
  /** Streams whose header has been printed. */
  private readonly begun = new Set<string>();
  private failure: Error | undefined;

  constructor(
    private readonly settings: StdoutSettings,
    private readonly out: Out = process.stdout,
  ) {
    out.on('error', (error: Error) => {
      this.failure = stdoutErrors.closed('standard output was closed', { cause: error });
    });
  }

  async check(): Promise<void> {}

  async identity(): Promise<string> {
    return 'stdout';
  }

  async plan(streams: readonly SinkStream[]): Promise<TablePlan[]> {
    return streams.map(({ stream, schema, write }) => {
      if (write !== 'append')
        throw sdkErrors.notSupported(`stdout has no write mode ${write}`, { details: { stream } });
      const to = this.settings.format === 'csv' ? 'text' : 'JSON';
      const types = schema.fields.map((f) => {
        return { column: f.name, from: formatType(f.type), to, verdict: 'widening' as const };
      });
      const shape = { stream, target: 'stdout', write, schema, types, ddl: [], detail: null };
      return { ...shape, protocol: 'append', publish: 'none', exists: true };
    });
  }

  async attach(): Promise<undefined> {
    return undefined;
  }
  async adopt(): Promise<void> {}
  async applySchema(): Promise<void> {}
  async publish(): Promise<void> {}

  async open(lane: LaneRequest, c: Context): Promise<FlushWriter> {
    const print = (bytes: Uint8Array) => this.print(bytes, c.signal);
    const { settings, begun } = this;
    return {
      protocol: 'append',
      async write(message: Batch | Clear) {
        if (message.kind === 'clear') throw sdkErrors.notSupported('stdout cannot take back what it printed');
        const { fields } = lane.tables.find(({ stream }) => stream === message.stream)!.schema;
        if (settings.format === 'jsonl') {
          await print(new JsonLinesWriter(fields).write(message.columns(), message.rowCount));
          return;
        }
        const writer = new CsvWriter(fields, settings);
        if (settings.header && !begun.has(message.stream)) await print(writer.header());
        begun.add(message.stream);
        await print(writer.write(message.columns(), message.rowCount));
      },
      flush: () => this.flush(),
      async abort() {},
      async close() {},
    };
  }

  /** Returns when the system has everything that was printed. */
  private flush(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.out.write('', (error) => {
        if (error)
          reject(this.failure ?? stdoutErrors.closed('standard output was closed', { cause: error }));
        else resolve();
      });
    });
  }

  /** Returns when the reader of the pipe keeps up. */
  private async print(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (!this.out.write(bytes)) {
      try {
        await once(this.out, 'drain', { signal });
      } catch (error) {
        throw this.failure ?? error;
      }
    }
  }
}

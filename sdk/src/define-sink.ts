/**
 * A whole sink in a few lines, for systems that take rows and have no transactions of their own. The author says
 * how rows are written; plans, lanes and flushing are supplied.
 */
import type { z } from 'zod';
import type { Batch } from './batch.js';
import type { Connector } from './connector.js';
import type { Context } from './context.js';
import { sdkErrors } from './errors.js';
import type { Clear } from './message.js';
import type { FlushWriter, LaneRequest, Sink, SinkCapabilities, SinkStream, TablePlan } from './sink.js';
import { formatType } from './types.js';

export interface WriteRequest<Config> {
  readonly config: Config;
  readonly table: TablePlan;
  readonly batch: Batch;
  readonly c: Context;
}

export interface SinkDefinition<Config> {
  readonly name: string;
  readonly title: string;
  readonly config: z.ZodType<Config>;
  /**
   * The write mode: `append` adds rows (at least once), `upsert` writes by key so that repeating is harmless
   * (effectively once).
   */
  readonly mode: 'append' | 'upsert';
  /** How many writers may work at once (default 1). */
  readonly writers?: number;
  /** Writes the rows of one batch; when it returns they are durable, unless there is a `flush`. */
  write(request: WriteRequest<Config>): Promise<void>;
  /** Returns when everything that was written is durable. */
  flush?(config: Config, c: Context): Promise<void>;
  check?(config: Config, c: Context): Promise<void>;
  identity?(config: Config, c: Context): Promise<string>;
}

/** Declares a sink of rows; a package exports it as its default. */
export function defineSink<Config>(definition: SinkDefinition<Config>): Connector<Config> {
  return {
    name: definition.name,
    title: definition.title,
    config: definition.config,
    sink: { create: (config) => new RowSink(definition, config) },
  };
}

class RowSink<Config> implements Sink {
  readonly capabilities: SinkCapabilities;

  constructor(
    private readonly definition: SinkDefinition<Config>,
    private readonly config: Config,
  ) {
    this.capabilities = {
      modes: definition.mode === 'append' ? { append: 'append' } : { upsert: 'keyed' },
      transactions: 'partial',
      partialUpdates: false,
      move: false,
      guard: false,
      writers: definition.writers ?? 1,
    };
  }

  async check(c: Context): Promise<void> {
    await this.definition.check?.(this.config, c);
  }

  async identity(c: Context): Promise<string> {
    return (await this.definition.identity?.(this.config, c)) ?? this.definition.name;
  }

  async plan(streams: readonly SinkStream[]): Promise<TablePlan[]> {
    return streams.map(({ stream, target, schema, write }) => {
      const protocol = this.capabilities.modes[write];
      if (protocol === undefined) {
        throw sdkErrors.notSupported(`${this.definition.name} has no write mode ${write}`, {
          details: { stream },
        });
      }
      const types = schema.fields.map((f) => {
        const type = formatType(f.type);
        return { column: f.name, from: type, to: type, verdict: 'exact' as const };
      });
      const shape = { stream, target, write, protocol, schema, types, detail: null };
      return { ...shape, publish: 'none' as const, exists: true, ddl: [] };
    });
  }

  async attach(): Promise<undefined> {
    return undefined;
  }
  async adopt(): Promise<void> {}
  async applySchema(): Promise<void> {}
  async publish(): Promise<void> {}

  async open(lane: LaneRequest, c: Context): Promise<FlushWriter> {
    const { definition, config } = this;
    return {
      protocol: definition.mode === 'append' ? 'append' : 'keyed',
      async write(message: Batch | Clear) {
        if (message.kind === 'clear')
          throw sdkErrors.notSupported(`${definition.name} cannot clear a stream`);
        const table = lane.tables.find((plan) => plan.stream === message.stream)!;
        await definition.write({ config, table, batch: message, c });
      },
      async flush() {
        await definition.flush?.(config, c);
      },
      async abort() {},
      async close() {},
    };
  }
}

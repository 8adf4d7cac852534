/**
 * A whole source in a few lines, for systems that are read page by page. The author says which streams there are
 * and how a stream's pages follow each other; splits, batches, checkpoints and resumption are supplied.
 */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { Batch } from './batch.js';
import type { Connector } from './connector.js';
import type { Context } from './context.js';
import type { Json } from './json.js';
import { checkpoint, type Message } from './message.js';
import type { ReadMode } from './modes.js';
import { matchesPattern } from './pattern.js';
import { type StreamSchema, streamSchema } from './schema.js';
import { isSecret } from './secret.js';
import type { Reader, Source, Split } from './source.js';
import { fieldsOf, type RowOf, type TypedColumns } from './typed-columns.js';
import { formatType } from './types.js';
import type { Row } from './values.js';

/** Rows that are read together. `next` is where reading can be taken up behind them, as JSON. */
export interface Page<R> {
  readonly rows: readonly R[];
  readonly next?: Json;
}

export interface ReadRequest<Config> {
  readonly config: Config;
  /** The `next` of the last page that is safe in the sinks; undefined at the beginning. */
  readonly position: Json | undefined;
  readonly signal: AbortSignal;
  readonly c: Context;
}

export interface StreamDefinition<Config, C extends TypedColumns> {
  readonly columns: C;
  readonly key?: readonly (keyof C & string)[];
  /**
   * Yields pages until there are no more. A page without `next` is no place to resume from.
   * In read mode `incremental` the next run continues behind the last `next`.
   */
  read(request: ReadRequest<Config>): AsyncIterable<Page<RowOf<C>>>;
}

export interface SourceDefinition<Config, S extends { readonly [stream: string]: TypedColumns }> {
  readonly name: string;
  readonly title: string;
  readonly config: z.ZodType<Config>;
  readonly streams: { readonly [K in keyof S]: StreamDefinition<Config, S[K]> };
  /** Whether later runs can continue behind the last page (default: no, every run reads everything). */
  readonly incremental?: boolean;
  /** Cheap proof that the system answers. */
  check?(config: Config, c: Context): Promise<void>;
  /** Which system this is; by default the configuration without its secrets. */
  identity?(config: Config, c: Context): Promise<string>;
}

/** Declares a source of pages; a package exports it as its default. */
export function defineSource<Config, const S extends { readonly [stream: string]: TypedColumns }>(
  definition: SourceDefinition<Config, S>,
): Connector<Config> {
  return {
    name: definition.name,
    title: definition.title,
    config: definition.config,
    source: { create: (config) => new PagedSource(definition as unknown as AnyDefinition<Config>, config) },
  };
}

type AnyDefinition<Config> = SourceDefinition<Config, { [stream: string]: TypedColumns }>;

class PagedSource<Config> implements Source {
  readonly capabilities;

  constructor(
    private readonly definition: AnyDefinition<Config>,
    private readonly config: Config,
  ) {
    const modes: ReadMode[] = definition.incremental ? ['full', 'incremental'] : ['full'];
    this.capabilities = { replay: true, modes, incremental: 'none', before: false } as const;
  }

  async check(c: Context): Promise<void> {
    await this.definition.check?.(this.config, c);
  }

  async identity(c: Context): Promise<string> {
    if (this.definition.identity) return this.definition.identity(this.config, c);
    const visible = JSON.stringify(withoutSecrets(this.definition.config, this.config));
    return `${this.definition.name}:${createHash('sha256').update(visible).digest('hex').slice(0, 16)}`;
  }

  async discover(patterns: readonly string[] | undefined) {
    const names = Object.keys(this.definition.streams);
    const chosen = patterns ? names.filter((name) => patterns.some((p) => matchesPattern(p, name))) : names;
    return {
      streams: chosen.map((name) => {
        const schema = this.schemaOf(name);
        const types = schema.fields.map((f) => {
          const type = formatType(f.type);
          return { column: f.name, from: type, to: type, verdict: 'exact' as const };
        });
        return { schema, types };
      }),
    };
  }

  async *splits(reads: Parameters<Source['splits']>[0], known: readonly Split[]): AsyncIterable<Split> {
    for (const { stream, mode } of reads) {
      if (known.some((split) => split.id === stream)) continue;
      yield {
        id: stream,
        streams: [stream],
        phase: mode === 'full' ? 'bulk' : 'poll',
        start: null,
        spec: null,
      };
    }
  }

  async open({ split, at, reads }: Parameters<Source['open']>[0], c: Context): Promise<Reader> {
    const { schema } = reads[0]!;
    const ended = new AbortController();
    const signal = AbortSignal.any([c.signal, ended.signal]);
    const position = at === null ? undefined : at;
    const pages = this.definition.streams[split.streams[0]!]!.read({
      config: this.config,
      position,
      signal,
      c,
    });
    const bulk = split.phase === 'bulk';
    return {
      async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
        let last = at;
        for await (const { rows, next } of pages) {
          if (rows.length > 0) yield Batch.ofRows(schema, rows as readonly Row[]);
          if (next === undefined) continue;
          last = next;
          yield checkpoint(next);
        }
        if (bulk) yield checkpoint(last, true);
      },
      async close() {
        ended.abort();
      },
    };
  }

  private schemaOf(name: string): StreamSchema {
    const { columns, key = [] } = this.definition.streams[name]!;
    return streamSchema(name, fieldsOf(columns), key);
  }
}

function withoutSecrets(schema: z.ZodType, config: unknown): unknown {
  const shape = (schema as { shape?: { [key: string]: z.ZodType } }).shape;
  if (shape === undefined || typeof config !== 'object' || config === null) return config;
  return Object.fromEntries(Object.entries(config).filter(([key]) => !(shape[key] && isSecret(shape[key]))));
}

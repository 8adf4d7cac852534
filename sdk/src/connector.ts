/** A connector: a package that talks to one system and exports a source, a sink or both. */
import type { z } from 'zod';
import type { ErrorFactory } from './errors.js';
import type { Sink } from './sink.js';
import type { Source } from './source.js';

export interface Connector<Config = unknown> {
  /** The name in job files; package `@sluice/connector-<name>` when it is one of ours. */
  readonly name: string;
  /** One line for lists. */
  readonly title: string;
  /** The keys of a connection, each with a description; secrets through `secret()`. */
  readonly config: z.ZodType<Config>;
  readonly source?: {
    /** Per-stream options (`source` in a job's stream). */
    readonly options?: z.ZodType;
    create(config: Config): Source;
  };
  readonly sink?: {
    /** Per-stream options (`options` in a sink's stream). */
    readonly options?: z.ZodType;
    create(config: Config): Sink;
  };
  readonly errors?: { readonly [name: string]: ErrorFactory };
}

/**
 * Declares a connector; a package exports it as its default. Which URLs and file endings mean the connector stands
 * in the package's metadata: `"sluice": { "connector": "postgres", "urls": { "postgres": "url" }, "files": { ".duckdb": "path" } }`,
 * each naming the configuration key that receives the URL or path. The scheme `file` also stands for folders.
 * `"stdio": "source"` (or `"sink"`) makes it what `-` means on that side.
 */
export function defineConnector<Config>(connector: Connector<Config>): Connector<Config> {
  return connector;
}

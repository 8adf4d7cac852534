/** The job file's shape in TypeScript, for jobs written as modules. The engine checks it against its schema. */
import type { JsonObject } from './json.js';
import type { Deletes, ReadMode, SaveMode, WriteMode } from './modes.js';

/** A connection: the connector's name and its own keys, nothing of the engine's. */
export type ConnectionSpec = { connector: string } & JsonObject;

/**
 * Whether a flow that follows changes fails with a stream that something is wrong with (`stop`, the default) or goes on
 * without it (`quarantine`).
 */
export type OnStreamFailureSpec = 'stop' | 'quarantine';

export interface StreamSpec {
  mode?: ReadMode;
  onFailure?: OnStreamFailureSpec;
  key?: string[];
  cursor?: { column: string; clock?: 'database' | 'application'; zone?: string; lag?: string };
  columns?: { [column: string]: { type?: string } };
  /** Options of the source's connector. */
  source?: JsonObject;
  was?: string;
}

/** A transform's name, the streams it is for (default: all) and its own keys. */
export type TransformSpec = { use: string; streams?: string[] } & { [option: string]: unknown };

export interface SinkStreamSpec {
  write?: WriteMode;
  /** What becomes of rows that are deleted at the source, where their changes are read and written by key. */
  deletes?: Deletes;
  save?: SaveMode;
  name?: string;
  /** Options of the sink's connector. */
  options?: JsonObject;
}

export interface SinkSpec extends SinkStreamSpec {
  to: string;
  /** Streams that this sink takes; without it all of the flow. */
  only?: string[];
  /** Whether the flow fails with this sink (`stop`, the default) or goes on without it (`detach`). */
  onFailure?: 'stop' | 'detach';
  streams?: { [pattern: string]: SinkStreamSpec };
  was?: string;
}

/** How the log of a flow of mode `cdc` is treated. */
export interface ChangesSpec {
  /** `copy` (the past first, the default), `now`, or a place of the log. */
  from?: string;
  /** Bytes of its log that the source may keep for the flow: `10GiB`. */
  keep?: string;
  whenOver?: 'warn' | 'pause-copies' | 'drop-and-copy';
}

export interface FlowSpec {
  source: string;
  mode?: ReadMode;
  onFailure?: OnStreamFailureSpec;
  changes?: ChangesSpec;
  rate?: RateSpec;
  streams?: string[] | { [pattern: string]: StreamSpec | false };
  transforms?: TransformSpec[];
  sinks: { [name: string]: SinkSpec };
  was?: string;
}

/** What becomes of what has changed since the last run. */
export type EvolutionSpec = 'evolve' | 'freeze' | 'discard_row' | 'discard_value';

/** How fast is read at most: `5000/s`, `10MiB/s`; also by the minute (`/m`) and hour (`/h`). */
export interface RateSpec {
  rows?: string;
  bytes?: string;
}

export interface EngineSpec {
  $schema?: string;
  version?: 1;
  name: string;
  delivery?: {
    require?: 'exactly-once' | 'effectively-once' | 'at-least-once';
    commit?: { every?: string; rows?: number; bytes?: string };
    except?: string[];
  };
  types?: { lossy?: 'fail' | 'warn' | 'string' };
  schema?: { tables?: EvolutionSpec; columns?: EvolutionSpec; types?: EvolutionSpec };
  /** Tolerates rows that cannot be kept; without it the first one ends the run. */
  errors?: { deadLetter?: string; max?: number | string; window?: string };
  memory?: string;
  /** Of all flows together. */
  rate?: RateSpec;
  parallel?: number;
  /** Start a new generation of streams that a `full` `append` has published already. */
  again?: boolean;
  /** Whether zero rows may replace a table that has some. */
  allowEmpty?: boolean;
  was?: string;
}

export interface LongJob extends EngineSpec {
  connections: { [name: string]: ConnectionSpec };
  flows: { [name: string]: FlowSpec };
}

/** One source and one sink; targets have the names of their streams (the long form can name them otherwise). */
export interface ShortJob extends EngineSpec, Omit<SinkStreamSpec, 'name'> {
  source: ConnectionSpec;
  mode?: ReadMode;
  onFailure?: OnStreamFailureSpec;
  changes?: ChangesSpec;
  streams?: string[] | { [pattern: string]: StreamSpec | false };
  transforms?: TransformSpec[];
  sink: ConnectionSpec;
}

export type JobSpec = ShortJob | LongJob;

/** Declares a job in a TypeScript or JavaScript module, which exports it as its default. */
export function defineJob<const J extends JobSpec>(job: J): J {
  return job;
}

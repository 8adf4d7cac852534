/** The contract of a transform: bound to one stream's schema at plan time, pure per row, applied batch by batch. */
import type { z } from 'zod';
import type { Batch } from './batch.js';
import type { ErrorFactory } from './errors.js';
import type { Clear } from './message.js';
import type { StreamSchema } from './schema.js';

/** Columns of a transform's input, by what it must know of them to apply a change: see {@link Field.unsent}. */
export interface NeededValues {
  /** The value that the row has, in the row itself or, where it is UNCHANGED there, in the before-image. */
  readonly after?: readonly string[];
  /** The value that the row had before it was updated or deleted. */
  readonly before?: readonly string[];
}

/** A transform bound to a schema. */
export interface BoundTransform {
  /** The schema of every batch that `apply` yields. */
  readonly out: StreamSchema;
  /**
   * Where rows go on under other names of streams: those names. Every batch is then of one of the streams that
   * {@link routedStream} makes of them, and no transform follows.
   */
  readonly routes?: readonly string[];
  /** Columns whose values are looked at. */
  readonly reads: readonly string[];
  /** Columns of `out` that are made or changed. */
  readonly writes: readonly string[];
  /** Values that changes must bring; a plan with changes that may come without them fails. Without it: none. */
  readonly needs?: NeededValues;
  /** The rung on which it works. */
  readonly rung: 'columns' | 'rows';
  /** Never changes its input. An empty array, or batches of no rows, when nothing remains. */
  apply(batch: Batch): readonly Batch[];
  /** What becomes of a {@link Clear} of the stream; without it the sink gets it as it is. */
  clear?(message: Clear): Batch | Clear;
}

export interface TransformContext {
  /** Folder that relative paths (say, of a module) start from. */
  readonly cwd: string;
}

export interface Transform<Options = unknown> {
  readonly name: string;
  readonly title: string;
  readonly options: z.ZodType<Options>;
  readonly errors?: { readonly [name: string]: ErrorFactory };
  /** Checks names and types and says what comes out. Throws a coded `config` error; nothing has run yet. */
  bind(schema: StreamSchema, options: Options, c: TransformContext): BoundTransform | Promise<BoundTransform>;
}

/** Declares a transform; the options' type follows from its schema. */
export function defineTransform<Options>(transform: Transform<Options>): Transform<Options> {
  return transform;
}

/**
 * The stream that rows of `from` belong to once a transform has sent them to `to`. Sinks know it by both names: what
 * comes from elsewhere under the same name is another stream.
 */
export function routedStream(from: string, to: string): string {
  return `${from}${ROUTE}${to}`;
}

/** The stream that was read, of one whose rows a transform has sent elsewhere; any other stream itself. */
export function streamBeforeRoute(stream: string): string {
  return stream.split(ROUTE, 1)[0]!;
}

const ROUTE = ' → ';

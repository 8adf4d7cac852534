/**
 * What a job says of one stream. Every pattern that matches has its say, from the broadest to the exact one, on a
 * tie the later in the file: each key replaces what broader patterns said. `columns` are merged column by column,
 * the connector's options key by key. The narrowest pattern alone decides whether the stream is read at all.
 */
import {
  comparePatterns,
  type Deletes,
  isExact,
  matchesAny,
  matchesPattern,
  nearestName,
  type ReadMode,
  type SaveMode,
  type WriteMode,
} from '@sluice/sdk';
import type { Settings } from './check-settings.js';
import type { JobFlow, JobSink, OnStreamFailure, StreamRule } from './job.js';
import type { StreamInput } from './job-schema.js';
import type { Path } from './path-text.js';

/** How the job wants a stream read. */
export interface StreamChoice {
  readonly mode: ReadMode;
  readonly onFailure: OnStreamFailure;
  readonly key?: readonly string[];
  readonly cursor?: NonNullable<StreamInput['cursor']>;
  readonly columns: { readonly [column: string]: { readonly type?: string } };
  /** Options of the source's connector, not checked yet. */
  readonly source: Settings;
  readonly was?: string;
}

/** How the job wants a stream written. */
export interface TargetChoice {
  readonly write?: WriteMode;
  readonly deletes?: Deletes;
  readonly save: SaveMode;
  /** Template of the target's name. */
  readonly name?: string;
  /** Options of the sink's connector, not checked yet. */
  readonly options: Settings;
}

/** The settings of a stream; undefined when it is not part of the flow. */
export function streamSettings(flow: JobFlow, stream: string): StreamChoice | undefined {
  const rules = flow.streams === undefined ? [] : matching(flow.streams, stream);
  if (flow.streams !== undefined && (rules.at(-1)?.spec ?? false) === false) return undefined;
  let choice: Omit<StreamChoice, 'source'> = {
    mode: flow.mode,
    onFailure: flow.onFailure,
    columns: {},
  };
  let source = emptySettings([]);
  for (const { spec, at } of rules) {
    if (spec === false) continue;
    const { source: options, columns = {}, ...rest } = spec;
    choice = { ...choice, ...present(rest), columns: mergeColumns(choice.columns, columns) };
    source = merge(source, options, [...at, 'source']);
  }
  return { ...choice, source };
}

/** How a sink writes a stream; undefined when it does not take it. */
export function targetSettings(sink: JobSink, stream: string): TargetChoice | undefined {
  if (sink.only !== undefined && !matchesAny(sink.only, stream)) return undefined;
  let choice: Omit<TargetChoice, 'options'> = { save: 'keep' };
  let options = emptySettings([]);
  for (const { spec, at } of matching(sink.rules, stream)) {
    const { options: own, ...rest } = spec;
    choice = { ...choice, ...present(rest) };
    options = merge(options, own, [...at, 'options']);
  }
  return { ...choice, options };
}

/** The patterns that streams are to be discovered with; undefined: all streams. */
export function discoveryPatterns({ streams }: JobFlow): string[] | undefined {
  return streams?.filter(({ spec }) => spec !== false).map(({ pattern }) => pattern);
}

/** A name in the job that no stream has. */
export interface UnmatchedName {
  readonly path: Path;
  readonly name: string;
  /** The stream that was probably meant. */
  readonly near?: string;
}

/**
 * Names and patterns of streams, in the flow, its sinks and its transforms, that match none of the streams that the
 * flow reads: probably misspelt.
 */
export function unmatchedNames(flow: JobFlow, streams: readonly string[]): UnmatchedName[] {
  const chosen = flow.streams?.filter(({ spec }) => spec !== false) ?? [];
  const inTransforms = flow.transforms.flatMap(({ streams: patterns = [], settings }) =>
    patterns.map((pattern, i) => ({ pattern, at: [...settings.at, 'streams', i] })),
  );
  const inSinks = flow.sinks.flatMap(({ rules, only = [], at }) => [
    ...only.map((pattern, i) => ({ pattern, at: [...at, 'only', i] })),
    ...rules.slice(1),
  ]);
  return [...chosen, ...inSinks, ...inTransforms]
    .filter(({ pattern }) => !streams.some((stream) => matchesPattern(pattern, stream)))
    .map(({ pattern, at }) => {
      const near = isExact(pattern) ? nearestName(pattern, streams) : undefined;
      return { path: at, name: pattern, ...(near !== undefined && { near }) };
    });
}

function matching<R extends Pick<StreamRule, 'pattern'>>(rules: readonly R[], stream: string): R[] {
  // Sorting is stable: on a tie the order of the file stays.
  return rules
    .filter(({ pattern }) => matchesPattern(pattern, stream))
    .sort((a, b) => comparePatterns(a.pattern, b.pattern));
}

function emptySettings(at: Path): Settings {
  return { values: {}, paths: {}, at };
}

function merge(base: Settings, own: { readonly [key: string]: unknown } | undefined, at: Path): Settings {
  if (own === undefined) return base;
  const paths = Object.fromEntries(Object.keys(own).map((key) => [key, [...at, key]]));
  return { values: { ...base.values, ...own }, paths: { ...base.paths, ...paths }, at };
}

function mergeColumns(base: StreamChoice['columns'], own: StreamChoice['columns']): StreamChoice['columns'] {
  const merged = Object.entries(own).map(([column, spec]) => [column, { ...base[column], ...spec }]);
  return { ...base, ...Object.fromEntries(merged) };
}

/** Without keys that are there but undefined, which would hide what a broader pattern says. */
function present<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** The job that answers stand for. */
import type { ConnectionSpec, JobSpec, ReadMode, ShortJob, StreamSpec, WriteMode } from '@sluice/sdk';

export interface Answers {
  readonly name: string;
  readonly source: ConnectionSpec;
  readonly sink: ConnectionSpec;
  readonly patterns: readonly string[];
  /** Streams that match, and cannot be read. */
  readonly without: readonly string[];
  readonly mode: ReadMode;
  readonly cursor: string | undefined;
  readonly write: WriteMode;
  readonly lossy: 'fail' | 'string';
  /** Template of the targets' names, where these must not be those of the streams. */
  readonly target: string | undefined;
}

/** In the short form, unless the targets have names of their own. Keys that say what is so anyway are left out. */
export function draftJob(answers: Answers): JobSpec {
  const { name, source, sink, mode, write, lossy, target } = answers;
  const streams = streamsOf(answers);
  const flow = { ...(mode !== 'full' && { mode }), ...(streams && { streams }) };
  const types = lossy === 'fail' ? {} : { types: { lossy } };
  if (target === undefined) return { name, source, ...flow, sink, write, ...types };
  return {
    version: 1,
    name,
    connections: { source, sink },
    flows: { main: { source: 'source', ...flow, sinks: { sink: { to: 'sink', name: target, write } } } },
    ...types,
  };
}

function streamsOf({ patterns, without, cursor }: Answers): ShortJob['streams'] {
  if (cursor === undefined && without.length === 0) {
    return patterns.length === 1 && patterns[0] === '*' ? undefined : [...patterns];
  }
  const settings: StreamSpec = cursor === undefined ? {} : { cursor: { column: cursor } };
  return Object.fromEntries([
    ...patterns.map((pattern) => [pattern, { ...settings }]),
    ...without.map((stream) => [stream, false]),
  ]);
}

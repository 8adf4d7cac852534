/** The job that a copy stands for. */
import type {
  ConnectionSpec,
  FlowSpec,
  LongJob,
  ReadMode,
  SaveMode,
  StreamSpec,
  WriteMode,
} from '@sluice/sdk';
import { copyName } from './copy-name.js';

export interface CopyRequest {
  /** The locations as they were given. */
  readonly from: string;
  readonly to: string;
  /** The connections that they mean. */
  readonly source: ConnectionSpec;
  readonly sink: ConnectionSpec;
  readonly streams: readonly string[] | undefined;
  readonly mode: ReadMode;
  readonly cursor: string | undefined;
  readonly key: readonly string[] | undefined;
  readonly write: WriteMode | undefined;
  readonly save: SaveMode | undefined;
  readonly name: string | undefined;
  readonly lossy: 'fail' | 'warn' | 'string';
  /** Keys of either connection that were given beside its location. */
  readonly settings: readonly { readonly [key: string]: string }[];
  /** The job's name, where one is given. */
  readonly job: string | undefined;
}

/** A job with one flow between the two locations. */
export function copyJob(request: CopyRequest, cwd: string): LongJob {
  const { source, sink, mode, write, save, name, lossy } = request;
  return {
    version: 1,
    name: request.job ?? copyName(request, cwd),
    connections: { from: source, to: sink },
    flows: {
      main: {
        source: 'from',
        mode,
        streams: streamsOf(request),
        sinks: {
          main: {
            to: 'to',
            ...(write && { write }),
            ...(save && { save }),
            ...(name !== undefined && { name }),
          },
        },
      },
    },
    types: { lossy },
    // Who asks twice to append everything wants it twice. One that was interrupted is finished first.
    ...(mode === 'full' && { again: true }),
  };
}

function streamsOf({ streams = ['*'], key, cursor }: CopyRequest): NonNullable<FlowSpec['streams']> {
  if (key === undefined && cursor === undefined) return [...streams];
  const settings: StreamSpec = {
    ...(key && { key: [...key] }),
    ...(cursor !== undefined && { cursor: { column: cursor } }),
  };
  return Object.fromEntries(streams.map((pattern) => [pattern, { ...settings }]));
}

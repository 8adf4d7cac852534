/** Run events: the one source of progress, logs and metrics. Plain data; times are epoch milliseconds. */
import type { ErrorClass, Guarantee, JsonObject } from '@sluice/sdk';
import type { LogRules } from './job/job.js';
import type { RunStatus } from './ledger/ledger.js';

/** What one stream has moved so far in this run, on its way to one sink. */
export interface StreamCounts {
  /** Rows and bytes that the reader offered. */
  read: number;
  bytes: number;
  /** Rows that transforms made beyond those read, and rows that they took out. */
  added: number;
  filtered: number;
  /** Rows that were refused on the way or by the sink, and are kept as dead letters. */
  rejected: number;
  /** Rows that the sink accepted, and those of them that are committed. */
  passed: number;
  committed: number;
}

export type RunEvent = { readonly at: number; readonly job: string; readonly run: string } & (
  | { readonly event: 'run.started'; readonly fence: string }
  | {
      readonly event: 'stream.started';
      readonly flow: string;
      readonly stream: string;
      readonly sink: string;
      readonly target: string;
      readonly generation: number;
      readonly guarantee: Guarantee;
      /** False when an unfinished generation is taken up again. */
      readonly fresh: boolean;
      readonly splits: number;
      readonly estimatedRows?: number;
      readonly estimatedBytes?: number;
    }
  | {
      readonly event: 'stream.progress';
      readonly flow: string;
      readonly stream: string;
      readonly sink: string;
      readonly counts: StreamCounts;
    }
  | {
      readonly event: 'epoch.committed';
      readonly flow: string;
      readonly sink: string;
      readonly split: string;
      readonly epoch: number;
      readonly generation: number;
      readonly rows: number;
      readonly bytes: number;
      readonly sealed: boolean;
      /** Milliseconds since the last of its changes was committed at the source, where that is known. */
      readonly delayMs?: number;
    }
  | {
      /** How far what is committed is behind the end of the log; every few seconds. */
      readonly event: 'log.lag';
      readonly flow: string;
      readonly split: string;
      readonly bytes: number;
      /** Bytes of the log that the source keeps for the flow. */
      readonly kept?: number;
    }
  | {
      /** The source keeps more of its log than the job allows; once until it keeps less again. */
      readonly event: 'log.over';
      readonly flow: string;
      readonly split: string;
      readonly kept: number;
      readonly keep: number;
      readonly whenOver: LogRules['whenOver'];
    }
  | {
      readonly event: 'stream.published';
      readonly flow: string;
      readonly stream: string;
      readonly sink: string;
      readonly target: string;
      readonly generation: number;
    }
  | {
      /** The flow goes on without a sink that failed; it keeps its place. */
      readonly event: 'sink.detached';
      readonly flow: string;
      readonly sink: string;
      readonly error: EventError;
    }
  | {
      /** The flow goes on without a stream; also at the start of later runs. It is copied anew when that is asked for. */
      readonly event: 'stream.quarantined';
      readonly flow: string;
      readonly stream: string;
      /** Since when, in epoch milliseconds. */
      readonly since: number;
      readonly error: EventError;
    }
  | {
      readonly event: 'flow.retrying';
      readonly flow: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: EventError;
    }
  | { readonly event: 'run.ended'; readonly result: RunResult }
);

export interface EventError {
  readonly code: string;
  readonly class: ErrorClass;
  readonly message: string;
  readonly help: string;
  readonly details: JsonObject;
}

/** One stream in one sink. */
export interface StreamResult extends StreamCounts {
  readonly flow: string;
  readonly stream: string;
  readonly sink: string;
  readonly target: string;
  readonly generation: number;
  readonly guarantee: Guarantee;
  /** Whether the stream's generation (or increment) is complete and visible. */
  readonly complete: boolean;
}

/** A sink that the run went on without, at its end. */
export interface DetachedResult {
  readonly flow: string;
  readonly sink: string;
  readonly error: EventError;
}

/** A stream that the flow goes on without, at the end of the run. */
export interface QuarantinedResult {
  readonly flow: string;
  readonly stream: string;
  /** Since when, in epoch milliseconds. */
  readonly since: number;
  readonly error: EventError;
}

/** The result of a run: the last line that programs read. */
export interface RunResult {
  readonly job: string;
  readonly run: string;
  readonly status: Exclude<RunStatus, 'running'>;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Rows that are committed, in all sinks, and bytes that were read. */
  readonly rows: number;
  readonly bytes: number;
  readonly streams: readonly StreamResult[];
  /** Only where there are any. */
  readonly detached?: readonly DetachedResult[];
  /** Only where there are any. */
  readonly quarantined?: readonly QuarantinedResult[];
  readonly error?: EventError;
}

export type RunListener = (event: RunEvent) => void;

/** What the ledger knows of a job, as data. */
import type { FlowState, Lease, Ledger, RunRow } from '@sluice/core';
import type { Json } from '@sluice/sdk';

export interface SplitDescription {
  readonly split: string;
  readonly streams: readonly string[];
  readonly generation: number;
  readonly epoch: number;
  readonly position: Json;
  readonly sealed: boolean;
  /** An epoch is staged and not yet known to be published. */
  readonly prepared: boolean;
}

export interface StreamStateDescription {
  readonly stream: string;
  readonly generation: number;
  /** The generation that readers of the target see; 0 before the first. */
  readonly published: number;
  readonly splits: number;
  readonly sealed: number;
}

export interface SinkDescription {
  readonly flow: string;
  readonly sink: string;
  readonly source: string;
  readonly target: string;
  readonly streams: readonly StreamStateDescription[];
  readonly splits: readonly SplitDescription[];
}

export interface QuarantinedDescription {
  readonly flow: string;
  readonly stream: string;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly code: string;
  readonly message: string;
}

export interface StateDescription {
  readonly job: string;
  readonly held?: {
    readonly run: string;
    readonly host: string;
    readonly pid: number;
    readonly until: number;
  };
  readonly runs: readonly RunDescription[];
  readonly sinks: readonly SinkDescription[];
  /** Streams that their flow goes on without. */
  readonly quarantined: readonly QuarantinedDescription[];
}

export interface RunDescription {
  readonly run: string;
  readonly status: RunRow['status'];
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly rows?: number;
  readonly error?: Json;
}

const RUNS = 10;

/** `flows` are the names of the job's flows, where they are known; those of earlier runs are found by themselves. */
export async function describeState(
  ledger: Ledger,
  job: string,
  flows: readonly string[],
): Promise<StateDescription> {
  const [lease, runs] = await Promise.all([ledger.lease(job), ledger.runs(job, RUNS)]);
  const names = new Set([...flows, ...runs.flatMap(flowsOfRun)]);
  const sinks: SinkDescription[] = [];
  const quarantined: QuarantinedDescription[] = [];
  for (const flow of names) {
    const state = await ledger.flow({ job, flow });
    sinks.push(...describeFlowState(flow, state));
    quarantined.push(...describeQuarantined(flow, state));
  }
  const held = lease && { held: describeLease(lease) };
  return { job, ...held, runs: runs.map(describeRun), sinks, quarantined };
}

/** The streams that a flow goes on without. */
export function describeQuarantined(flow: string, { streams }: FlowState): QuarantinedDescription[] {
  return Object.entries(streams).flatMap(([stream, { quarantined }]) => {
    if (quarantined === undefined) return [];
    const { code, message } = quarantined.error;
    return [{ flow, stream, since: quarantined.at, code, message }];
  });
}

function describeLease({ holder: { run, host, pid }, expiresAt }: Lease) {
  return { run, host, pid, until: expiresAt };
}

interface KnownResult {
  readonly rows?: number;
  readonly error?: Json;
  readonly streams?: readonly { readonly flow?: string }[];
}

function flowsOfRun({ result }: RunRow): string[] {
  return ((result as KnownResult | undefined)?.streams ?? []).flatMap(({ flow }) =>
    flow === undefined ? [] : [flow],
  );
}

function describeRun({ run, status, startedAt, endedAt, result }: RunRow): RunDescription {
  const { rows, error } = (result ?? {}) as KnownResult;
  return {
    run,
    status,
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
    ...(rows !== undefined && { rows }),
    ...(error !== undefined && { error }),
  };
}

function describeFlowState(flow: string, { streams, splits, sinks }: FlowState): SinkDescription[] {
  return Object.entries(sinks).map(([sink, { source, target, published, positions }]) => {
    const described = Object.entries(splits).map(([id, { split, generation }]): SplitDescription => {
      const position = positions[id];
      return {
        split: id,
        streams: split.streams,
        generation,
        epoch: position?.epoch ?? 0,
        position: position?.position ?? split.start,
        sealed: position?.sealed ?? false,
        prepared: position?.prepared !== undefined,
      };
    });
    const perStream = Object.entries(streams).map(([stream, { generation }]): StreamStateDescription => {
      const own = described.filter((split) => split.streams.includes(stream));
      const sealed = own.filter((split) => split.sealed).length;
      return {
        stream,
        generation,
        published: published[stream]?.generation ?? 0,
        splits: own.length,
        sealed,
      };
    });
    return { flow, sink, source, target, streams: perStream, splits: described };
  });
}

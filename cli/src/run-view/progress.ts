/** How far a run has come, made from its events: what progress displays show. */
import type { RunEvent, StreamCounts } from '@sluice/core';

export type StreamPhase = 'waiting' | 'copying' | 'retrying' | 'complete';

/** One stream on its way to one sink. */
export interface StreamProgress {
  readonly flow: string;
  readonly stream: string;
  readonly sink: string;
  readonly target: string;
  readonly phase: StreamPhase;
  readonly counts: StreamCounts;
  readonly estimatedRows?: number;
  readonly estimatedBytes?: number;
  /** Rows a second over the last few seconds. */
  readonly rate: number;
  /** Between 0 and 1, where the source gave an estimate. */
  readonly share?: number;
  /** Milliseconds that the rest will take at this rate. */
  readonly remainingMs?: number;
}

interface Sample {
  readonly at: number;
  readonly read: number;
}

interface Entry {
  readonly flow: string;
  readonly stream: string;
  readonly sink: string;
  target: string;
  phase: StreamPhase;
  counts: StreamCounts;
  estimatedRows: number | undefined;
  estimatedBytes: number | undefined;
  samples: Sample[];
}

/** How far back the rate looks. */
const WINDOW_MS = 5000;
const NOTHING: StreamCounts = {
  read: 0,
  bytes: 0,
  added: 0,
  filtered: 0,
  rejected: 0,
  passed: 0,
  committed: 0,
};

export class Progress {
  private readonly entries = new Map<string, Entry>();

  apply(event: RunEvent): void {
    switch (event.event) {
      case 'stream.started': {
        const entry = this.entry(event);
        entry.target = event.target;
        entry.phase = event.splits === 0 ? 'complete' : 'copying';
        entry.estimatedRows = event.estimatedRows;
        entry.estimatedBytes = event.estimatedBytes;
        entry.samples = [{ at: event.at, read: entry.counts.read }];
        break;
      }
      case 'stream.progress': {
        const entry = this.entry(event);
        entry.counts = event.counts;
        if (entry.phase !== 'complete') entry.phase = 'copying';
        addSample(entry, { at: event.at, read: event.counts.read });
        break;
      }
      case 'stream.published':
        this.entry(event).phase = 'complete';
        break;
      case 'flow.retrying':
        for (const entry of this.entries.values()) {
          if (entry.flow === event.flow && entry.phase !== 'complete') entry.phase = 'retrying';
        }
        break;
      case 'run.ended':
        for (const result of event.result.streams) {
          const entry = this.entry(result);
          entry.counts = result;
          if (result.complete) entry.phase = 'complete';
        }
        break;
      default:
    }
  }

  /** The streams in the order in which they were met. */
  streams(now: number): StreamProgress[] {
    return [...this.entries.values()].map((entry) => describe(entry, now));
  }

  private entry({ flow, stream, sink }: Pick<Entry, 'flow' | 'stream' | 'sink'>): Entry {
    const key = `${flow}\n${stream}\n${sink}`;
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = {
        flow,
        stream,
        sink,
        target: stream,
        phase: 'waiting',
        counts: NOTHING,
        estimatedRows: undefined,
        estimatedBytes: undefined,
        samples: [],
      };
      this.entries.set(key, entry);
    }
    return entry;
  }
}

/** Keeps the newest sample that is older than the window, so that the rate covers the window and no less. */
function addSample(entry: Entry, sample: Sample): void {
  entry.samples.push(sample);
  while (entry.samples.length > 2 && entry.samples[1]!.at <= sample.at - WINDOW_MS) entry.samples.shift();
}

function describe(entry: Entry, now: number): StreamProgress {
  const { flow, stream, sink, target, phase, counts, estimatedRows, estimatedBytes, samples } = entry;
  const rate = phase === 'complete' ? 0 : rateOf(samples, now);
  const share = phase === 'complete' ? undefined : shareOf(entry);
  const known = {
    ...(estimatedRows !== undefined && { estimatedRows }),
    ...(estimatedBytes !== undefined && { estimatedBytes }),
  };
  const remainingMs = share !== undefined && rate > 0 ? remaining(entry, share, rate) : undefined;
  return {
    flow,
    stream,
    sink,
    target,
    phase,
    counts,
    ...known,
    rate,
    ...(share !== undefined && { share }),
    ...(remainingMs !== undefined && { remainingMs }),
  };
}

function rateOf(samples: readonly Sample[], now: number): number {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.read === first.read) return 0;
  // Since the last event time has passed too: a source that has fallen silent slows down.
  const elapsed = Math.max(now, last.at) - first.at;
  return elapsed > 0 ? ((last.read - first.read) * 1000) / elapsed : 0;
}

/** An estimate that was too low says nothing more: it is then not shown. */
function shareOf({ counts, estimatedRows, estimatedBytes }: Entry): number | undefined {
  if (estimatedRows !== undefined && estimatedRows > 0 && counts.read <= estimatedRows)
    return counts.read / estimatedRows;
  if (
    estimatedRows === undefined &&
    estimatedBytes !== undefined &&
    counts.bytes <= estimatedBytes &&
    estimatedBytes > 0
  ) {
    return counts.bytes / estimatedBytes;
  }
  return undefined;
}

function remaining({ counts, estimatedRows }: Entry, share: number, rate: number): number | undefined {
  if (estimatedRows !== undefined) return ((estimatedRows - counts.read) / rate) * 1000;
  return share > 0 ? ((counts.read / share - counts.read) / rate) * 1000 : undefined;
}

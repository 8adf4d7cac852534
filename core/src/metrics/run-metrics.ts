/** The metrics of one run, made from its events. */
import type { RunEvent, StreamCounts } from '../events.js';
import { exposition, type Sample } from './exposition.js';
import { type MetricFamily, metricFamilies, RUN_STATES } from './metric-families.js';

export interface RunMetricsOptions {
  readonly job: string;
  /** Of the program. */
  readonly version: string;
  /** Takes secrets out of the labels' values. */
  readonly redact?: (text: string) => string;
  readonly now?: () => number;
}

/** Which count of a stream goes into which counter. */
const COUNTERS = {
  read: metricFamilies.read,
  bytes: metricFamilies.bytes,
  added: metricFamilies.added,
  filtered: metricFamilies.filtered,
  rejected: metricFamilies.rejected,
  passed: metricFamilies.passed,
  committed: metricFamilies.committed,
} as const satisfies { readonly [Count in keyof StreamCounts]: MetricFamily };

interface StreamName {
  readonly flow: string;
  readonly stream: string;
  readonly sink: string;
}

export class RunMetrics {
  private readonly values = new Map<MetricFamily, Map<string, Sample>>();
  /** What each stream's counts were when they were last met. */
  private readonly counts = new Map<string, StreamCounts>();
  private readonly now: () => number;
  private startedAt: number;
  private endedAt: number | undefined;
  private status: (typeof RUN_STATES)[number] = 'running';

  constructor(private readonly options: RunMetricsOptions) {
    this.now = options.now ?? Date.now;
    this.startedAt = this.now();
  }

  readonly listener = (event: RunEvent): void => {
    switch (event.event) {
      case 'run.started':
        this.startedAt = event.at;
        break;
      case 'stream.started':
        this.meet(event);
        this.set(metricFamilies.quarantined, [this.options.job, event.flow, event.stream], 0);
        break;
      case 'stream.progress':
        this.count(event, event.counts, event.at);
        break;
      case 'epoch.committed':
        this.add(metricFamilies.epochs, this.sink(event), 1);
        this.set(metricFamilies.sinkCommit, this.sink(event), event.at / 1000);
        if (event.delayMs !== undefined)
          this.set(metricFamilies.delay, this.sink(event), event.delayMs / 1000);
        break;
      case 'log.lag':
        this.set(metricFamilies.lag, [this.options.job, event.flow], event.bytes);
        if (event.kept !== undefined)
          this.set(metricFamilies.kept, [this.options.job, event.flow], event.kept);
        break;
      case 'stream.published':
        this.set(metricFamilies.complete, this.stream(event), 1);
        break;
      case 'sink.detached':
        this.set(metricFamilies.detached, this.sink(event), 1);
        break;
      case 'stream.quarantined':
        this.set(metricFamilies.quarantined, [this.options.job, event.flow, event.stream], 1);
        break;
      case 'flow.retrying':
        this.add(metricFamilies.retries, [this.options.job, event.flow], 1);
        // The next attempt works with all sinks again.
        for (const { labels } of this.samples(metricFamilies.detached)) {
          if (labels[1] === event.flow) this.set(metricFamilies.detached, labels, 0);
        }
        break;
      case 'run.ended': {
        const { status, startedAt, endedAt, streams, detached = [] } = event.result;
        this.status = status;
        this.startedAt = startedAt;
        this.endedAt = endedAt;
        for (const result of streams) {
          this.count(result, result, event.at);
          this.set(metricFamilies.complete, this.stream(result), result.complete ? 1 : 0);
        }
        for (const sink of detached) this.set(metricFamilies.detached, this.sink(sink), 1);
        break;
      }
      default:
    }
  };

  /** All metrics in Prometheus' text format. */
  text(): string {
    this.measure();
    const { redact = (text) => text } = this.options;
    return exposition(
      Object.values(metricFamilies).map((family) => ({
        family,
        samples: this.samples(family).map(({ labels, value }) => ({ labels: labels.map(redact), value })),
      })),
    );
  }

  /** What no event tells. */
  private measure(): void {
    const { job, version } = this.options;
    const { rss, heapUsed, external } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    this.set(metricFamilies.build, [job, version, process.versions.node], 1);
    for (const state of RUN_STATES) {
      this.set(metricFamilies.status, [job, state], state === this.status ? 1 : 0);
    }
    this.set(metricFamilies.startTime, [job], this.startedAt / 1000);
    if (this.endedAt !== undefined) this.set(metricFamilies.endTime, [job], this.endedAt / 1000);
    this.set(metricFamilies.duration, [job], ((this.endedAt ?? this.now()) - this.startedAt) / 1000);
    this.set(metricFamilies.residentMemory, [job], rss);
    this.set(metricFamilies.heapMemory, [job], heapUsed);
    this.set(metricFamilies.externalMemory, [job], external);
    this.set(metricFamilies.cpu, [job], (user + system) / 1e6);
  }

  /** A stream's metrics exist, with zeros, from its start: a rate over them then misses nothing. */
  private meet(name: StreamName): void {
    const labels = this.stream(name);
    for (const family of Object.values(COUNTERS)) this.add(family, labels, 0);
    this.add(metricFamilies.complete, labels, 0);
    this.add(metricFamilies.epochs, this.sink(name), 0);
    this.add(metricFamilies.detached, this.sink(name), 0);
    this.add(metricFamilies.retries, [this.options.job, name.flow], 0);
  }

  /**
   * Counts fall when an epoch is given up; a counter may not. What is then read once more counts once more: it was
   * work that was done.
   */
  private count(name: StreamName, counts: StreamCounts, at: number): void {
    this.meet(name);
    const labels = this.stream(name);
    const key = labels.join('\n');
    const before = this.counts.get(key);
    for (const [count, family] of Object.entries(COUNTERS) as [keyof StreamCounts, MetricFamily][]) {
      this.add(family, labels, Math.max(0, counts[count] - (before?.[count] ?? 0)));
    }
    if (counts.committed > (before?.committed ?? 0)) {
      this.set(metricFamilies.streamCommit, labels, at / 1000);
    }
    const { read, bytes, added, filtered, rejected, passed, committed } = counts;
    this.counts.set(key, { read, bytes, added, filtered, rejected, passed, committed });
  }

  private stream({ flow, stream, sink }: StreamName): readonly string[] {
    return [this.options.job, flow, stream, sink];
  }

  private sink({ flow, sink }: Pick<StreamName, 'flow' | 'sink'>): readonly string[] {
    return [this.options.job, flow, sink];
  }

  private samples(family: MetricFamily): Sample[] {
    return [...(this.values.get(family)?.values() ?? [])];
  }

  private add(family: MetricFamily, labels: readonly string[], value: number): void {
    const before = this.values.get(family)?.get(labels.join('\n'))?.value ?? 0;
    this.set(family, labels, before + value);
  }

  private set(family: MetricFamily, labels: readonly string[], value: number): void {
    let samples = this.values.get(family);
    if (samples === undefined) {
      samples = new Map();
      this.values.set(family, samples);
    }
    samples.set(labels.join('\n'), { labels, value });
  }
}

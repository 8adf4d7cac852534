import { describe, expect, it } from 'vitest';
import type { RunEvent, RunResult, StreamCounts, StreamResult } from '../events.js';
import { exposition } from './exposition.js';
import { metricFamilies } from './metric-families.js';
import { RunMetrics } from './run-metrics.js';

const NOTHING: StreamCounts = {
  read: 0,
  bytes: 0,
  added: 0,
  filtered: 0,
  rejected: 0,
  passed: 0,
  committed: 0,
};
const NAME = { flow: 'main', stream: 'public.orders', sink: 'lake' };
const STREAM = '{job_name="shop",flow="main",stream="public.orders",sink="lake"}';
const SINK = '{job_name="shop",flow="main",sink="lake"}';

class Bench {
  readonly metrics = new RunMetrics({ job: 'shop', version: '1.2.3', now: () => 90_000 });

  tell(at: number, event: { readonly event: string; readonly [key: string]: unknown }): this {
    this.metrics.listener({ at, job: 'shop', run: 'r', ...event } as RunEvent);
    return this;
  }

  start(): this {
    return this.tell(60_000, { event: 'run.started', fence: '1' }).tell(60_000, {
      event: 'stream.started',
      ...NAME,
      target: 't',
      generation: 1,
      guarantee: 'exactly once',
      fresh: true,
      splits: 1,
    });
  }

  counts(at: number, counts: Partial<StreamCounts>): this {
    return this.tell(at, { event: 'stream.progress', ...NAME, counts: { ...NOTHING, ...counts } });
  }

  end(status: RunResult['status'], more: Partial<RunResult> = {}, counts: Partial<StreamResult> = {}): this {
    const stream = { ...NOTHING, ...NAME, complete: true, ...counts };
    const result = { status, startedAt: 60_000, endedAt: 72_500, streams: [stream], ...more };
    return this.tell(72_500, { event: 'run.ended', result });
  }

  /** The value of a sample; undefined where there is none. */
  value(sample: string): string | undefined {
    return this.metrics
      .text()
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.slice(sample.length + 1);
  }
}

describe('metrics of a run', () => {
  it('say how it stands while it is under way and when it has ended', () => {
    const bench = new Bench().start();
    expect(bench.value('sluice_run_status{job_name="shop",status="running"}')).toBe('1');
    expect(bench.value('sluice_run_duration_seconds{job_name="shop"}')).toBe('30');
    expect(bench.value('sluice_run_end_timestamp_seconds{job_name="shop"}')).toBeUndefined();
    bench.end('failed', {}, { complete: false });
    expect(bench.value('sluice_run_status{job_name="shop",status="running"}')).toBe('0');
    expect(bench.value('sluice_run_status{job_name="shop",status="failed"}')).toBe('1');
    expect(bench.value('sluice_run_duration_seconds{job_name="shop"}')).toBe('12.5');
    expect(bench.value('sluice_run_end_timestamp_seconds{job_name="shop"}')).toBe('72.5');
    expect(bench.value(`sluice_stream_complete${STREAM}`)).toBe('0');
  });

  it('begin at zero with their stream', () => {
    const bench = new Bench().start();
    for (const name of ['rows_read', 'read_bytes', 'rows_rejected', 'rows_committed']) {
      expect(bench.value(`sluice_${name}_total${STREAM}`), name).toBe('0');
    }
    expect(bench.value(`sluice_epochs_committed_total${SINK}`)).toBe('0');
    expect(bench.value(`sluice_stream_last_commit_timestamp_seconds${STREAM}`)).toBeUndefined();
  });

  it('count what streams count, up to the end', () => {
    const bench = new Bench().start().counts(61_000, { read: 10, bytes: 500, rejected: 1, passed: 9 });
    bench.end(
      'succeeded',
      {},
      { read: 30, bytes: 900, added: 2, filtered: 3, rejected: 4, passed: 25, committed: 25 },
    );
    const values = [
      'rows_read',
      'read_bytes',
      'rows_added',
      'rows_filtered',
      'rows_rejected',
      'rows_passed',
      'rows_committed',
    ];
    expect(values.map((name) => bench.value(`sluice_${name}_total${STREAM}`))).toEqual([
      '30',
      '900',
      '2',
      '3',
      '4',
      '25',
      '25',
    ]);
    expect(bench.value(`sluice_stream_complete${STREAM}`)).toBe('1');
  });

  it('never fall when an epoch is given up, and count what is read once more', () => {
    const bench = new Bench().start().counts(61_000, { read: 10, committed: 4 });
    bench.counts(62_000, { read: 4, committed: 4 });
    expect(bench.value(`sluice_rows_read_total${STREAM}`)).toBe('10');
    bench.counts(63_000, { read: 12, committed: 12 });
    expect(bench.value(`sluice_rows_read_total${STREAM}`)).toBe('18');
    expect(bench.value(`sluice_rows_committed_total${STREAM}`)).toBe('12');
  });

  it('tell when something was committed last', () => {
    const bench = new Bench().start().counts(61_000, { read: 10, committed: 4 });
    bench.counts(65_000, { read: 20, committed: 4 });
    expect(bench.value(`sluice_stream_last_commit_timestamp_seconds${STREAM}`)).toBe('61');
    const epoch = { event: 'epoch.committed', flow: 'main', sink: 'lake', split: 's', epoch: 1 };
    bench.tell(64_500, epoch).tell(66_500, epoch);
    expect(bench.value(`sluice_sink_last_commit_timestamp_seconds${SINK}`)).toBe('66.5');
    expect(bench.value(`sluice_epochs_committed_total${SINK}`)).toBe('2');
  });

  it('tell how far a log is behind, and how long changes take', () => {
    const bench = new Bench().start();
    const epoch = { event: 'epoch.committed', flow: 'main', sink: 'lake', split: 's', epoch: 1 };
    bench.tell(61_000, { ...epoch, delayMs: 250 }).tell(62_000, epoch);
    expect(bench.value(`sluice_sink_delay_seconds${SINK}`)).toBe('0.25');
    bench.tell(63_000, { event: 'log.lag', flow: 'main', split: 's', bytes: 5000, kept: 9000 });
    expect(bench.value('sluice_log_lag_bytes{job_name="shop",flow="main"}')).toBe('5000');
    expect(bench.value('sluice_log_kept_bytes{job_name="shop",flow="main"}')).toBe('9000');
  });

  it('know sinks that are left behind until the next attempt takes them along, and retries', () => {
    const bench = new Bench().start().tell(61_000, { event: 'sink.detached', flow: 'main', sink: 'lake' });
    expect(bench.value(`sluice_sink_detached${SINK}`)).toBe('1');
    bench.tell(62_000, { event: 'flow.retrying', flow: 'main', attempt: 1, delayMs: 1 });
    expect(bench.value(`sluice_sink_detached${SINK}`)).toBe('0');
    expect(bench.value('sluice_flow_retries_total{job_name="shop",flow="main"}')).toBe('1');
    bench.end('succeeded', { detached: [{ flow: 'main', sink: 'lake', error: {} as never }] });
    expect(bench.value(`sluice_sink_detached${SINK}`)).toBe('1');
  });

  it('know streams that are left out until they are taken in again', () => {
    const bench = new Bench().start();
    const sample = 'sluice_stream_quarantined{job_name="shop",flow="main",stream="public.orders"}';
    expect(bench.value(sample)).toBe('0');
    bench.tell(61_000, { event: 'stream.quarantined', flow: 'main', stream: 'public.orders', since: 61_000 });
    expect(bench.value(sample)).toBe('1');
    bench.start();
    expect(bench.value(sample)).toBe('0');
  });

  it('all name the job, since a collector of text files takes no sample twice', () => {
    const samples = new Bench().start().end('succeeded').metrics.text().split('\n');
    const own = samples.filter((line) => line !== '' && !line.startsWith('#'));
    expect(own.filter((line) => !line.includes('{job_name="shop"'))).toEqual([]);
    expect(own.length).toBeGreaterThan(20);
  });

  it('hide secrets in names', () => {
    const metrics = new RunMetrics({
      job: 'shop',
      version: '1',
      redact: (text) => text.replaceAll('not-a-real-secret', '***'),
    });
    metrics.listener({
      at: 1,
      job: 'shop',
      run: 'r',
      event: 'sink.detached',
      flow: 'main',
      sink: 'x-not-a-real-secret',
      error: {} as never,
    });
    expect(metrics.text()).toContain('sluice_sink_detached{job_name="shop",flow="main",sink="x-***"} 1');
    expect(metrics.text()).not.toContain('not-a-real-secret');
  });
});

describe('the text format', () => {
  it('escapes what would break a line, and writes every number', () => {
    const family = { name: 'sluice_x', type: 'gauge', help: 'a \\ and\nb', labels: ['l'] } as const;
    const samples = [
      { labels: ['a"b\\c\nd'], value: 1.5 },
      { labels: ['e'], value: Number.POSITIVE_INFINITY },
      { labels: ['f'], value: Number.NaN },
      { labels: ['g'], value: 1e21 },
    ];
    expect(exposition([{ family, samples }])).toBe(
      [
        '# HELP sluice_x a \\\\ and\\nb',
        '# TYPE sluice_x gauge',
        'sluice_x{l="a\\"b\\\\c\\nd"} 1.5',
        'sluice_x{l="e"} +Inf',
        'sluice_x{l="f"} NaN',
        'sluice_x{l="g"} 1e+21',
        '',
      ].join('\n'),
    );
  });

  it('leaves out families without samples', () => {
    expect(exposition([{ family: metricFamilies.endTime, samples: [] }])).toBe('');
  });
});

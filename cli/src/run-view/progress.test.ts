import type { RunEvent, StreamCounts } from '@sluice/core';
import { describe, expect, it } from 'vitest';
import { Progress } from './progress.js';

const base = { job: 'j', run: 'r', flow: 'main', stream: 's', sink: 'main' } as const;
const counts = (read: number, bytes = read * 10): StreamCounts => ({
  read,
  bytes,
  added: 0,
  filtered: 0,
  rejected: 0,
  passed: read,
  committed: 0,
});
const started = (
  at: number,
  more: { splits?: number; estimatedRows?: number; estimatedBytes?: number } = {},
): RunEvent => ({
  ...base,
  at,
  event: 'stream.started',
  target: 't',
  generation: 1,
  guarantee: 'exactly once',
  fresh: true,
  splits: 1,
  ...more,
});
const progressed = (at: number, read: number): RunEvent => ({
  ...base,
  at,
  event: 'stream.progress',
  counts: counts(read),
});

describe('progress', () => {
  it('has rate, share and remaining time from estimates', () => {
    const progress = new Progress();
    progress.apply(started(0, { estimatedRows: 1000 }));
    progress.apply(progressed(1000, 100));
    progress.apply(progressed(2000, 200));
    expect(progress.streams(2000)).toMatchObject([
      { stream: 's', target: 't', phase: 'copying', rate: 100, share: 0.2, remainingMs: 8000 },
    ]);
  });

  it('looks back a few seconds only', () => {
    const progress = new Progress();
    progress.apply(started(0));
    for (let second = 1; second <= 10; second++) progress.apply(progressed(second * 1000, 1000 * second));
    for (let second = 11; second <= 20; second++) progress.apply(progressed(second * 1000, 10_000 + second));
    expect(progress.streams(20_000)[0]!.rate).toBeCloseTo(1, 5);
  });

  it('slows down when nothing comes any more', () => {
    const progress = new Progress();
    progress.apply(started(0));
    progress.apply(progressed(1000, 100));
    expect(progress.streams(4000)[0]!.rate).toBe(25);
  });

  it('estimates by bytes where rows are not known', () => {
    const progress = new Progress();
    progress.apply(started(0, { estimatedBytes: 4000 }));
    progress.apply(progressed(1000, 100));
    expect(progress.streams(1000)[0]).toMatchObject({ share: 0.25, remainingMs: 3000 });
  });

  it('shows no share once an estimate proved too low', () => {
    const progress = new Progress();
    progress.apply(started(0, { estimatedRows: 50 }));
    progress.apply(progressed(1000, 100));
    expect(progress.streams(1000)[0]).not.toHaveProperty('share');
  });

  it('tells streams that have nothing to read, wait again, or are complete', () => {
    const progress = new Progress();
    progress.apply(started(0, { splits: 0 }));
    expect(progress.streams(0)[0]!.phase).toBe('complete');
    const other = new Progress();
    other.apply(started(0));
    const error = { code: 'X', class: 'transient', message: 'm', help: 'h', details: {} } as const;
    other.apply({
      at: 1,
      job: 'j',
      run: 'r',
      event: 'flow.retrying',
      flow: 'main',
      attempt: 1,
      delayMs: 5,
      error,
    });
    expect(other.streams(1)[0]!.phase).toBe('retrying');
    other.apply(progressed(2, 5));
    expect(other.streams(2)[0]!.phase).toBe('copying');
    other.apply({ ...base, at: 3, event: 'stream.published', target: 't', generation: 1 });
    expect(other.streams(3)[0]).toMatchObject({ phase: 'complete', rate: 0 });
  });
});

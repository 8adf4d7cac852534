import type { RunResult, StreamResult } from '@sluice/core';
import { expect, it } from 'vitest';
import { colours } from '../output/colours.js';
import { resultLines } from './result-lines.js';

const stream: StreamResult = {
  flow: 'main',
  stream: 'orders',
  sink: 'main',
  target: 'lake.orders',
  generation: 1,
  guarantee: 'exactly once',
  complete: true,
  read: 1500,
  bytes: 12_000,
  added: 0,
  filtered: 500,
  rejected: 0,
  passed: 1000,
  committed: 1000,
};
const result: RunResult = {
  job: 'shop',
  run: 'r',
  status: 'succeeded',
  startedAt: 0,
  endedAt: 2000,
  rows: 1000,
  bytes: 12_000,
  streams: [stream],
};

it('is a sentence and a table', () => {
  expect(resultLines(result, colours(false))).toEqual([
    '✔ shop: 1,000 rows in 2.0 s (12.0 kB, 500 rows/s)',
    '',
    'stream  target        read  filtered  written  delivered     state',
    'orders  lake.orders  1,500       500    1,000  exactly once  complete',
  ]);
});

it('says when nothing was new, and what becomes of a run that did not end', () => {
  const idle = { ...result, rows: 0, bytes: 0, streams: [{ ...stream, read: 0, filtered: 0, committed: 0 }] };
  expect(resultLines(idle, colours(false))).toEqual([
    '✔ shop: 0 rows in 2.0 s (0 B)',
    '',
    'stream  target       read  filtered  written  delivered     state',
    'orders  lake.orders     0         0        0  exactly once  no new rows',
    '',
    'There was no new rows.',
  ]);
  const stopped = { ...result, status: 'stopped', streams: [{ ...stream, complete: false }] } as const;
  const lines = resultLines(stopped, colours(false));
  expect(lines[0]).toBe('■ shop was stopped: 1,000 rows in 2.0 s (12.0 kB, 500 rows/s)');
  expect(lines.at(-1)).toMatch(/continues from the last committed position/);
  expect(resultLines({ ...result, status: 'failed', streams: [] }, colours(false))).toHaveLength(1);
});

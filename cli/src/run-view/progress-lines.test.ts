import { describe, expect, it } from 'vitest';
import { cellWidth } from '../output/cells.js';
import { colours } from '../output/colours.js';
import type { StreamProgress } from './progress.js';
import { progressLines } from './progress-lines.js';

const stream = (more: Partial<StreamProgress> = {}): StreamProgress => ({
  flow: 'main',
  sink: 'main',
  stream: 'public.orders',
  target: 'lake.orders',
  phase: 'copying',
  counts: { read: 1_204_000, bytes: 13_493_022, added: 0, filtered: 0, rejected: 0, passed: 0, committed: 0 },
  estimatedRows: 3_000_000,
  rate: 82_000,
  share: 0.4,
  remainingMs: 22_000,
  ...more,
});
const screen = (width: number, height = 24) => ({ width, height, colours: colours(false), frame: 0 });

describe('progress lines', () => {
  it('show everything on a wide terminal', () => {
    expect(progressLines([stream()], screen(120))).toEqual([
      '⠋ public.orders     1,204,000   40%  82.0k rows/s  ETA 22.0 s     13.5 MB  ━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌  → lake.orders',
    ]);
  });

  it('keep what matters on a narrow one', () => {
    expect(progressLines([stream()], screen(40))).toEqual(['⠋ public.orders   1.2M   40%  82.0k/s']);
  });

  it('are never wider than the terminal', () => {
    const streams = [
      stream(),
      stream({ stream: `日本${'x'.repeat(200)}`, phase: 'complete' }),
      stream({ phase: 'waiting' }),
    ];
    for (let width = 1; width <= 140; width++) {
      for (const line of progressLines(streams, screen(width))) {
        expect(cellWidth(line), `${width}: ${line}`).toBeLessThanOrEqual(Math.max(width, 2));
      }
    }
  });

  it('are never more than fit the height; streams under way come first', () => {
    const streams = Array.from({ length: 50 }, (_, i) =>
      stream({ stream: `s${i}`, phase: i === 40 ? 'copying' : 'complete' }),
    );
    const lines = progressLines(streams, screen(100, 10));
    expect(lines).toHaveLength(8);
    expect(lines.some((line) => line.includes('s40'))).toBe(true);
    expect(lines.at(-1)).toBe('  and 43 more, 43 of them complete');
  });

  it('say when there was no new rows', () => {
    const counts = { read: 0, bytes: 0, added: 0, filtered: 0, rejected: 0, passed: 0, committed: 0 };
    expect(progressLines([stream({ phase: 'complete', counts, share: undefined })], screen(80))[0]).toContain(
      'no new rows',
    );
  });
});

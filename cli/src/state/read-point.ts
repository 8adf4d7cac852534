/** A point of a job's history as it is named on the command line. */
import type { RunRow } from '@sluice/core';
import { UsageProblem } from '../arguments/usage-problem.js';

/** What can be said: in help and in mistakes. */
export const POINTS =
  'a run (its id, or how it begins: the state at its end), a time such as 2026-03-01T12:00Z, start, or now';

const SHORTEST = 4;

/** Epoch milliseconds. Throws a usage problem for what names no point, or a run that has not ended. */
export function readPoint(text: string, runs: readonly RunRow[], now: number): number {
  if (text === 'start') return 0;
  if (text === 'now') return now;
  const meant = text.length < SHORTEST ? [] : runs.filter(({ run }) => run.startsWith(text));
  if (meant.length > 1) throw new UsageProblem(`${meant.length} runs begin with "${text}"`);
  const [run] = meant;
  if (run !== undefined) {
    if (run.endedAt !== undefined) return run.endedAt;
    throw new UsageProblem(`run ${run.run} has no end that is known; name a time instead`);
  }
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new UsageProblem(`"${text}" is no point of the job’s history: ${POINTS}`);
}

/**
 * Compares commands that do the same work, honestly: they take turns, every run's landed rows are counted, and the
 * floor also runs against itself (A/A), which shows how far apart two equal things are on this machine today.
 */
import { type Command, type Measured, measure } from './process-run.js';

export interface Contender {
  readonly command: Command;
  /** Puts everything back before a run; not measured. */
  readonly prepare: () => Promise<void>;
  /** Rows that are in the target after a run, counted by a reader of the target's own. */
  readonly landed: () => Promise<number>;
}

export interface Comparison {
  readonly name: string;
  readonly floor: Contender;
  readonly ours: Contender;
  readonly rows: number;
  /** Rows that ours is to land, where they are not all of them. */
  readonly oursRows?: number;
  /** The ratio that ours must not exceed. */
  readonly atMost: number;
  /** Stops what the comparison has started. */
  readonly close?: () => Promise<void>;
}

export interface Outcome {
  readonly name: string;
  readonly rows: number;
  readonly rounds: number;
  readonly floorSeconds: number;
  readonly oursSeconds: number;
  /** Median over rounds of ours against the mean of the two floor runs around it. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  /** Median over rounds of the second floor run against the first: 1 on a quiet machine. */
  readonly aa: number;
  readonly atMost: number;
  readonly oursPeakMiB: number;
  readonly within: boolean;
}

/** Runs `rounds` of floor, ours, floor, after one of each that does not count. */
export async function compare(of: Comparison, rounds: number, say: (line: string) => void): Promise<Outcome> {
  await once(of.floor, of.rows);
  const oursRows = of.oursRows ?? of.rows;
  await once(of.ours, oursRows);
  const ratios: number[] = [];
  const aas: number[] = [];
  const floors: number[] = [];
  const ours: number[] = [];
  let peak = 0;
  for (let round = 1; round <= rounds; round++) {
    const before = await once(of.floor, of.rows);
    const mine = await once(of.ours, oursRows);
    const after = await once(of.floor, of.rows);
    const floor = (before.seconds + after.seconds) / 2;
    ratios.push(mine.seconds / floor);
    aas.push(after.seconds / before.seconds);
    floors.push(before.seconds, after.seconds);
    ours.push(mine.seconds);
    peak = Math.max(peak, mine.peakMiB);
    say(
      `  round ${round}: floor ${before.seconds.toFixed(2)} s and ${after.seconds.toFixed(2)} s, ours ${mine.seconds.toFixed(2)} s, ratio ${(mine.seconds / floor).toFixed(2)}`,
    );
  }
  const ratio = median(ratios);
  return {
    name: of.name,
    rows: of.rows,
    rounds,
    floorSeconds: median(floors),
    oursSeconds: median(ours),
    ratio,
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    aa: median(aas),
    atMost: of.atMost,
    oursPeakMiB: peak,
    within: ratio <= of.atMost,
  };
}

async function once({ command, prepare, landed }: Contender, rows: number): Promise<Measured> {
  await prepare();
  const measured = await measure(command);
  const there = await landed();
  if (there !== rows) throw new Error(`${command.name}: ${there} rows landed, not ${rows}`);
  return measured;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

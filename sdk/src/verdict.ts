/** What a mapping of one type onto another does to values. */

/**
 * - `exact`: the same values, distinguishable as before.
 * - `widening`: every value is kept; the target could hold more.
 * - `lossy`: some values would change or cannot be kept.
 */
export type Verdict = 'exact' | 'widening' | 'lossy';

/** The mapping of one column, as plans show it. */
export interface TypeVerdict {
  readonly column: string;
  /** The type's text on either side of this mapping: `numeric(12,2)` → `decimal(12,2)`. */
  readonly from: string;
  readonly to: string;
  readonly verdict: Verdict;
  /** What is lost, for `lossy`: "NaN and infinity have no place". */
  readonly note?: string;
}

/** The worse of two verdicts. */
export function worst(a: Verdict, b: Verdict): Verdict {
  if (a === 'lossy' || b === 'lossy') return 'lossy';
  return a === 'widening' || b === 'widening' ? 'widening' : 'exact';
}

/**
 * How the history of epochs is thinned by age: everything of the last day, then the last epoch of each hour for a
 * week, then the last of each day. The newest epoch of a split is the last of its span and so always stays.
 */
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How often a ledger thins: often enough to stay small, seldom enough to cost a commit nothing. */
const THIN_EVERY = HOUR;

/** Whether it is time to thin again; also where the last time lies ahead, as the clock has been set back since. */
export function isThinTime(now: number, thinnedAt: number): boolean {
  return Math.abs(now - thinnedAt) >= THIN_EVERY;
}

/** Epochs older than `all` are thinned to one an hour, those older than `hourly` to one a day. */
export function historyBounds(now: number): { readonly all: number; readonly hourly: number } {
  return { all: now - DAY, hourly: now - 7 * DAY };
}

/** The span of which one epoch is kept; undefined for an epoch that is too young to be thinned. Negative: a day. */
export function historySpan(at: number, now: number): number | undefined {
  const { all, hourly } = historyBounds(now);
  if (at >= all) return undefined;
  return at >= hourly ? Math.floor(at / HOUR) : -1 - Math.floor(at / DAY);
}

/** {@link historySpan} in SQL, for rows older than `all`; `?` is `hourly`. */
export const HISTORY_SPAN_SQL = `CASE WHEN at >= ? THEN at / ${HOUR} ELSE -1 - at / ${DAY} END`;

// What a test run amounted to, and the one line that says so.

/** How the reason of a skip begins when a test wants a vendor's specification that is not there. */
export const absentSpecification = 'vendor specification absent';

/**
 * @typedef {{ name: string, reason: string | undefined }} Skip one test that did not run
 * @typedef {{ passed: number, failed: number, skipped: Skip[] }} Counts
 */

/**
 * The skips that a run which requires everything does not accept.
 * @param {Counts} counts
 * @returns {Skip[]}
 */
export function unacceptableSkips(counts) {
  return counts.skipped.filter((skip) => !skip.reason?.startsWith(absentSpecification));
}

/**
 * Judges a run. With `requireAll` a skip that is not accepted counts as a failure.
 * @param {Counts} counts
 * @param {boolean} requireAll
 * @returns {{ line: string, ok: boolean, refused: Skip[] }}
 */
export function verdict(counts, requireAll) {
  const refused = requireAll ? unacceptableSkips(counts) : [];
  const failed = counts.failed + refused.length;
  const skipped = counts.skipped.length - refused.length;
  return {
    line: `${counts.passed} passed, ${failed} failed, ${skipped} skipped`,
    ok: failed === 0,
    refused,
  };
}

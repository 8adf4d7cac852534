/** The words for how a stream is read and written. */

/** `full`: everything, as one generation. `incremental`: what is new. `cdc`: the past, then every change. */
export const READ_MODES = ['full', 'incremental', 'cdc'] as const;
export type ReadMode = (typeof READ_MODES)[number];

/**
 * `mirror`: upsert, and delete what is missing in the generation. `history`: every version of a row, with the times
 * between which it was so ({@link VALID_FROM}, {@link VALID_TO}).
 */
export const WRITE_MODES = ['append', 'upsert', 'replace', 'mirror', 'history'] as const;
export type WriteMode = (typeof WRITE_MODES)[number];

/** Whether rows are written by their key. */
export function isKeyed(mode: WriteMode): boolean {
  return mode === 'upsert' || mode === 'mirror' || mode === 'history';
}

/**
 * Columns of a version in write mode `history`: half-open, and without an end while the version is the last one. Rows
 * come with the first, those that are deleted as well, and the sink fills the second.
 */
export const VALID_FROM = '_valid_from';
export const VALID_TO = '_valid_to';

/** Whether rows are shown when their generation is complete, and not with their commit. */
export function isGenerational(mode: WriteMode): boolean {
  return mode === 'replace' || mode === 'mirror';
}

/** What becomes of rows that are deleted at the source: they are deleted, or stay with the time at which that was. */
export const DELETES = ['hard', 'soft'] as const;
export type Deletes = (typeof DELETES)[number];

/**
 * What happens to a table.
 * - `keep`: create it when it is missing, use it when it is there.
 * - `recreate`: a new generation drops and creates it.
 * - `require`: it must be there; no table is created.
 * - `fail`: it must not be there, unless this job created it.
 */
export const SAVE_MODES = ['keep', 'recreate', 'require', 'fail'] as const;
export type SaveMode = (typeof SAVE_MODES)[number];

/** How a sink commits; decides the guarantee. */
export const PROTOCOLS = ['atomic', 'two-phase', 'keyed', 'append'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export type Guarantee = 'exactly once' | 'effectively once' | 'at least once';

/** What a protocol gives over a source that can be read again from a position. */
export function guaranteeOf(protocol: Protocol): Guarantee {
  if (protocol === 'keyed') return 'effectively once';
  return protocol === 'append' ? 'at least once' : 'exactly once';
}

/**
 * How deep a batch is decoded on its way: the system's bytes pass through, columns each decoded when touched,
 * or rows. Results are the same on every rung.
 */
export const RUNGS = ['encoded', 'columns', 'rows'] as const;
export type Rung = (typeof RUNGS)[number];

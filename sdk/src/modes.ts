/** The words for how a stream is read and written. */

/** `full`: everything, as one generation. `incremental`: what is new. `cdc`: the past, then every change. */
export const READ_MODES = ['full', 'incremental', 'cdc'] as const;
export type ReadMode = (typeof READ_MODES)[number];

/** `mirror`: upsert, and delete what is missing in the generation. */
export const WRITE_MODES = ['append', 'upsert', 'replace', 'mirror'] as const;
export type WriteMode = (typeof WRITE_MODES)[number];

/** Whether of several rows with one key the last counts. */
export function isKeyed(mode: WriteMode): boolean {
  return mode === 'upsert' || mode === 'mirror';
}

/** Whether rows are shown when their generation is complete, and not with their commit. */
export function isGenerational(mode: WriteMode): boolean {
  return mode === 'replace' || mode === 'mirror';
}

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

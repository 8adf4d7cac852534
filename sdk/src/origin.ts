/** Where changes come from: the transaction that made each of them, and its place in the log. */
import type { Json } from './json.js';

/** Where one row comes from. Rows of one log sort by `transaction`, then by `ordinal`. */
export interface Origin {
  /** When its transaction was committed: microseconds since 1970, UTC, by the source's clock. */
  readonly committedAt: bigint;
  /**
   * The place of its transaction's commit, as text that sorts by bytes in the order of the log. Of a copied row: a place
   * behind everything that was read of its stream before, and before everything that is not in the copy.
   */
  readonly transaction: string;
  /** Its place within the transaction. A row that moves takes two: its old key leaves, then the new one comes. */
  readonly ordinal: number;
  /** The row is from a copy. */
  readonly copied?: true;
}

/** Where the rows of a batch come from; found out when asked. */
export interface Origins {
  at(row: number): Origin;
  /**
   * Which rows one of the copies shows already, where any are. `copies` are the last positions of what a sink has of the
   * stream's copies; as long as none of them tells what it shows, one is still to come that shows every row.
   */
  shownBy(copies: readonly Json[]): ((row: number) => boolean) | undefined;
}

/** The origins of the rows `selection`. */
export function selectOrigins(origins: Origins, selection: Uint32Array): Origins {
  return {
    at: (row) => origins.at(selection[row]!),
    shownBy(copies) {
      const shown = origins.shownBy(copies);
      return shown && ((row) => shown(selection[row]!));
    },
  };
}

/** The origins of copied rows, all at one place. */
export function copiedOrigins(origin: Omit<Origin, 'copied'>): Origins {
  const copied: Origin = { ...origin, copied: true };
  return { at: () => copied, shownBy: () => undefined };
}

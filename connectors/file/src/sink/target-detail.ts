/** What the sink keeps in a table's plan. */
import type { SaveMode } from '@sluice/sdk';

export interface TargetDetail {
  /** The target's folder below the root. */
  readonly folder: string;
  /** Set when the target is one file: its path below the root. */
  readonly file?: string;
  readonly save: SaveMode;
}

/** What the sink keeps in a table's plan. */
import type { SaveMode } from '@sluice/sdk';

export interface TargetDetail {
  /** The target's folder below the root. */
  readonly folder: string;
  /** Set when the target is one file: its path below the root. */
  readonly file?: string;
  readonly save: SaveMode;
  /** Columns that make folders in the target; left out where there are none. */
  readonly partitionBy?: string[];
}

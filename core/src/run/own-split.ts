/** Splits of the engine itself, which no source knows and no lane reads. */
import type { Split } from '@sluice/sdk';
import { isReplay } from '../dead-letters/replay-split.js';
import { isRepair } from '../verify/repair-split.js';

export function isOwnSplit(split: Split): boolean {
  return isReplay(split) || isRepair(split);
}

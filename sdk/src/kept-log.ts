/** What a system keeps of its log for a flow, as `sluice cdc slots` lists it. */
import type { Json } from './json.js';

export interface KeptLog {
  /** Its name in the system: that of a replication slot. */
  readonly name: string;
  /** The name of what says whose changes are in it, where that is there. */
  readonly publication?: string;
  /** Whether it was made for a flow under a name of ours; else the job names it. */
  readonly ours: boolean;
  /** `lost`: the system gave it up, nothing can be read from it. `missing`: only the publication is there. */
  readonly state: 'reading' | 'idle' | 'lost' | 'missing';
  /** What the system itself says of its state. */
  readonly status?: string;
  /** Who reads it now. */
  readonly reader?: number;
  /** From where the log is kept, and up to where it was confirmed. */
  readonly keptFrom?: Json;
  readonly confirmed?: Json;
  /** Bytes of the log behind what was confirmed, and those that the system keeps on its disk. */
  readonly bytesBehind?: number;
  readonly bytesKept?: number;
  /** Bytes that may still come before the system gives it up; undefined where it never does. */
  readonly bytesLeft?: number;
}

/** How `sluice cdc drop` removes what a system keeps for a flow. */
export interface DropLog {
  /** Do it; otherwise say what would be done. */
  readonly certain: boolean;
  /** Also where somebody reads it, who is cut off, and where the job names it itself. */
  readonly force: boolean;
}

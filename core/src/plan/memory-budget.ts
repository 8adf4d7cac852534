/** How much memory a run may hold. */
import { totalmem } from 'node:os';
import type { MemoryBound } from '../job/job.js';
import { cgroupMemoryLimit } from './cgroup-limit.js';

const DEFAULT_SHARE = 0.25;
const LEAST = 64 << 20;
const MOST_BY_DEFAULT = 1 << 30;

/**
 * The budget in bytes: as the job says, or a quarter of what there is, at most 1 GiB. What there is: the container's
 * limit or the machine's memory.
 */
export function memoryBudget(bound: MemoryBound | undefined): number {
  if (bound === undefined)
    return Math.max(LEAST, Math.min(MOST_BY_DEFAULT, memoryAvailable().bytes * DEFAULT_SHARE));
  return Math.floor('bytes' in bound ? bound.bytes : bound.share * memoryAvailable().bytes);
}

/** What memory there is, and whether a container bounds it. */
export function memoryAvailable(): { readonly bytes: number; readonly limited: boolean } {
  const total = totalmem();
  const limit = cgroupMemoryLimit() ?? total;
  return limit < total ? { bytes: limit, limited: true } : { bytes: total, limited: false };
}

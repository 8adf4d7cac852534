/** The split under which a stream is repaired: no source knows it, and no lane reads it. */
import type { Split } from '@sluice/sdk';

const PREFIX = 'repair/';

export function isRepair({ id }: Split): boolean {
  return id.startsWith(PREFIX);
}

/** The same for every repair of a table: each goes on behind the one before. */
export function repairSplit(stream: string, table: string): Split {
  return { id: `${PREFIX}${table}`, streams: [stream], phase: 'poll', start: 0, spec: {} };
}

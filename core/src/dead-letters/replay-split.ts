/** The splits under which dead letters are written once more: no source knows them, and no lane reads them. */
import { createHash } from 'node:crypto';
import type { Split } from '@sluice/sdk';
import type { DeadLetter } from '../ledger/ledger.js';

const PREFIX = 'dead_letters/';

export function isReplay({ id }: Split): boolean {
  return id.startsWith(PREFIX);
}

/** The same letters are the same split, so that they are written once however often they are tried. */
export function replaySplit(stream: string, letters: readonly DeadLetter[]): Split {
  const ids = letters.map(({ id }) => id);
  const hash = createHash('sha256').update(JSON.stringify(ids)).digest('hex').slice(0, 32);
  return { id: `${PREFIX}${hash}`, streams: [stream], phase: 'poll', start: 0, spec: { letters: ids } };
}

/** The letters that a split stands for. */
export function lettersOfSplit({ spec }: Split): readonly string[] {
  return (spec as unknown as { readonly letters: readonly string[] }).letters;
}

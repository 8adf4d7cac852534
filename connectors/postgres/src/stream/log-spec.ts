/** The split of a log, for all streams that are read from it. */
import type { Split } from '@sluice/sdk';
import { asJson, type LogSpec } from '../source/split-spec.js';
import { type Lsn, lsnText } from './lsn.js';

/** Named by its slot: a database may have several logs. Positions are places in it, as text. */
export function logSplit(spec: LogSpec, streams: readonly string[], start: Lsn): Split {
  return { id: `log/${spec.slot}`, streams, phase: 'log', start: lsnText(start), spec: asJson(spec) };
}

import type { Protocol, WriteMode } from '@sluice/sdk';
import type { Rule } from '../rule.js';
import type { SinkOptions, SinkSession } from './sink-subject.js';

/** What a rule may ask before it is judged. */
export interface SinkCase {
  readonly options: SinkOptions;
  readonly write: WriteMode;
  readonly protocol: Protocol;
}

/** A rule of sinks, and when it is judged. */
export interface SinkRule extends Rule<SinkSession> {
  /** Once, or in every write mode. */
  readonly per: 'sink' | 'mode';
  /** Whether it looks at rows, and so needs the author's reader. */
  readonly reads?: boolean;
  /** Whether the rule says something in this case; it does by default. */
  readonly concerns?: (of: SinkCase) => boolean;
}

/** For rules of sinks that keep positions beside the data. */
export const withRecord = ({ protocol }: SinkCase): boolean =>
  protocol === 'atomic' || protocol === 'two-phase';

export const withGenerations = ({ write }: SinkCase): boolean => write === 'replace';

export const byKey = ({ write }: SinkCase): boolean => write === 'upsert' || write === 'mirror';

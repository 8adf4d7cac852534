import type { Rule } from '../rule.js';
import type { SourceOptions, SourceSession } from './source-subject.js';

/** A rule of sources, and when it is judged. */
export interface SourceRule extends Rule<SourceSession> {
  /** Once, in every read mode, or in this one. */
  readonly per: 'source' | 'mode' | 'full' | 'incremental';
  /** Whether the rule says something of a source that is declared so; it does by default. */
  readonly concerns?: (options: SourceOptions) => boolean;
}

/** For rules that read the same data more than once. */
export const canReplay = ({ replay = true }: SourceOptions): boolean => replay;

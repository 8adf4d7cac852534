import type { ReadMode } from '@sluice/sdk';
import { connectorRules } from '../connector-rules.js';
import type { Rule } from '../rule.js';
import { batchRules } from './batch-rules.js';
import { discoveryRules } from './discovery-rules.js';
import { readerRules } from './reader-rules.js';
import { resumeRules } from './resume-rules.js';
import type { SourceRule } from './source-rule.js';
import type { SourceOptions, SourceSession } from './source-subject.js';
import { splitRules } from './split-rules.js';

/** The rules of sources, in the order of the specification. */
export const sourceRules: readonly SourceRule[] = [
  ...discoveryRules,
  ...splitRules,
  ...batchRules,
  ...resumeRules,
  ...readerRules,
].sort((a, b) => a.id.localeCompare(b.id));

/** A rule with the read mode in which it is judged. */
export interface SourceTrial {
  readonly rule: Rule<SourceSession>;
  readonly mode: ReadMode;
  /** `SRC-33 (full)` */
  readonly name: string;
}

/** What has to be tried for a source that is declared so. */
export function sourceTrials(options: SourceOptions): SourceTrial[] {
  const first = options.modes[0];
  if (first === undefined) throw new TypeError('testSource: `modes` names no read mode');
  const declared = connectorRules.map((rule): SourceTrial => ({ rule, mode: first, name: rule.id }));
  const judged = sourceRules.flatMap((rule): SourceTrial[] => {
    if (rule.concerns?.(options) === false) return [];
    if (rule.per === 'source') return [{ rule, mode: first, name: rule.id }];
    const modes = options.modes.filter((mode) => rule.per === 'mode' || rule.per === mode);
    return modes.map((mode) => ({ rule, mode, name: `${rule.id} (${mode})` }));
  });
  return [...declared, ...judged];
}

import { WRITE_MODES, type WriteMode } from '@sluice/sdk';
import { connectorRules } from '../connector-rules.js';
import type { Rule } from '../rule.js';
import { adoptRules } from './adopt-rules.js';
import { attachRules } from './attach-rules.js';
import { commitRules } from './commit-rules.js';
import { crashRules } from './crash-rules.js';
import { generationRules } from './generation-rules.js';
import { keyRules } from './key-rules.js';
import { lifecycleRules } from './lifecycle-rules.js';
import { planRules } from './plan-rules.js';
import { schemaRules } from './schema-rules.js';
import type { SinkRule } from './sink-rule.js';
import type { SinkOptions, SinkSession } from './sink-subject.js';
import { twoPhaseRules } from './two-phase-rules.js';
import { valueRules } from './value-rules.js';
import { writeRules } from './write-rules.js';

/** The rules of sinks, in the order of the specification. */
export const sinkRules: readonly SinkRule[] = [
  ...planRules,
  ...attachRules,
  ...adoptRules,
  ...schemaRules,
  ...commitRules,
  ...writeRules,
  ...crashRules,
  ...twoPhaseRules,
  ...generationRules,
  ...keyRules,
  ...valueRules,
  ...lifecycleRules,
].sort((a, b) => a.id.localeCompare(b.id));

/** A rule with the write mode in which it is judged. */
export interface SinkTrial {
  readonly rule: Rule<SinkSession>;
  readonly write: WriteMode;
  /** `SNK-24 (upsert)` */
  readonly name: string;
}

/** What has to be tried for a sink that is declared so. */
export function sinkTrials(options: SinkOptions): SinkTrial[] {
  const modes = WRITE_MODES.filter((mode) => options.modes[mode] !== undefined);
  const first = modes[0];
  if (first === undefined) throw new TypeError('testSink: `modes` names no write mode');
  const declared = connectorRules.map((rule): SinkTrial => ({ rule, write: first, name: rule.id }));
  const judged = sinkRules.flatMap((rule): SinkTrial[] => {
    if (rule.reads && options.read === undefined) return [];
    const concerned = modes.filter(
      (write) => rule.concerns?.({ options, write, protocol: options.modes[write]! }) ?? true,
    );
    if (rule.per === 'sink') return concerned.slice(0, 1).map((write) => ({ rule, write, name: rule.id }));
    return concerned.map((write) => ({ rule, write, name: `${rule.id} (${write})` }));
  });
  return [...declared, ...judged];
}

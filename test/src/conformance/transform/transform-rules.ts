import { bindRules } from './bind-rules.js';
import { changeRules } from './change-rules.js';
import { columnRules } from './column-rules.js';
import { outputRules } from './output-rules.js';
import { pureRules } from './pure-rules.js';
import { refusalRules } from './refusal-rules.js';
import type { TransformRule } from './transform-rule.js';
import type { TransformOptions } from './transform-subject.js';

/** The rules of transforms, in the order of the specification. */
export const transformRules: readonly TransformRule[] = [
  ...bindRules,
  ...outputRules,
  ...pureRules,
  ...columnRules,
  ...changeRules,
  ...refusalRules,
];

/** What has to be tried for a transform that is given so. */
export function transformTrials(options: TransformOptions): readonly TransformRule[] {
  return transformRules.filter(({ concerns }) => concerns?.(options) !== false);
}

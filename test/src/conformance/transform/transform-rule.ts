import type { Rule } from '../rule.js';
import type { TransformOptions, TransformSession } from './transform-subject.js';

/** A rule of transforms, and of which it says something: of all by default. */
export interface TransformRule extends Rule<TransformSession> {
  readonly concerns?: (options: TransformOptions) => boolean;
}

/** For rules about changes: without a key there are none. */
export const hasKey = ({ schema }: TransformOptions): boolean => schema.key.length > 0;

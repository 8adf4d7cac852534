import { describe, it } from 'vitest';
import { prove } from './rule.js';
import { transformTrials } from './transform/transform-rules.js';
import { type TransformOptions, TransformSession } from './transform/transform-subject.js';

/**
 * Declares the conformance tests of a transform, one for each rule of `docs/spec/connector.md` that concerns it. To be
 * called at the top of a test file or inside a `describe`, once for each kind of options that is worth it:
 *
 * ```ts
 * testTransform({ transform, options: { where: 'n > 4' }, schema, rows, expected: rows.filter(({ n }) => n > 4) });
 * ```
 */
export function testTransform(options: TransformOptions): void {
  describe(`conformance of transform ${options.transform.name} ${JSON.stringify(options.options)}`, () => {
    for (const rule of transformTrials(options)) {
      it(`${rule.id} ${rule.must}`, () => prove(rule, () => TransformSession.begin(options)));
    }
  });
}

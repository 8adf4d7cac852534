import { describe, expect, it } from 'vitest';
import { brokenTransforms } from './broken/broken-transforms.js';
import { labelTransformOptions } from './broken/label-transform.js';
import { prove, RuleBroken } from './rule.js';
import { transformRules, transformTrials } from './transform/transform-rules.js';
import { TransformSession } from './transform/transform-subject.js';

describe('a transform that keeps the rules', () => {
  const options = labelTransformOptions();
  it.each(transformTrials(options).map((rule) => [rule.id, rule] as const))('keeps %s', async (_, rule) => {
    await prove(rule, () => TransformSession.begin(options));
  });
});

describe('transforms that break a rule on purpose', () => {
  it.each(brokenTransforms.map((broken) => [broken.rule, broken.what, broken] as const))(
    '%s catches one that %s',
    async (id, _, { options }) => {
      const rule = transformTrials(options).find((each) => each.id === id)!;
      const broken: unknown = await prove(rule, () => TransformSession.begin(options)).catch(
        (error: unknown) => error,
      );
      expect(broken).toBeInstanceOf(RuleBroken);
      expect(broken).toMatchObject({ rule: id });
    },
  );

  it('are there for every rule', () => {
    expect(brokenTransforms.map(({ rule }) => rule)).toEqual(transformRules.map(({ id }) => id));
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { endLeaks } from './broken/broken-source.js';
import { brokenSources } from './broken/broken-sources.js';
import { memorySourceOptions } from './broken/memory-source-connector.js';
import { connectorRules } from './connector-rules.js';
import { prove, RuleBroken } from './rule.js';
import { sourceRules, sourceTrials } from './source/source-rules.js';
import { SourceSession } from './source/source-subject.js';

describe.each([
  ['a source that keeps the rules', {}],
  ['one whose full reads are volatile', { volatile: true }],
])('%s', (_, config) => {
  const options = memorySourceOptions(config);
  it.each(sourceTrials(options).map((trial) => [trial.name, trial] as const))(
    'keeps %s',
    async (_, { rule, mode }) => {
      await prove(rule, () => SourceSession.begin(options, mode));
    },
  );
});

describe('sources that break a rule on purpose', () => {
  afterAll(endLeaks);

  it.each(brokenSources.map((broken) => [broken.rule, broken.what, broken] as const))(
    '%s catches one that %s',
    async (id, _, { options, mode }) => {
      const trial = sourceTrials(options).find(
        ({ rule, mode: judged }) => rule.id === id && (mode ?? judged) === judged,
      );
      const broken: unknown = await prove(trial!.rule, () => SourceSession.begin(options, trial!.mode)).catch(
        (error: unknown) => error,
      );
      expect(broken).toBeInstanceOf(RuleBroken);
      expect(broken).toMatchObject({ rule: id });
      expect(['Violation', 'Error']).toContain(((broken as RuleBroken).cause as Error).name);
    },
  );

  it('are there for every rule', () => {
    const judged = [...connectorRules, ...sourceRules].map(({ id }) => id);
    expect(new Set(brokenSources.map(({ rule }) => rule))).toEqual(new Set(judged));
  });
});

import { PROTOCOLS } from '@sluice/sdk';
import { afterAll, describe, expect, it } from 'vitest';
import { brokenSinks } from './broken/broken-sinks.js';
import { endLeaks } from './broken/broken-source.js';
import { memorySinkOptions } from './broken/memory-sink-connector.js';
import { prove, RuleBroken } from './rule.js';
import { sinkRules, sinkTrials } from './sink/sink-rules.js';
import { SinkSession } from './sink/sink-subject.js';

describe.each(PROTOCOLS)('a sink with protocol %s that keeps the rules', (protocol) => {
  const options = memorySinkOptions(protocol);
  it.each(sinkTrials(options).map((trial) => [trial.name, trial] as const))(
    'keeps %s',
    async (_, { rule, write }) => {
      await prove(rule, () => SinkSession.begin(options, write));
    },
  );
});

describe('sinks that break a rule on purpose', () => {
  afterAll(endLeaks);

  it.each(brokenSinks.map((broken) => [broken.rule, broken.what, broken] as const))(
    '%s catches one that %s',
    async (id, _, { options, write }) => {
      const trial = sinkTrials(options).find(
        ({ rule, write: judged }) => rule.id === id && (write ?? judged) === judged,
      );
      const broken: unknown = await prove(trial!.rule, () => SinkSession.begin(options, trial!.write)).catch(
        (error: unknown) => error,
      );
      expect(broken).toBeInstanceOf(RuleBroken);
      expect(broken).toMatchObject({ rule: id });
      expect(['Violation', 'Error', 'SluiceError']).toContain(((broken as RuleBroken).cause as Error).name);
    },
  );

  it('are there for every rule', () => {
    expect(new Set(brokenSinks.map(({ rule }) => rule))).toEqual(new Set(sinkRules.map(({ id }) => id)));
  });
});

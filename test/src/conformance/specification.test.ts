/** The specification and the kit have the same rules, in the same words. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { labelTransformOptions } from './broken/label-transform.js';
import { memorySinkOptions } from './broken/memory-sink-connector.js';
import { memorySourceOptions } from './broken/memory-source-connector.js';
import { connectorRules } from './connector-rules.js';
import { sinkRules, sinkTrials } from './sink/sink-rules.js';
import { sourceRules, sourceTrials } from './source/source-rules.js';
import { transformRules, transformTrials } from './transform/transform-rules.js';

const specification = readFileSync(new URL('../../../docs/spec/connector.md', import.meta.url), 'utf8');
const written = [...specification.matchAll(/^- \*\*([A-Z]{3}-\d\d)\*\* (.+)$/gm)].map(([, id, must]) => ({
  id,
  must,
}));
const rules = [...connectorRules, ...sourceRules, ...sinkRules, ...transformRules];

it('has each rule of the kit once, in its words, and no other', () => {
  expect(written).toEqual(rules.map(({ id, must }) => ({ id, must })));
});

it('numbers rules without gaps', () => {
  for (const prefix of ['CON', 'SRC', 'SNK', 'TRF']) {
    const numbers = rules.flatMap(({ id }) => (id.startsWith(prefix) ? [Number(id.slice(4))] : []));
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  }
});

it('says MUST or SHOULD in every rule, and what to do when it is broken', () => {
  for (const { id, must, fix } of rules) {
    expect(must, id).toMatch(/\b(MUST|SHOULD)\b/);
    expect(must, id).toMatch(/\.$/);
    expect(fix.length, id).toBeGreaterThan(20);
  }
});

it('tries every rule on some connector', () => {
  const tried = new Set([
    ...sourceTrials(memorySourceOptions()).map(({ rule }) => rule.id),
    ...(['atomic', 'two-phase', 'keyed', 'append'] as const).flatMap((protocol) =>
      sinkTrials(memorySinkOptions(protocol)).map(({ rule }) => rule.id),
    ),
    ...transformTrials(labelTransformOptions()).map(({ id }) => id),
  ]);
  expect(tried).toEqual(new Set(rules.map(({ id }) => id)));
});

import { describe, it } from 'vitest';
import { prove } from './rule.js';
import { sourceTrials } from './source/source-rules.js';
import { DEFAULT_SEED, type SourceOptions, SourceSession } from './source/source-subject.js';

/** The longest that one rule may take on a slow system. */
const RULE_MS = 120_000;

/**
 * Declares the conformance tests of a source, one for each rule of `docs/spec/connector.md` that concerns it, and in
 * each read mode. To be called at the top of a test file or inside a `describe`:
 *
 * ```ts
 * testSource({ connector, config: { path: 'fixtures' }, modes: ['full'], expected: { orders: rows } });
 * ```
 *
 * The more the options say, the more is judged: without `expected` nobody but the source says which rows there are.
 */
export function testSource(options: SourceOptions): void {
  const { connector, seed = DEFAULT_SEED } = options;
  describe(`conformance of source ${connector.name} (seed ${seed})`, () => {
    for (const { rule, mode, name } of sourceTrials(options)) {
      it(`${name} ${rule.must}`, { timeout: RULE_MS }, () =>
        prove(rule, () => SourceSession.begin(options, mode)),
      );
    }
  });
}

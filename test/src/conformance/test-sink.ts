import { describe, it } from 'vitest';
import { prove } from './rule.js';
import { sinkTrials } from './sink/sink-rules.js';
import { type SinkOptions, SinkSession } from './sink/sink-subject.js';
import { DEFAULT_SEED } from './source/source-subject.js';

/** The longest that one rule may take on a slow system. */
const RULE_MS = 180_000;

/**
 * Declares the conformance tests of a sink, one for each rule of `docs/spec/connector.md` that concerns it, and in
 * each write mode. To be called at the top of a test file or inside a `describe`:
 *
 * ```ts
 * testSink({ connector, modes: { append: 'atomic' }, config: () => ({ path: freshPath() }), read: readWithAnotherTool });
 * ```
 */
export function testSink(options: SinkOptions): void {
  const { connector, seed = DEFAULT_SEED, exceptTypes = {} } = options;
  const exceptions = Object.entries(exceptTypes).map(([name, reason]) => `, except ${name}: ${reason}`);
  describe(`conformance of sink ${connector.name} (seed ${seed})${exceptions.join('')}`, () => {
    for (const { rule, write, name } of sinkTrials(options)) {
      it(`${name} ${rule.must}`, { timeout: RULE_MS }, () =>
        prove(rule, () => SinkSession.begin(options, write)),
      );
    }
  });
}

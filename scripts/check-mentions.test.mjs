// The forbidden words are put together here, so that this file does not hold them.
import { describe, expect, it } from 'vitest';
import { mentionsIn } from './check-mentions.mjs';

const outside = ['..', 'shared'].join('/');
const machine = ['', 'work', 'main'].join('/');

describe('mentions', () => {
  it('of a folder of one machine are found with their line', () => {
    expect(mentionsIn('docs/start.md', `fine\nrun ${machine}/run`)).toEqual([
      expect.stringMatching(/^docs\/start\.md:2: mentions/),
    ]);
  });

  it('of the folder beside the repository are found', () => {
    expect(mentionsIn('core/src/plan.ts', `see ${outside}/notes.md`)).toHaveLength(1);
    expect(mentionsIn('core/src/plan.ts', `see ${outside}/specs/slack`)).toHaveLength(1);
  });

  it('of the specifications are allowed in tests', () => {
    const text = `const folder = '${outside}/specs/slack';`;
    expect(mentionsIn('test/e2e/src/slack.test.ts', text)).toEqual([]);
    expect(mentionsIn('test/e2e/src/slack.test.ts', `${text} // ${outside}/other`)).toHaveLength(1);
  });

  it('are not seen in ordinary text', () => {
    expect(mentionsIn('README.md', 'it shared the work / load with ../core')).toEqual([]);
  });
});

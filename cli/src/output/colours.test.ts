import { describe, expect, it } from 'vitest';
import { colours, wantsColour } from './colours.js';

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
  ])('terminal %s with %j: %s', (isTTY, env, expected) => {
    expect(wantsColour(isTTY, env)).toBe(expected);
  });

  it('leave text alone where they are off', () => {
    expect(colours(false).red('x')).toBe('x');
    expect(colours(true).red('x')).toBe('\u001b[31mx\u001b[39m');
  });
});

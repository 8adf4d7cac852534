import { describe, expect, it } from 'vitest';
import type { CommandSpec } from '../commands/command.js';
import { parseArguments } from './parse-arguments.js';
import { UsageProblem } from './usage-problem.js';

const spec: CommandSpec = {
  name: 'move',
  summary: 'Moves',
  positionals: [
    { name: 'from', summary: 'where from' },
    { name: 'to', summary: 'where to', optional: true },
  ],
  options: {
    streams: { kind: 'list', summary: '' },
    from: { kind: 'pairs', summary: '' },
    rows: { kind: 'count', summary: '' },
    mode: { kind: 'choice', choices: ['full', 'incremental'], summary: '' },
    name: { kind: 'text', summary: '' },
    fresh: { kind: 'flag', short: 'f', summary: '' },
  },
  examples: [],
  action: async () => ({ action: async () => 0 }),
};

function problem(...args: string[]): UsageProblem {
  try {
    parseArguments(spec, args);
  } catch (error) {
    if (error instanceof UsageProblem) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('arguments', () => {
  it('are read by kind, in any order', () => {
    const args = ['--rows=3', 'a', '-f', '--streams', 'x, y', '--streams', 'z', '--mode', 'full', '-', '-q'];
    const input = parseArguments(spec, [...args, '--from', 'url=a=b,c', '--from', 'n=1']);
    expect(input.positionals).toEqual(['a', '-']);
    expect(input.count('rows')).toBe(3);
    expect(input.list('streams')).toEqual(['x', 'y', 'z']);
    expect(input.pairs('from')).toEqual({ url: 'a=b,c', n: '1' });
    expect(input.text('mode')).toBe('full');
    expect(input.flag('fresh')).toBe(true);
    expect(input.flag('quiet')).toBe(true);
    expect(input.text('name')).toBeUndefined();
  });

  it('behind -- are positional whatever they look like', () => {
    expect(parseArguments(spec, ['--', '--rows']).positionals).toEqual(['--rows']);
  });

  it.each([
    [['a', '--stream', 'x'], '`sluice move` has no option --stream'],
    [['a', '-x'], '`sluice move` has no option -x'],
    [['a', '--rows', 'ten'], '--rows needs a whole number, and got "ten"'],
    [['a', '--rows'], '--rows needs a value: --rows <n>'],
    [['a', '--name', '--fresh'], '--name needs a value: --name <text>'],
    [['a', '--mode', 'ful'], '--mode is one of full, incremental, and got "ful"'],
    [['a', '--from', 'url'], '--from needs <key=value>, and got "url"'],
    [['a', '--fresh=no'], '--fresh takes no value, and got "no"'],
    [['a', 'b', 'c'], '`sluice move` takes at most 2; "c" is too many'],
    [[], '`sluice move` needs <from>: where from'],
  ])('%j are refused with what is wrong', (args, message) => {
    expect(problem(...args).message).toBe(message);
  });

  it('that are unknown come with the names there are', () => {
    expect(problem('a', '--stream').meant).toMatchObject({
      wrong: 'stream',
      names: expect.arrayContaining(['streams']),
    });
  });

  it('may be missing when help is asked for', () => {
    expect(parseArguments(spec, ['--help']).flag('help')).toBe(true);
  });
});

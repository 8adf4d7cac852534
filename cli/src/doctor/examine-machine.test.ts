import { expect, it } from 'vitest';
import { memoryFinding, nodeFinding } from './examine-machine.js';

it.each([
  ['20.19.0', 'ok'],
  ['20.18.9', 'fail'],
  ['18.20.0', 'fail'],
  ['22.0.0', 'ok'],
])('Node.js %s is %s', (version, level) => {
  expect(nodeFinding(version).level).toBe(level);
});

it('says where the memory ends, and warns of little', () => {
  expect(memoryFinding({ bytes: 8e9, limited: false })).toEqual({
    level: 'ok',
    what: expect.stringContaining('all of the machine'),
  });
  expect(memoryFinding({ bytes: 100e6, limited: true })).toMatchObject({
    level: 'warn',
    what: expect.stringContaining('limit of the container'),
    fix: expect.stringContaining('Raise'),
  });
});

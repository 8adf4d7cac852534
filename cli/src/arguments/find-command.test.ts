import { expect, it } from 'vitest';
import { commands } from '../commands/command-list.js';
import { findCommand } from './find-command.js';

it('finds commands of one word and of two, and leaves their arguments', () => {
  expect(findCommand(commands, ['run', 'job.json', '--json'])).toMatchObject({
    spec: { name: 'run' },
    args: ['job.json', '--json'],
  });
  expect(findCommand(commands, ['state', 'show', 'job'])).toMatchObject({
    spec: { name: 'state show' },
    args: ['job'],
  });
});

it.each([
  [['rnu'], 'there is no command "rnu"'],
  [
    ['connectors'],
    '`sluice connectors` alone does nothing; there is `sluice connectors list`, `sluice connectors show`',
  ],
  [
    ['connectors', '--json'],
    '`sluice connectors` alone does nothing; there is `sluice connectors list`, `sluice connectors show`',
  ],
  [
    ['connectors', 'lst'],
    'there is no command "connectors lst"; there is `sluice connectors list`, `sluice connectors show`',
  ],
])('refuses %j', (args, message) => {
  expect(() => findCommand(commands, args)).toThrow(expect.objectContaining({ message }));
});

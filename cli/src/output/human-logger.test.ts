import { expect, it } from 'vitest';
import { colours } from './colours.js';
import { humanLogger } from './human-logger.js';

it('prints one line a message, with its facts, from a level on', () => {
  const lines: string[] = [];
  const log = humanLogger((line) => lines.push(line), 'info', colours(false), false);
  log.debug('unseen');
  log.info('rows\ndropped', { rows: 10n, stream: 'my rows', error: new Error('x'), none: undefined });
  log.error('gone');
  expect(lines).toEqual(['info  rows\\ndropped rows=10 stream="my rows" error="x"', 'error gone']);
});

it('begins with the time where asked', () => {
  const lines: string[] = [];
  humanLogger((line) => lines.push(line), 'warn', colours(false), true).warn('late');
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warn {2}late$/);
});

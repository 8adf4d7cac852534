import { defineErrors } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { colours } from './colours.js';
import { errorLines, reportOf } from './error-report.js';

const errors = defineErrors('DEMO', {
  refused: { number: 7, class: 'transient', title: 'Refused', help: 'Start the server.' },
});

it('says what failed, where, why, what to do and where there is more', () => {
  const cause = new Error('connect ECONNREFUSED 127.0.0.1:1', { cause: new Error('nobody listens') });
  const error = errors.refused('the server db1 does not answer', {
    cause,
    details: { stream: 'orders', port: 1 },
  });
  const report = reportOf(error, { job: 'shop' });
  expect(report).toMatchObject({
    code: 'SLUICE-DEMO-0007',
    class: 'transient',
    details: { job: 'shop', stream: 'orders', port: 1 },
    causes: ['connect ECONNREFUSED 127.0.0.1:1', 'nobody listens'],
    docs: 'docs/errors/index.md#sluice-demo-0007',
  });
  expect(report).not.toHaveProperty('stack');
  expect(errorLines(report, colours(false), 80)).toEqual([
    'error SLUICE-DEMO-0007',
    '  what   the server db1 does not answer',
    '  where  job shop, stream orders',
    '  why    connect ECONNREFUSED 127.0.0.1:1\n         nobody listens',
    '  facts  port 1',
    '  do     Start the server.',
    '  more   docs/errors/index.md#sluice-demo-0007',
  ]);
});

it('has the stacks of the whole chain when asked', () => {
  const { stack } = reportOf(errors.refused('a', { cause: new Error('b') }), {}, true);
  expect(stack).toMatch(/SluiceError: a\n[\s\S]*caused by: Error: b\n/);
});

it('does not let data of a server reach the terminal as commands', () => {
  const text = errorLines(reportOf(errors.refused('x\u001b[2Jy')), colours(false)).join('\n');
  expect(text).toContain('x\\u001b[2Jy');
});

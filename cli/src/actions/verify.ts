import type { Action } from '../commands/command.js';
import { verifyAndTell } from '../verify/verify-and-tell.js';

const LIMIT = 20;

export const action: Action = (input, output) => {
  const streams = input.list('streams');
  const sink = input.text('sink');
  return verifyAndTell(input, output, {
    repair: input.flag('repair'),
    limit: input.count('limit') ?? LIMIT,
    ...(streams && { streams }),
    ...(sink !== undefined && { sink }),
  });
};

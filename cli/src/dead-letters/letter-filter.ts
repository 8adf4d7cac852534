/** Which dead letters a command is about. */
import type { LetterFilter } from '@sluice/core';
import type { CommandInput } from '../commands/command.js';

export function letterFilterOf(input: CommandInput): LetterFilter {
  const [flow, sink, stream, id] = ['flow', 'sink', 'stream', 'id'].map((name) => input.text(name));
  return {
    ...(flow !== undefined && { flow }),
    ...(sink !== undefined && { sink }),
    ...(stream !== undefined && { stream }),
    ...(id !== undefined && { id }),
  };
}

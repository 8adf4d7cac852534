/** What people are told of a stream that a flow goes on without. */
import type { RunEvent } from '@sluice/core';

export function quarantineText({
  job,
  flow,
  stream,
  error,
}: Extract<RunEvent, { event: 'stream.quarantined' }>): string {
  return `flow ${flow} goes on without stream ${stream}: ${error.message}; correct that, then: sluice resync ${job} ${stream}`;
}

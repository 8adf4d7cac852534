/** A run for programs: every event as one line of JSON. */
import type { RunEvent } from '@sluice/core';
import type { Logger } from '@sluice/sdk';
import type { OutStream } from '../output/out-stream.js';
import type { RunView } from './run-view.js';

export class EventView implements RunView {
  constructor(
    readonly log: Logger,
    private readonly stream: OutStream,
  ) {}

  readonly listener = (event: RunEvent): void => {
    this.stream.json(event);
  };

  doing(what: string): void {
    this.log.debug(what);
  }

  end(): void {}
}

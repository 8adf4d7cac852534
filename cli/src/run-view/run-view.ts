/** What is seen of a run while it is under way. */
import type { RunListener } from '@sluice/core';
import type { Logger } from '@sluice/sdk';

export interface RunView {
  /** Log messages of the engine and the connectors. */
  readonly log: Logger;
  readonly listener: RunListener;
  /** Says what the command is doing while there are no events yet. */
  doing(what: string): void;
  /** Nothing more is shown. Called once, also after an error. */
  end(): void;
}

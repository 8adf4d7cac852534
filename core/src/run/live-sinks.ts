/** The sinks that a flow still works with. */
import { type SluiceError, toSluiceError } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { DetachedSink, SinkPlan } from '../plan/flow-plan.js';

/** Errors that come out of a commit and are not the sink's. */
const LEDGER_CODES: ReadonlySet<string> = new Set(
  [coreErrors.fenced, coreErrors.ledgerUnusable, coreErrors.ledgerBusy, coreErrors.ledgerMisused].map(
    ({ entry }) => entry.code,
  ),
);

export class LiveSinks {
  private readonly left = new Map<string, SluiceError>();

  constructor(
    private readonly all: readonly SinkPlan[],
    /** Aborted: what fails then is no sink's fault. */
    private readonly signal: AbortSignal,
    private readonly onDetach: (detached: DetachedSink) => void,
    /** Whether the flow can go on without a stream that an error belongs to: then no sink is left behind for it. */
    private readonly isOfStream: (error: SluiceError) => boolean,
  ) {}

  get list(): readonly SinkPlan[] {
    return this.all.filter(({ key }) => this.has(key.sink));
  }

  get detached(): readonly DetachedSink[] {
    return [...this.left].map(([sink, error]) => ({ sink, error }));
  }

  has(sink: string): boolean {
    return !this.left.has(sink);
  }

  /**
   * A sink has failed. Throws the error where it stops the flow; otherwise the flow goes on without the sink, which
   * keeps its place and is caught up by a later attempt or run.
   */
  failed({ key, onFailure }: SinkPlan, error: unknown): void {
    const coded = toSluiceError(error);
    if (onFailure === 'stop' || this.signal.aborted || LEDGER_CODES.has(coded.code)) throw error;
    if (this.isOfStream(coded)) throw error;
    if (!this.has(key.sink)) return;
    this.left.set(key.sink, coded);
    this.onDetach({ sink: key.sink, error: coded });
    if (this.list.length === 0) throw error;
  }

  /** Does something with every sink, one after the other; those that fail are left behind, or stop the flow. */
  async each(work: (sink: SinkPlan) => Promise<void>): Promise<void> {
    for (const sink of this.list) {
      try {
        await work(sink);
      } catch (error) {
        this.failed(sink, error);
      }
    }
  }
}

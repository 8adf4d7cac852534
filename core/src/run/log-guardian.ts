/**
 * Watches what a source keeps of its log for the flow, also while tables are copied and nobody reads it: a log that is
 * kept for a flow fills the disk of a system that others live on.
 */
import type { Lag } from '@sluice/sdk';
import type { LedgerSplit } from '../ledger/ledger.js';
import type { FlowRun } from './attempt.js';

/** What it needs of a run. */
export type Watched = Pick<FlowRun, 'context' | 'onLag' | 'onOver'> & {
  readonly plan: Pick<FlowRun['plan'], 'key' | 'changes'> & {
    readonly source: Pick<FlowRun['plan']['source'], 'lag'>;
  };
};

export class LogGuardian {
  private readonly givenUp = new AbortController();
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly told = new Set<string>();
  private copying = new AbortController();

  constructor(
    private readonly run: Watched,
    private readonly logs: readonly LedgerSplit[],
    /** Milliseconds between questions how much is kept. */
    everyMs = 5000,
  ) {
    if (logs.length === 0 || run.plan.source.lag === undefined) return;
    void this.look();
    this.timer = setInterval(() => void this.look(), everyMs);
  }

  /** Aborted when the log is to be given up and everything copied anew. */
  get over(): AbortSignal {
    return this.givenUp.signal;
  }

  /** Aborted when the copies of a turn are to make way for the log. */
  pause(): AbortSignal {
    this.copying = new AbortController();
    return this.copying.signal;
  }

  end(): void {
    clearInterval(this.timer);
  }

  /** What cannot be answered now is asked again. */
  private async look(): Promise<void> {
    const { source } = this.run.plan;
    const { context } = this.run;
    for (const log of this.logs) {
      try {
        this.judge(log, await source.lag!(log.split, context));
      } catch (error) {
        context.log.debug('it is not known how far the log is behind', { error: String(error) });
      }
    }
  }

  private judge({ split }: LedgerSplit, lag: Lag): void {
    const { run, told } = this;
    const { keep = Infinity, whenOver } = run.plan.changes;
    run.onLag(split, lag);
    const kept = lag.kept ?? lag.bytes;
    if (kept <= keep) {
      told.delete(split.id);
      return;
    }
    if (!told.has(split.id)) {
      told.add(split.id);
      run.context.log.warn(
        `the source keeps ${kept} bytes of its log for flow ${run.plan.key.flow}, more than the ${keep} that the job allows${CONSEQUENCE[whenOver]}`,
      );
      run.onOver(split, kept);
    }
    if (whenOver === 'drop-and-copy') this.givenUp.abort();
    // What is kept beyond that, say for a transaction that stays open, is not to be had by reading.
    if (whenOver === 'pause-copies' && lag.bytes > keep) this.copying.abort();
  }
}

const CONSEQUENCE = {
  warn: '',
  'pause-copies': '; copies beside it pause until it is read',
  'drop-and-copy': '; it is given up, and everything is copied anew',
} as const;

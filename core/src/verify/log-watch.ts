/**
 * Whether a target has everything that its source had at an instant, for a stream whose changes are read from a log.
 *
 * | who reads the log | how it is known |
 * |---|---|
 * | a run that is under way | it commits a position behind the log's end of that instant: that is waited for |
 * | nobody | nothing of the stream stands in the log between the committed position and its end |
 */
import type { Context, Json, Source, Split } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { Ledger, SinkKey } from '../ledger/ledger.js';
import type { FlowPlan } from '../plan/flow-plan.js';
import { sleep } from '../run/backoff.js';

export interface LogWatchOptions {
  readonly flow: FlowPlan;
  readonly sink: SinkKey;
  readonly stream: string;
  readonly ledger: Ledger;
  /** Does work while no run of the job can begin; rejects with `SLUICE-CORE-0101` where one is under way. */
  readonly held: <T>(work: () => Promise<T>) => Promise<T>;
  /** Milliseconds for which a run that is under way is waited for. */
  readonly patienceMs: number;
  readonly context: Context;
}

/** Milliseconds between looks at the ledger. */
const LOOK_MS = 250;

export class LogWatch {
  constructor(private readonly o: LogWatchOptions) {}

  /**
   * Resolves when the target has all that the source had at the call. Rejects with `SLUICE-CORE-0151` where that is not
   * to be expected.
   */
  async caughtUp(): Promise<void> {
    const { flow, ledger, sink, stream, patienceMs, context } = this.o;
    const { source } = flow;
    const split = await this.log();
    if (source.logEnd === undefined || source.comparePositions === undefined)
      throw coreErrors.verifyRefused(`the source of stream ${stream} does not tell where its log ends`);
    const end = await source.logEnd(split, context);
    for (let waited = 0; ; waited += LOOK_MS) {
      context.signal.throwIfAborted();
      const at = await this.position(split);
      if (source.comparePositions(split, at, end) >= 0) return;
      if (await this.isFree()) return this.requireNothingNew(split, at);
      if (waited >= patienceMs) {
        const run = (await ledger.lease(sink.job))?.holder.run;
        throw coreErrors.verifyUnsettled(
          `stream ${stream}: run ${run} has not come to the end of the log within ${Math.round(patienceMs / 1000)} s`,
          { details: { stream, position: at, end } },
        );
      }
      await sleep(LOOK_MS, context.signal);
    }
  }

  private async log(): Promise<Split> {
    const { ledger, sink, stream } = this.o;
    const { splits, sinks } = await ledger.flow(sink);
    const own = Object.values(splits).filter(({ split }) => split.streams.includes(stream));
    const positions = sinks[sink.sink]?.positions ?? {};
    const log = own.find(({ split }) => split.phase === 'log');
    const copied = own.every(({ split }) => split.phase !== 'bulk' || positions[split.id]?.sealed === true);
    if (log === undefined || !copied) {
      throw coreErrors.verifyUnsettled(`stream ${stream} has not been copied to sink ${sink.sink} yet`, {
        details: { stream },
      });
    }
    return log.split;
  }

  private async position(split: Split): Promise<Json> {
    const { ledger, sink } = this.o;
    return (await ledger.flow(sink)).sinks[sink.sink]?.positions[split.id]?.position ?? split.start;
  }

  private async isFree(): Promise<boolean> {
    const { ledger, sink } = this.o;
    const lease = await ledger.lease(sink.job);
    return lease === undefined || lease.holder.pid === process.pid;
  }

  /** Reads on from the position, and keeps nothing of it. */
  private async requireNothingNew(split: Split, at: Json): Promise<void> {
    const { flow, stream, held } = this.o;
    const reads = flow.streams
      .filter(({ read }) => split.streams.includes(read.stream))
      .map(({ read }) => read);
    const { batchRows, batchBytes } = flow;
    await held(async () => {
      const reader = await this.open(flow.source, { split, at, cuts: [], reads, batchRows, batchBytes });
      try {
        for await (const message of reader) {
          if (message.kind === 'checkpoint' || streamOf(message) !== stream) continue;
          throw coreErrors.verifyUnsettled(
            `stream ${stream}: the source has changed since the job has run, and what differs may be just that`,
            { details: { stream } },
          );
        }
      } finally {
        await reader.close();
      }
    });
  }

  private open(source: Source, request: Parameters<Source['open']>[0]) {
    return source.open(request, this.o.context);
  }
}

function streamOf(
  message:
    | { readonly kind: 'batch' | 'clear'; readonly stream: string }
    | { readonly kind: 'schema'; readonly schema: { readonly stream: string } },
): string {
  return message.kind === 'schema' ? message.schema.stream : message.stream;
}

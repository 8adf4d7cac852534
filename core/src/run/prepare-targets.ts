/** Before rows come: the sinks learn what is to be written, and their tables get their shape. */
import { failpoint, type SplitRecord, type StreamRecord } from '@sluice/sdk';
import type { FlowState } from '../ledger/ledger.js';
import { knownSchema, type SinkPlan } from '../plan/flow-plan.js';
import type { Attempt } from './attempt.js';
import { ownSplitsOf } from './flow-splits.js';
import type { StreamStart } from './reconcile.js';
import { sinkJobOf } from './settle.js';

/** The sinks learn generations and splits, and their tables get their shape. */
export async function prepareTargets(attempt: Attempt, state: FlowState): Promise<void> {
  const { run, starts } = attempt;
  const { context } = run;
  const records = new Map<string, { record: { streams: Streams; splits: Splits }; own: StreamStart[] }>();
  await attempt.sinks.each(async (sink) => {
    const own = starts.filter((start) => start.sinks.includes(sink.key.sink));
    const record = recordOf(own, state, sink);
    await sink.sink.adopt(sinkJobOf(run, sink), record, context);
    records.set(sink.key.sink, { record, own });
  });
  failpoint('prepare.after-adopt');
  await attempt.sinks.each(async (sink) => {
    for (const { stream, generation } of records.get(sink.key.sink)!.own) {
      const { table } = attempt.planOf(stream).targets[sink.key.sink]!;
      if (table.fits) continue;
      await sink.sink.applySchema(sinkJobOf(run, sink), table, generation, context);
    }
  });
  failpoint('prepare.after-schema');
  for (const { stream } of starts) {
    const known = state.streams[stream]?.schema;
    const schema = knownSchema(attempt.planOf(stream), known);
    if (JSON.stringify(known) !== JSON.stringify(schema)) {
      await run.ledger.recordSchema(attempt.lease, run.plan.key, schema);
    }
  }
}

type Streams = { [stream: string]: StreamRecord };
type Splits = { [split: string]: SplitRecord };

/** What a sink is to remember of the streams that are about to be written to it. */
function recordOf(
  starts: readonly StreamStart[],
  state: FlowState,
  { key }: SinkPlan,
): { streams: Streams; splits: Splits } {
  const positions = state.sinks[key.sink]?.positions ?? {};
  const streams: Streams = {};
  const splits: Splits = {};
  const ownSplits = ownSplitsOf(state);
  for (const { stream, generation } of starts) {
    streams[stream] = { generation, published: false };
    for (const { split } of ownSplits({ stream, generation })) {
      const { epoch = 0, position = split.start, sealed = false } = positions[split.id] ?? {};
      splits[split.id] = { split, generation, epoch, position, sealed };
    }
  }
  return { streams, splits };
}

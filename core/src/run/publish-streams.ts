/** After the lanes: what is complete becomes visible. */
import { failpoint } from '@sluice/sdk';
import type { Attempt, StreamEnd } from './attempt.js';
import { ownSplitsOf } from './flow-splits.js';
import { sinkJobOf } from './settle.js';

/** Makes every complete generation visible; says what is complete. */
export async function publishStreams(attempt: Attempt): Promise<StreamEnd[]> {
  const { run, starts } = attempt;
  const { plan, ledger, context } = run;
  const state = await ledger.flow(plan.key);
  const ownSplits = ownSplitsOf(state);
  const ends: StreamEnd[] = [];
  await attempt.sinks.each(async (sink) => {
    const { key } = sink;
    const positions = state.sinks[key.sink]?.positions ?? {};
    for (const { stream, generation, sinks } of starts) {
      if (!sinks.includes(key.sink)) continue;
      const complete = ownSplits({ stream, generation }).every(
        ({ split }) => split.phase !== 'bulk' || positions[split.id]?.sealed === true,
      );
      const streamPlan = attempt.planOf(stream);
      if (complete && streamPlan.read.mode === 'full') {
        failpoint('publish.before');
        const { table } = streamPlan.targets[key.sink]!;
        const { allowEmpty } = plan;
        await sink.sink.publish(sinkJobOf(run, sink), table, generation, { allowEmpty }, context);
        failpoint('publish.before-ledger');
        await ledger.markPublished(attempt.lease, key, stream, generation);
        failpoint('publish.after-ledger');
        run.onPublish(key.sink, streamPlan, generation);
      }
      ends.push({ sink: key.sink, stream, generation, complete });
    }
  });
  return ends;
}

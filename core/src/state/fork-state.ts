/**
 * Gives a job the state of another, so that it goes on where that one is: for a new name, or for a copy of a target.
 * The sinks are attached to, the state is written in a new generation, and then given to the sinks as the new job's
 * record. A crash in between leaves a ledger that a run refuses for want of the sink's record; `adopt` or the
 * same command again resolves that.
 */
import { failpoint, type Logger } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { FlowState, Ledger, SinkState } from '../ledger/ledger.js';
import type { FlowPlan } from '../plan/flow-plan.js';
import type { JobPlan } from '../plan/plan-job.js';
import { checkIdentities } from '../run/reconcile.js';
import { attachAll, sinkJobOf } from '../run/settle.js';
import { holdJob, settling } from './hold-job.js';
import { sinkRecordOf } from './sink-record.js';

/**
 * `plan` is of the job that gets the state; the caller closes it. Streams whose full copy is under way, and those that are quarantined, are left out and
 * begin anew. Resolves with the names of the streams that go on. Rejects with `SLUICE-CORE-0132` for a job that has
 * ever run, `0105` where source or sinks are other systems, `0101` while a run of either job is under way.
 */
export async function forkState(
  ledger: Ledger,
  from: string,
  plan: JobPlan,
  log?: Logger,
): Promise<readonly string[]> {
  const { name: job } = plan;
  const [run] = await ledger.runs(job, 1);
  if (run !== undefined || from === job) throw coreErrors.stateExists(`job ${job} has runs of its own`);
  return holdJob(ledger, from, () =>
    holdJob(
      ledger,
      job,
      async (keeper) => {
        const streams: string[] = [];
        for (const flow of plan.flows) {
          const theirs = await ledger.flow({ job: from, flow: flow.key.flow });
          checkSystems(theirs, flow);
          const stock = settling(flow, plan, ledger, keeper, log);
          const records = [...(await attachAll(stock)).values()];
          const ours = await ledger.flow(flow.key);
          const known = [theirs, ours, ...records].flatMap(({ streams }) => Object.values(streams));
          const generation = 1 + Math.max(0, ...known.map((stream) => stream.generation));
          const state = forked(theirs, flow, generation);
          failpoint('fork.before-ledger');
          await ledger.replaceFlow(keeper.lease, flow.key, state);
          failpoint('fork.after-ledger');
          for (const sink of stock.plan.sinks) {
            const record = sinkRecordOf(state, sink.key.sink);
            await sink.sink.adopt(sinkJobOf(stock, sink), record, stock.context);
            failpoint('fork.after-sink');
          }
          streams.push(...Object.keys(state.streams));
        }
        return streams;
      },
      log,
    ),
  );
}

function checkSystems(state: FlowState, { sourceIdentity, sinks }: FlowPlan): void {
  for (const { key, identity } of sinks) {
    const held = state.sinks[key.sink];
    // A copy of a target is another system; the source is the same, or its positions mean nothing.
    checkIdentities(held && { ...held, target: identity }, { source: sourceIdentity, target: identity });
  }
}

function forked(
  theirs: FlowState,
  { streams, sinks, sourceIdentity }: FlowPlan,
  generation: number,
): FlowState {
  const published = (sink: string, stream: string) =>
    theirs.sinks[sink]?.published[stream]?.generation === theirs.streams[stream]!.generation;
  const kept = streams
    .filter(({ stream }) => Object.hasOwn(theirs.streams, stream))
    .filter(({ stream }) => theirs.streams[stream]!.quarantined === undefined)
    .filter(
      ({ stream, read, targets }) =>
        read.mode !== 'full' || Object.keys(targets).every((sink) => published(sink, stream)),
    )
    .map(({ stream }) => stream);
  const splits = Object.entries(theirs.splits).filter(([, { split }]) =>
    split.streams.every((stream) => kept.includes(stream)),
  );
  return {
    streams: Object.fromEntries(
      kept.map((stream) => [stream, { generation, planned: theirs.streams[stream]!.planned }]),
    ),
    splits: Object.fromEntries(splits.map(([id, { split }]) => [id, { split, generation }])),
    sinks: Object.fromEntries(
      sinks.map(({ key: { sink }, identity }): [string, SinkState] => {
        const held = theirs.sinks[sink];
        const done = kept.filter((stream) => published(sink, stream));
        return [
          sink,
          {
            source: sourceIdentity,
            target: identity,
            published: Object.fromEntries(
              done.map((stream) => [stream, { generation, run: held!.published[stream]!.run }]),
            ),
            positions: Object.fromEntries(
              splits.flatMap(([id]) => {
                const position = held?.positions[id];
                if (position === undefined || position.epoch === 0) return [];
                const { epoch, position: place, sealed } = position;
                return [[id, { generation, epoch, position: place, sealed }]];
              }),
            ),
          },
        ];
      }),
    ),
  };
}

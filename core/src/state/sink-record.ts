/** What a sink is to remember of a flow, as the ledger has it. */
import type { SinkRecord, SplitRecord, StreamRecord } from '@sluice/sdk';
import type { FlowState } from '../ledger/ledger.js';

export function sinkRecordOf(state: FlowState, sink: string): Pick<SinkRecord, 'streams' | 'splits'> {
  const { published = {}, positions = {} } = state.sinks[sink] ?? {};
  const streams = Object.entries(state.streams).map(([stream, { generation }]): [string, StreamRecord] => [
    stream,
    { generation, published: published[stream]?.generation === generation },
  ]);
  const splits = Object.entries(state.splits).map(([id, { split, generation }]): [string, SplitRecord] => {
    const { epoch = 0, position = split.start, sealed = false } = positions[id] ?? {};
    return [id, { split, generation, epoch, position, sealed }];
  });
  return { streams: Object.fromEntries(streams), splits: Object.fromEntries(splits) };
}

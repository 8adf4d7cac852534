/**
 * A sink as the engine sees it where streams are routed. The engine knows streams as they are read, with one generation
 * and one set of splits each; the sink has a table, and a stream, for every route. What it remembers of a routed stream:
 *
 * | in the sink's record | what it is |
 * |---|---|
 * | the stream itself | its generation, whether all routes are published, and with its splits the positions: one a split, committed with the rows of all routes at once |
 * | each route, as a stream | the same generation, and whether this one is published |
 *
 * A crash leaves one of these, and the next run goes on from it:
 *
 * | step that is interrupted | what is found | what happens |
 * |---|---|---|
 * | before an epoch has committed | the position before it, in no route a row of it | the split is read from there |
 * | after some routes were published | the stream is not published, these routes are | the others are published, then the stream |
 * | after all were, before the stream was | the same with all | the stream is marked |
 * | after the stream was, before the ledger | the stream is published | the ledger takes that over |
 */
import { failpoint, type Sink, type SinkRecord, type StreamRecord, type TablePlan } from '@sluice/sdk';
import { tablesOf } from './routed-table.js';

/** `routes`: the streams that rows of each routed stream go on as. */
export function routedSink(sink: Sink, routes: ReadonlyMap<string, readonly string[]>): Sink {
  const isRoute = new Set([...routes.values()].flat());
  let known: SinkRecord['streams'] = {};
  const isShown = ({ stream, publish }: TablePlan, generation: number) =>
    isRoute.has(stream) &&
    publish !== 'none' &&
    known[stream]?.generation === generation &&
    known[stream].published;
  const unpublished = (table: TablePlan, generation: number) =>
    tablesOf(table).filter((each) => !isShown(each, generation));
  return {
    capabilities: sink.capabilities,
    check: (c) => sink.check(c),
    ...(sink.diagnose && { diagnose: (targets, c) => sink.diagnose!(targets, c) }),
    identity: (c) => sink.identity(c),
    plan: (streams, c) => sink.plan(streams, c),
    async attach(job, c) {
      const record = await sink.attach(job, c);
      known = record?.streams ?? {};
      return record && { ...record, streams: pick(record.streams, (stream) => !isRoute.has(stream)) };
    },
    adopt(job, { streams, splits }, c) {
      const ofRoutes = Object.entries(streams).flatMap(([stream, record]) =>
        (routes.get(stream) ?? []).map((route): [string, StreamRecord] => [route, record]),
      );
      return sink.adopt(job, { streams: { ...streams, ...Object.fromEntries(ofRoutes) }, splits }, c);
    },
    ...(sink.recover && { recover: (job, tokens, c) => sink.recover!(job, tokens, c) }),
    ...(sink.commitPrepared && { commitPrepared: (job, tokens, c) => sink.commitPrepared!(job, tokens, c) }),
    async applySchema(job, table, generation, c) {
      for (const each of unpublished(table, generation)) await sink.applySchema(job, each, generation, c);
    },
    async publish(job, table, generation, options, c) {
      for (const each of unpublished(table, generation)) {
        await sink.publish(job, each, generation, options, c);
        failpoint('publish.after-route');
      }
      if (!routes.has(table.stream)) return;
      const whole = { streams: { [table.stream]: { generation, published: true } }, splits: {} };
      await sink.adopt(job, whole, c);
    },
    open: (lane, c) => sink.open({ ...lane, tables: lane.tables.flatMap(tablesOf) }, c),
    ...(sink.reads && { reads: (tables) => sink.reads!(tables) }),
    ...(sink.close && { close: () => sink.close!() }),
  };
}

function pick<T>(
  entries: { readonly [name: string]: T },
  wanted: (name: string) => boolean,
): { [name: string]: T } {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => wanted(name)));
}

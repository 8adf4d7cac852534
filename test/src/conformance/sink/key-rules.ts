/** Rules of writing by key. */
import {
  Batch,
  OPS,
  type Op,
  type Row,
  type StreamSchema,
  streamSchema,
  types,
  UNCHANGED,
} from '@sluice/sdk';
import { demandCoded } from '../coded-error.js';
import { outcome } from '../patience.js';
import { demand } from '../rule.js';
import { finish } from './commit-rules.js';
import { order, orders } from './sample-rows.js';
import { byKey, type SinkRule } from './sink-rule.js';
import { columnsBatch, type SinkLane, type SinkRun } from './sink-run.js';
import type { SinkSession } from './sink-subject.js';

export const keyRules: readonly SinkRule[] = [
  {
    id: 'SNK-52',
    per: 'mode',
    reads: true,
    concerns: byKey,
    must: 'The last row of a key MUST win: within a batch, across batches of an epoch, and across epochs, whether it is an insert, an update or an upsert.',
    fix: 'Fold the epoch per key in order before applying it, or apply the rows one after the other.',
    async check(session) {
      const lane = await openLane(session);
      await lane.write([order(1, 'a'), order(2, 'a'), order(1, 'b'), order(1, 'c')]);
      await lane.write([order(2, 'b'), order(3, 'a')], { op: 'upsert' });
      await lane.commit();
      await lane.write([order(3, 'b')], { op: 'update' });
      await lane.write([order(3, 'c'), order(4, 'a')], { op: ops('update', 'insert') });
      await lane.write([order(4, 'b')], { op: 'upsert' });
      await lane.commit({ sealed: true });
      await demandFinal(
        session,
        lane,
        [order(1, 'c'), order(2, 'b'), order(3, 'c'), order(4, 'b')],
        'rows after several writes to each key',
      );
    },
  },
  {
    id: 'SNK-53',
    per: 'mode',
    reads: true,
    concerns: byKey,
    must: 'A delete MUST remove the row of its key, in order with other writes to it, and be harmless where there is none.',
    fix: 'Fold deletes with the other rows of the key in order; match by key columns only.',
    async check(session) {
      const lane = await openLane(session);
      await lane.write([order(1), order(2), order(3), order(4), order(5)]);
      await lane.commit();
      await lane.write([keyOf(1), keyOf(99)], { op: 'delete' });
      await lane.write([keyOf(2), order(2, 'again'), order(6), keyOf(6)], {
        op: ops('delete', 'insert', 'insert', 'delete'),
      });
      await lane.write([order(3, 'changed')], { op: 'update' });
      await lane.write([order(3, 'changed')], { op: 'delete' });
      await lane.commit();
      await lane.write([keyOf(4)], { op: 'delete' });
      await lane.commit({ sealed: true });
      await demandFinal(session, lane, [order(2, 'again'), order(5)], 'rows after deletes');
    },
  },
  {
    id: 'SNK-54',
    per: 'mode',
    reads: true,
    concerns: byKey,
    must: 'A move MUST leave one row, under its new key, or be refused with a coded error; a sink that declares move does not refuse.',
    fix: 'Delete the key in `before` and write the row, in the same transaction; else throw notSupported.',
    async check(session) {
      const lane = await openLane(session);
      await lane.write([order(1), order(2)]);
      await lane.commit();
      const schema = orders();
      const before = Batch.ofRows(schema, [{ ...keyOf(1), name: UNCHANGED, amount: UNCHANGED }]);
      const moved = await outcome(
        lane.write([order(7, 'moved')], { op: 'move', before }).then(() => lane.commit({ sealed: true })),
      );
      if ('error' in moved) {
        demandCoded(moved.error, 'a move');
        demand(!lane.run.sink.capabilities.move, 'the sink declares move and refuses one');
        return;
      }
      await demandFinal(
        session,
        lane,
        [order(2), order(7, 'moved')],
        'rows after a move from key 1 to key 7',
      );
    },
  },
  {
    id: 'SNK-55',
    per: 'mode',
    reads: true,
    concerns: byKey,
    must: 'An update with UNCHANGED columns MUST leave these as they are and insert nothing, or be refused with a coded error; a sink that declares partialUpdates does not refuse.',
    fix: 'Set only the columns that are present (see `Column.absent`); UNCHANGED is not null, and without a row to update there is nothing to write.',
    async check(session) {
      const lane = await openLane(session);
      await lane.write([order(1), order(2)]);
      await lane.commit();
      const partial: Row[] = [
        { id: 1n, name: 'changed', amount: UNCHANGED },
        { id: 2n, name: UNCHANGED, amount: null },
      ];
      const updated = await outcome(lane.write(partial, { op: 'update' }).then(() => lane.commit()));
      if ('error' in updated) {
        demandCoded(updated.error, 'a partial update');
        demand(
          !lane.run.sink.capabilities.partialUpdates,
          'the sink declares partialUpdates and refuses one',
        );
        return;
      }
      const missing: Row[] = [{ id: 9n, name: 'of no row', amount: UNCHANGED }];
      const inserted = await outcome(lane.write(missing, { op: 'update' }).then(() => lane.commit()));
      if ('error' in inserted) demandCoded(inserted.error, 'a partial update of a row that is not there');
      const wanted: Row[] = [
        { ...order(1), name: 'changed' },
        { ...order(2), amount: null },
      ];
      await demandFinal(session, lane, wanted, 'rows after partial updates');
    },
  },
  {
    id: 'SNK-56',
    per: 'mode',
    reads: true,
    concerns: byKey,
    must: 'Keys MUST be compared by their values: texts by their bytes, not by case, padding, accents or normal form.',
    fix: 'Use a binary collation for key columns, or refuse the plan where the target’s collation would merge keys.',
    async check(session) {
      const schema = streamSchema(
        'texts',
        [{ name: 'key', type: types.string, nullable: false }, valueField],
        ['key'],
      );
      const keys = [
        'a',
        'A',
        'a ',
        ' a',
        'á',
        'a\u0301',
        'ß',
        'ss',
        'ｆ',
        'f',
        '0',
        '00',
        'null',
        '\u{1F600}',
        'x'.repeat(300),
        `${'x'.repeat(300)}y`,
      ];
      await demandKeys(
        session,
        schema,
        keys.map((key) => ({ key })),
      );
    },
  },
  {
    id: 'SNK-57',
    per: 'mode',
    reads: true,
    concerns: byKey,
    must: 'A key of several columns of any types MUST be compared column by column.',
    fix: 'Do not join key values into one text; match every key column with its own type.',
    async check(session) {
      const schema = streamSchema(
        'composite',
        [
          { name: 'b', type: types.string, nullable: false },
          valueField,
          { name: 'a', type: types.int32, nullable: false },
          { name: 'day', type: types.date, nullable: false },
        ],
        ['a', 'b', 'day'],
      );
      const rows: Row[] = [];
      for (const a of [1, 11])
        for (const b of ['', '1', '1,1', '11']) for (const day of [1, 11]) rows.push({ a, b, day });
      await demandKeys(session, schema, rows);
    },
  },
];

const valueField = { name: 'value', type: types.int32, nullable: true } as const;

async function openLane(session: SinkSession, schema = orders()): Promise<SinkLane> {
  const run: SinkRun = await session.run();
  return run.lane(await run.begin(schema));
}

/** Writes every key twice, deletes the first, and demands that each was a row of its own. */
async function demandKeys(session: SinkSession, schema: StreamSchema, keys: readonly Row[]): Promise<void> {
  const lane = await openLane(session, schema);
  await lane.write(keys.map((key) => ({ ...key, value: -1 })));
  await lane.commit();
  const rows = keys.map((key, i) => ({ ...key, value: i }));
  await lane.send(columnsBatch(schema, rows, { op: 'upsert' }));
  await lane.send(columnsBatch(schema, [{ ...keys[0]!, value: null }], { op: 'delete' }));
  await lane.commit({ sealed: true });
  const { run } = lane;
  await run.closeLane(lane);
  if (session.usesGenerations) await run.publish(lane.tables[0]!);
  await session.demandRows(lane.tables[0]!, rows.slice(1), 'rows whose keys are alike');
}

async function demandFinal(
  session: SinkSession,
  lane: SinkLane,
  wanted: readonly Row[],
  what: string,
): Promise<void> {
  await finish(session);
  await session.demandRows(lane.tables[0]!, wanted, what);
}

/** A row of which only the key is there, as a delete by key carries it. */
function keyOf(id: number): Row {
  return { id: BigInt(id), name: null, amount: null };
}

function ops(...names: Op[]): Uint8Array {
  return Uint8Array.from(names, (name) => OPS.indexOf(name));
}

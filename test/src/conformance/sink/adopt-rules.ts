/** Rules of adoption: what the sink is told to remember, and gives back. */
import { isDeepStrictEqual } from 'node:util';
import type { Json, SinkRecord, SplitRecord } from '@sluice/sdk';
import { throughJson } from '../json-trip.js';
import { demand } from '../rule.js';
import { show } from '../show.js';
import { orderRange, orders } from './sample-rows.js';
import { type SinkRule, withRecord } from './sink-rule.js';
import { splitOf } from './sink-run.js';

/** JSON that a careless store bends. */
export const AWKWARD_POSITIONS: readonly Json[] = [
  null,
  false,
  0,
  -1.5e-7,
  9007199254740991,
  1e21,
  '',
  'null',
  'quotes \' " and back\\slashes \u0001',
  '日本 \u{1F600} e\u0301',
  [],
  {},
  [1, [2, [null]], { a: [] }],
  { lsn: '16/B374D848', nested: { 'key with "quotes"': [true, null, ''], '': 1 }, 数: 'x'.repeat(20_000) },
];

export const adoptRules: readonly SinkRule[] = [
  {
    id: 'SNK-17',
    per: 'mode',
    concerns: withRecord,
    must: 'adopt MUST store generations and splits as they are given, also when it is repeated, and attach MUST return them exactly.',
    fix: 'Store split and position as JSON text (not in a type that normalises it), and read them back as such.',
    async check(session) {
      const streams = {
        orders: { generation: 3, published: false },
        other: { generation: 1, published: true },
      };
      const splits = Object.fromEntries(
        AWKWARD_POSITIONS.map((position, i): [string, SplitRecord] => {
          const split = {
            ...splitOf('orders', i),
            id: `orders/${i} "ü"`,
            start: position,
            spec: { at: position },
          };
          return [split.id, { split, generation: 3, epoch: i, position, sealed: i % 2 === 1 }];
        }),
      );
      for (let time = 0; time < 2; time++) {
        const run = await session.run();
        await run.sink.adopt(run.job, throughJson({ streams, splits }), run.context);
        await run.sink.adopt(run.job, throughJson({ streams, splits }), run.context);
        await session.crash();
      }
      const { record } = await session.run();
      demandRecord(record, { source: 'conformance kit', fence: 2n, streams, splits });
    },
  },
  {
    id: 'SNK-18',
    per: 'mode',
    concerns: withRecord,
    must: 'adopt MUST NOT set back what the sink has for the same generation: neither a position nor that it is published.',
    fix: 'Compare epochs within the generation before overwriting, and keep `published` once it is set.',
    async check(session) {
      const schema = orders();
      const split = splitOf('orders');
      const run = await session.run();
      const table = await run.begin(schema);
      const lane = await run.lane(table);
      await lane.write(orderRange(0, 3));
      await lane.commit();
      await lane.write(orderRange(3, 6));
      await lane.commit({ position: 'the end', sealed: true });
      await run.closeLane(lane);
      await run.publish(table, 1, true);
      await session.crash();

      const late = await session.run();
      const stale = { split, generation: 1, epoch: 1, position: 'earlier', sealed: false };
      const streams = { orders: { generation: 1, published: false } };
      await late.sink.adopt(late.job, throughJson({ streams, splits: { [split.id]: stale } }), late.context);
      await session.crash();
      const { record } = await session.run();
      const found = record?.splits[split.id];
      demand(
        found?.epoch === 2 && found.position === 'the end' && found.sealed,
        () => `after an adopt of epoch 1 the record stands at ${show(found)}; epoch 2 was committed`,
      );
      demand(
        record?.streams['orders']?.published === true,
        'after an adopt the generation is no longer published',
      );
    },
  },
  {
    id: 'SNK-19',
    per: 'mode',
    concerns: withRecord,
    must: 'adopt MUST forget splits of other generations of its streams, and keep those of other streams.',
    fix: 'Delete the split records of the adopted streams whose generation differs; nothing else.',
    async check(session) {
      const first = await session.run();
      await first.adopt('orders', 1, [splitOf('orders', 0), splitOf('orders', 1)]);
      await first.adopt('other', 4, [splitOf('other', 0)]);
      await session.crash();
      const second = await session.run();
      await second.adopt('orders', 2, [splitOf('orders', 1), splitOf('orders', 2)]);
      await session.crash();
      const { record } = await session.run();
      const generations = Object.fromEntries(
        Object.entries(record?.splits ?? {}).map(([id, { generation }]) => [id, generation]),
      );
      const wanted = { 'orders/1': 2, 'orders/2': 2, 'other/0': 4 };
      demand(
        isDeepStrictEqual(sorted(generations), wanted),
        () => `generations of splits are ${show(generations)}, expected ${show(wanted)}`,
      );
      const streams = record?.streams ?? {};
      demand(
        streams['orders']?.generation === 2 && streams['other']?.generation === 4,
        () => `streams are ${show(streams)}`,
      );
    },
  },
];

/** The record is the wanted one; the order of names in it says nothing. */
export function demandRecord(found: SinkRecord | undefined, wanted: SinkRecord): void {
  demand(found !== undefined, 'attach answers undefined for a job that it has seen');
  const { source, fence, streams, splits } = found;
  const same = isDeepStrictEqual(
    throughJson({ streams: sorted(streams), splits: sorted(splits) }),
    throughJson({ streams: sorted(wanted.streams), splits: sorted(wanted.splits) }),
  );
  demand(source === wanted.source && fence === wanted.fence && same, () => {
    const wrong = Object.keys(wanted.splits).find((id) => !isDeepStrictEqual(splits[id], wanted.splits[id]));
    const about =
      wrong === undefined
        ? ''
        : `; split ${wrong} is ${show(splits[wrong])}, expected ${show(wanted.splits[wrong])}`;
    return `the record is ${show({ source, fence, streams, splits: {} })}, expected ${show({ ...wanted, splits: {} })}${about}`;
  });
}

function sorted<T>(of: { readonly [name: string]: T }): { [name: string]: T } {
  return Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Rules of targets' shapes: applySchema converges. */
import { type StreamSchema, types } from '@sluice/sdk';
import { demandCoded } from '../coded-error.js';
import { outcome } from '../patience.js';
import { deliver } from './deliver.js';
import { order, orderRange, orders } from './sample-rows.js';
import type { SinkRule } from './sink-rule.js';

export const schemaRules: readonly SinkRule[] = [
  {
    id: 'SNK-22',
    per: 'mode',
    reads: true,
    must: 'applySchema MUST be repeatable, by the same object and by others, before and after rows were committed, and keep them.',
    fix: 'Look at the target as it is and change what differs: create if missing, never drop what fits.',
    async check(session) {
      const schema = orders();
      for (let attempt = 0; attempt < 2; attempt++) {
        const run = await session.run();
        const table = await run.begin(schema);
        await run.applySchema(table);
        await session.crash();
      }
      const run = await session.run();
      const table = await run.begin(schema);
      const lane = await run.lane(table);
      await lane.write(orderRange(0, 4));
      await lane.commit({ sealed: true });
      await run.closeLane(lane);
      await run.applySchema(table);
      await session.crash();
      const again = await session.run();
      await again.applySchema(await again.begin(schema));
      if (session.usesGenerations) await again.publish(table);
      await again.applySchema(table);
      await session.demandRows(table, orderRange(0, 4), 'rows after applySchema was repeated');
    },
  },
  {
    id: 'SNK-23',
    per: 'mode',
    reads: true,
    must: 'A target that lacks a column MUST get it, null in the rows that are there, or the plan is refused with a coded error.',
    fix: 'Compare the target’s columns with the plan’s in applySchema() and add what is missing.',
    async check(session) {
      const narrow = orders();
      const wide: StreamSchema = {
        ...narrow,
        fields: [...narrow.fields, { name: 'note', type: types.string, nullable: true }],
      };
      await deliver(session, narrow, orderRange(0, 3));
      const planned = await outcome(
        session.withSink((sink, context) => sink.plan([session.streamOf(wide)], context)),
      );
      if ('error' in planned)
        return void demandCoded(planned.error, 'planning one column more', ['config', 'contract']);
      const added = { ...order(3), note: 'new' };
      const table = await deliver(session, wide, [added], { generation: 2 });
      const before = session.usesGenerations ? [] : orderRange(0, 3);
      await session.demandRows(table, [...before, added], 'rows from before and after the column came', wide);
    },
  },
];

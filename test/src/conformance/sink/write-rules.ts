import { Batch, type TablePlan } from '@sluice/sdk';
import { demandCoded } from '../coded-error.js';
import { outcome } from '../patience.js';
import { demand } from '../rule.js';
import { show } from '../show.js';
import { finish } from './commit-rules.js';
import { deliver } from './deliver.js';
import { order, orderRange, orders } from './sample-rows.js';
import { type SinkRule, withRecord } from './sink-rule.js';
import { type SinkLane, splitOf } from './sink-run.js';

const MANY_ROWS = 100_000;

export const writeRules: readonly SinkRule[] = [
  {
    id: 'SNK-30',
    per: 'mode',
    reads: true,
    must: 'A batch MUST be taken whatever its size, from one row to a hundred thousand.',
    fix: 'Cut statements, parameters and requests by the system’s own limits.',
    async check(session) {
      const { manyRows = MANY_ROWS } = session.options;
      const run = await session.run();
      const table = await run.begin(orders());
      const lane = await run.lane(table);
      await lane.write([order(0)]);
      await lane.write(orderRange(1, manyRows));
      await lane.write([order(manyRows)]);
      await lane.commit({ sealed: true });
      await finish(session);
      await session.demandRows(
        table,
        orderRange(0, manyRows + 1),
        'rows of batches with 1 row and with many',
      );
    },
  },
  {
    id: 'SNK-31',
    per: 'mode',
    reads: true,
    must: 'A writer MUST store the same for a batch of rows, of columns, and of columns that begin within larger buffers, and MUST NOT change the batch.',
    fix: 'Use rows() or columns() of the batch; a column’s offsets start anywhere, and arrays may be longer than the column.',
    async check(session) {
      const schema = orders();
      const run = await session.run();
      const table = await run.begin(schema);
      const lane = await run.lane(table);
      const rows = [
        ...orderRange(0, 20),
        { id: 20n, name: null, amount: null },
        { id: 21n, name: '', amount: '-0.01' },
      ];
      const whole = Batch.ofColumns(schema, Batch.ofRows(schema, rows).columns(), rows.length);
      const middle = whole.derive(
        schema,
        schema.fields.map((_, i) => sliced(whole.column(i), 7, 15)),
      );
      const parts = [
        Batch.ofRows(schema, rows.slice(0, 7)),
        Batch.ofColumns(schema, middle.columns(), 8),
        whole.select(Uint32Array.from({ length: 7 }, (_, i) => 15 + i)),
      ];
      for (const part of parts) {
        const before = show(part.rows());
        await lane.send(part);
        demand(
          show(part.rows()) === before,
          () => `write has changed its batch from ${before} to ${show(part.rows())}`,
        );
      }
      await lane.commit({ sealed: true });
      await finish(session);
      await session.demandRows(table, rows, 'rows of three kinds of batch');
    },
  },
  {
    id: 'SNK-32',
    per: 'mode',
    reads: true,
    must: 'A writer whose split has several streams MUST commit the rows of all of them together.',
    fix: 'Find the plan by the batch’s stream among `LaneRequest.tables`; commit() covers everything since the last one.',
    async check(session) {
      const split = { ...splitOf('both'), streams: ['one', 'two'] };
      const run = await session.run();
      const tables: TablePlan[] = [];
      for (const stream of split.streams) tables.push(await run.plan(orders(stream)));
      const at = { split, generation: 1, epoch: 0, position: 0, sealed: false };
      const generation = { generation: 1, published: false };
      await run.sink.adopt(
        run.job,
        { streams: { one: generation, two: generation }, splits: { [split.id]: at } },
        run.context,
      );
      for (const table of tables) await run.applySchema(table);
      const lane = await run.lane(tables, { split });
      for (let i = 0; i < 3; i++) {
        await lane.write(orderRange(i * 2, i * 2 + 2), { table: tables[0]! });
        await lane.write(orderRange(i * 5, i * 5 + 5), { table: tables[1]! });
      }
      await lane.commit({ sealed: true });
      await run.closeLane(lane);
      if (session.usesGenerations) for (const table of tables) await run.publish(table);
      await session.demandRows(tables[0]!, orderRange(0, 6), 'rows of the first of two streams');
      await session.demandRows(tables[1]!, orderRange(0, 15), 'rows of the second of two streams');
    },
  },
  {
    id: 'SNK-33',
    per: 'mode',
    reads: true,
    must: 'As many writers as the capabilities say MUST be able to work at once, on splits of one stream.',
    fix: 'Give each writer its own connection and transaction; take locks in one order, and only for the commit.',
    async check(session) {
      const run = await session.run();
      const count = Math.min(run.sink.capabilities.writers, 4);
      const splits = Array.from({ length: count }, (_, i) => splitOf('orders', i));
      const table = await run.begin(orders(), { splits });
      const lanes: SinkLane[] = [];
      for (const split of splits) lanes.push(await run.lane(table, { split }));
      await Promise.all(
        lanes.map(async (lane, i) => {
          for (let epoch = 0; epoch < 4; epoch++) {
            const from = i * 1000 + epoch * 50;
            await lane.write(orderRange(from, from + 25));
            await lane.write(orderRange(from + 25, from + 50));
            await lane.commit({ sealed: epoch === 3 });
          }
        }),
      );
      await finish(session);
      const wanted = splits.flatMap((_, i) => orderRange(i * 1000, i * 1000 + 200));
      await session.demandRows(table, wanted, `rows of ${count} writers at once`);
    },
  },
  {
    id: 'SNK-34',
    per: 'mode',
    reads: true,
    concerns: (of) => !withRecord(of),
    must: 'When flush returns, every row that was accepted MUST be durable.',
    fix: 'Wait in flush() until the system has acknowledged everything that write() took.',
    async check(session) {
      const run = await session.run();
      const table = await run.begin(orders());
      const lane = await run.lane(table);
      await lane.write(orderRange(0, 3));
      await lane.write(orderRange(3, 5));
      await lane.commit();
      await lane.write(orderRange(5, 6));
      await lane.commit();
      await finish(session);
      await session.demandRows(table, orderRange(0, 6), 'rows of two flushed epochs');
    },
  },
  {
    id: 'SNK-35',
    per: 'mode',
    reads: true,
    concerns: ({ protocol }) => protocol === 'keyed',
    must: 'With protocol keyed, writing the rows of an epoch again MUST change nothing.',
    fix: 'Write by key, so that the row is replaced, and delete by key without minding that it is gone.',
    async check(session) {
      const rows = orderRange(0, 5);
      let table = await deliver(session, orders(), rows);
      for (let time = 0; time < 2; time++) table = await deliver(session, orders(), rows);
      await session.demandRows(table, rows, 'rows of an epoch that was written three times');
    },
  },
  {
    id: 'SNK-36',
    per: 'mode',
    reads: true,
    must: 'A Clear of a stream MUST remove its rows with the commit, those before it and none after it, or be refused with a coded error.',
    fix: 'Delete the stream’s rows in the epoch’s transaction, in order with the batches, or throw notSupported.',
    async check(session) {
      const schema = orders();
      await deliver(session, schema, orderRange(0, 6));
      const run = await session.run();
      const table = await run.begin(schema, { generation: 2 });
      const lane = await run.lane(table, { generation: 2 });
      await lane.write(orderRange(6, 8));
      const cleared = await outcome(lane.send({ kind: 'clear', stream: schema.stream }));
      if ('error' in cleared) return void demandCoded(cleared.error, 'a Clear');
      await lane.write([order(2, 'new')]);
      await lane.commit({ sealed: true });
      await finish(session, 2);
      await session.demandRows(table, [order(2, 'new')], 'rows after a Clear and one more row');
    },
  },
];

/** A column that begins within the buffers of another. */
function sliced(column: ReturnType<Batch['column']>, from: number, to: number) {
  const { data } = column;
  const validity =
    column.validity && Uint8Array.from({ length: 2 }, (_, b) => bitsFrom(column.validity!, from + b * 8));
  if (data.layout === 'fixed')
    return {
      length: to - from,
      data: { ...data, values: data.values.subarray(from) },
      ...(validity && { validity }),
    };
  if (data.layout === 'varlen')
    return {
      length: to - from,
      data: { ...data, offsets: data.offsets.subarray(from) },
      ...(validity && { validity }),
    };
  throw new TypeError(`${data.layout} is not sliced here`);
}

function bitsFrom(bits: Uint8Array, at: number): number {
  let byte = 0;
  for (let i = 0; i < 8; i++) if (((bits[(at + i) >> 3] ?? 0) >> ((at + i) & 7)) & 1) byte |= 1 << i;
  return byte;
}

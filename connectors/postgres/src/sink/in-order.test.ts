/** Targets with constraints that look at several rows: changes of an epoch are made in the order of the source. */
import {
  Batch,
  field,
  OPS,
  type Op,
  type Row,
  type StreamSchema,
  streamSchema,
  types,
  UNCHANGED,
} from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSink } from '../testing/open.js';
import { epoch, jobOf, planFor, split } from '../testing/sink-lane.js';
import type { PostgresSink } from './postgres-sink.js';

const job = jobOf(1n);
const c = testContext();

const PEOPLE = streamSchema(
  'shop.people',
  [
    field('id', types.int32, { nullable: false }),
    field('email', types.string),
    field('boss', types.int32),
    field('note', types.string),
  ],
  ['id'],
);
const VISITS = streamSchema(
  'shop.visits',
  [field('id', types.int32, { nullable: false }), field('person', types.int32)],
  ['id'],
);

describeWithServer('postgres-15', (server) => {
  let url: string;
  let sink: PostgresSink;

  beforeEach(async () => {
    url = await server().createDatabase();
    sink = openSink(url);
    await psql(
      url,
      `CREATE TABLE people (id integer PRIMARY KEY, email text UNIQUE, boss integer REFERENCES people, note text);
       CREATE TABLE visits (id integer PRIMARY KEY, person integer REFERENCES people);
       INSERT INTO people VALUES (1, 'a', NULL, 'one'), (2, 'b', 1, 'two'); INSERT INTO visits VALUES (10, 1), (20, 2)`,
    );
  });
  afterEach(() => sink.close());

  const people = () => psql(url, 'SELECT id, email, boss, note FROM people ORDER BY id');
  const visits = () => psql(url, 'SELECT id, person FROM visits ORDER BY id');

  const changes = (schema: StreamSchema, ...rows: [Op, Row][]): Batch =>
    Batch.ofRows(
      schema,
      rows.map(([, row]) => row),
      { op: Uint8Array.from(rows, ([op]) => OPS.indexOf(op)) },
    );
  const person = (
    id: number,
    email: string | null,
    boss: number | null = null,
    note: string | null = null,
  ) => ({
    id,
    email,
    boss,
    note,
  });

  /** Writes one epoch; the children's table comes first among those of the lane. */
  async function write(...batches: Batch[]): Promise<void> {
    const plans = [
      await planFor(sink, { write: 'upsert', schema: VISITS, target: 'public.visits' }),
      await planFor(sink, { write: 'upsert', schema: PEOPLE, target: 'public.people' }),
    ];
    await sink.attach(job, c);
    const streams = Object.fromEntries(
      plans.map(({ stream }) => [stream, { generation: 1, published: false }]),
    );
    await sink.adopt(job, { streams, splits: {} }, c);
    for (const plan of plans) await sink.applySchema(job, plan, 1, c);
    const writer = await sink.open({ job, split: split('a'), generation: 1, tables: plans }, c);
    if (writer.protocol !== 'atomic') throw new Error(writer.protocol);
    try {
      for (const batch of batches) await writer.write(batch);
      await writer.commit(epoch(job, 1));
    } finally {
      await writer.close();
    }
  }

  it('hand on what is unique from one row to another', async () => {
    await write(
      changes(
        PEOPLE,
        ['update', person(2, null, 1, 'two')],
        ['update', person(1, 'b', null, 'one')],
        ['update', person(2, 'a', 1, 'two')],
        ['insert', person(3, 'c')],
        ['delete', person(3, null)],
        ['insert', person(4, 'c')],
      ),
    );
    expect(await people()).toBe('1|b||one\n2|a|1|two\n4|c||');
  });

  it('take rows that leave columns as they are in their place', async () => {
    await write(
      changes(
        PEOPLE,
        ['update', { ...person(2, 'z', 1), note: UNCHANGED }],
        ['update', { ...person(1, 'b'), note: UNCHANGED }],
        ['update', { ...person(7, 'nobody'), note: UNCHANGED }],
      ),
    );
    expect(await people()).toBe('1|b||one\n2|z|1|two');
  });

  it('come after what they refer to, and go before it, over the tables of a lane', async () => {
    await write(
      changes(PEOPLE, ['insert', person(5, 'e')]),
      changes(PEOPLE, ['insert', person(6, 'f', 5)]),
      changes(VISITS, ['insert', { id: 50, person: 6 }], ['delete', { id: 20, person: null }]),
      changes(PEOPLE, ['delete', person(2, null)]),
      changes(VISITS, ['update', { id: 10, person: 5 }]),
      changes(PEOPLE, ['delete', person(1, null)]),
    );
    expect(await people()).toBe('5|e||\n6|f|5|');
    expect(await visits()).toBe('10|5\n50|6');
  });

  it('are refused, all of them, where the order does not help', async () => {
    const twice = write(
      changes(PEOPLE, ['insert', person(8, 'h')], ['insert', person(9, 'a')]),
      changes(VISITS, ['insert', { id: 60, person: 8 }]),
    );
    await expect(twice).rejects.toMatchObject({
      class: 'data',
      details: { sqlstate: '23505', stream: 'shop.people' },
    });
    const orphan = write(changes(VISITS, ['insert', { id: 60, person: 99 }]));
    await expect(orphan).rejects.toMatchObject({ class: 'data', details: { sqlstate: '23503' } });
    expect(await people()).toBe('1|a||one\n2|b|1|two');
    expect(await visits()).toBe('10|1\n20|2');
  });
});

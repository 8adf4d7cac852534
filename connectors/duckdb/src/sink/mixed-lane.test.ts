/** One lane that writes several streams in several ways, as a change log does. */
import {
  Batch,
  field,
  type LaneRequest,
  type SinkStream,
  streamSchema,
  types,
  UNCHANGED,
  type WriteMode,
} from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import duckdb from '../index.js';
import { sql, testContext } from '../testing/harness.js';
import { inFile } from '../testing/people.js';

const MODES = { events: 'append', people: 'upsert', copied: 'replace' } as const satisfies {
  [stream: string]: WriteMode;
};
const FIELDS = [field('id', types.int32, { nullable: false }), field('name', types.string)];
const schemaOf = (stream: string) => streamSchema(stream, FIELDS, ['id']);

async function openLane(file: string, fence = 1n) {
  const c = testContext();
  const sink = duckdb.sink!.create(duckdb.config.parse({ path: file }));
  const job = { id: 'job/main/main', source: 'test', fence };
  const streams = Object.entries(MODES).map(
    ([stream, write]): SinkStream => ({
      stream,
      target: stream,
      schema: schemaOf(stream),
      read: 'cdc',
      write,
      save: 'keep',
      options: {},
      encodings: [],
    }),
  );
  const tables = await sink.plan(streams, c);
  await sink.attach(job, c);
  for (const table of tables) await sink.applySchema(job, table, 1, c);
  const split = { id: 'log', streams: Object.keys(MODES), phase: 'log' as const, start: 0, spec: null };
  const lane: LaneRequest = { job, split, generation: 1, tables };
  const writer = await sink.open(lane, c);
  if (writer.protocol !== 'atomic') throw new Error('the sink is atomic');
  const commit = (number: number) =>
    writer.commit({ split, number, generation: 1, fence, version: 0n, position: number, sealed: false });
  const end = async () => {
    await writer.close();
    await sink.close?.();
  };
  return { writer, commit, end };
}

const rows = (stream: keyof typeof MODES, ...names: string[]) =>
  Batch.ofRows(
    schemaOf(stream),
    names.map((name, i) => ({ id: i + 1, name })),
  );

describe('a lane of several streams', () => {
  it('commits all of them at once, each in its own way', async () => {
    await inFile(async (file) => {
      const { writer, commit, end } = await openLane(file);
      await writer.write(rows('events', 'made'));
      await writer.write(rows('people', 'a', 'b'));
      await writer.write(rows('copied', 'x', 'y', 'z'));
      await commit(1);
      await writer.write(rows('people', 'A'));
      await writer.write(Batch.ofRows(schemaOf('people'), [{ id: 2, name: UNCHANGED }], { op: 'update' }));
      await writer.write({ kind: 'clear', stream: 'copied', range: { from: 2, to: 3 } });
      await writer.write(rows('events', 'changed', 'changed'));
      await writer.write(Batch.ofRows(schemaOf('copied'), [{ id: 2, name: 'Y' }]));
      await commit(2);
      await writer.write(rows('events', 'lost'));
      await writer.write(rows('people', 'lost'));
      await end();
      expect(await sql(file, 'SELECT name FROM events ORDER BY rowid')).toEqual([
        { name: 'made' },
        { name: 'changed' },
        { name: 'changed' },
      ]);
      expect(await sql(file, 'FROM people ORDER BY id')).toEqual([
        { id: 1, name: 'A' },
        { id: 2, name: 'b' },
      ]);
      const [staging] = await sql(
        file,
        "SELECT table_name AS name FROM duckdb_tables() WHERE table_name LIKE '%g1_copied'",
      );
      expect(await sql(file, `SELECT name FROM "${staging!['name']}" ORDER BY id`)).toEqual([
        { name: 'x' },
        { name: 'Y' },
        { name: 'z' },
      ]);
      expect(await sql(file, 'SELECT epoch::INT AS epoch FROM _sluice_commits')).toEqual([{ epoch: 2 }]);
    });
  });

  it('commits none of them when one is refused, and takes what comes next', async () => {
    await inFile(async (file) => {
      const { writer, commit, end } = await openLane(file);
      await writer.write(rows('events', 'with the bad one'));
      const bad = Batch.ofRows(schemaOf('people'), [{ id: 1, name: 'x' }], { op: 'move' });
      await expect(writer.write(bad).then(() => commit(1))).rejects.toMatchObject({
        code: 'SLUICE-DUCKDB-0016',
      });
      await writer.abort();
      await writer.write(rows('events', 'good'));
      await writer.write(rows('people', 'good'));
      await commit(1);
      await end();
      expect(await sql(file, 'SELECT name FROM events UNION ALL SELECT name FROM people')).toEqual([
        { name: 'good' },
        { name: 'good' },
      ]);
    });
  });

  it('goes on with another shape after a change of the schema', async () => {
    await inFile(async (file) => {
      const { writer, commit, end } = await openLane(file);
      await writer.write(rows('people', 'a'));
      await commit(1);
      await writer.write(rows('events', 'old'));
      const narrow = { ...schemaOf('events'), version: 2, fields: FIELDS.slice(0, 1) };
      await writer.write(Batch.ofRows(narrow, [{ id: 9 }]));
      const people = { ...schemaOf('people'), version: 2, fields: FIELDS.slice(0, 1) };
      await writer.write(Batch.ofRows(people, [{ id: 1 }, { id: 2 }]));
      await commit(2);
      await end();
      expect(await sql(file, 'SELECT id, name FROM events ORDER BY id')).toEqual([
        { id: 1, name: 'old' },
        { id: 9, name: null },
      ]);
      expect(await sql(file, 'SELECT id, name FROM people ORDER BY id')).toEqual([
        { id: 1, name: 'a' },
        { id: 2, name: null },
      ]);
    });
  });
});

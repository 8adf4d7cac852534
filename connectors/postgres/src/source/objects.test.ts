/** Objects of every kind: what of them can be read, in which mode, and what the plan says of it. */
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyStream, testContext } from '../testing/copy-run.js';
import { openSink, openSource } from '../testing/open.js';
import { LogJob } from '../testing/read-log.js';
import { planRead, planSplits, readParts, readRows } from '../testing/read-split.js';
import type { PostgresSource } from './postgres-source.js';

describeWithServer('postgres-15', (server) => {
  let url: string;
  let source: PostgresSource;

  beforeEach(async () => {
    url = await server().createDatabase();
    source = openSource(url, { slot: `objects_${process.pid}` });
  });
  afterEach(async () => {
    await source.close();
    await psql(
      url,
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()',
    );
  });

  const notes = async (stream: string) =>
    (await source.discover([stream], testContext())).streams[0]!.notes ?? [];
  async function full(stream: string, chunk = 'auto') {
    const read = await planRead(source, stream, { chunk });
    const rows = [];
    for (const split of await planSplits(source, read)) rows.push(...(await readRows(source, read, split)));
    return rows;
  }
  async function increments(stream: string, column: string) {
    const read = { ...(await planRead(source, stream)), mode: 'incremental' as const, cursor: { column } };
    const [plan] = await source.planReads([read], testContext());
    const [split] = await planSplits(source, read);
    return { plan: plan!, rows: (await readParts(source, read, split!)).flatMap(({ rows }) => rows) };
  }

  it('a parent is read without its children, in every mode, and the plan says so', async () => {
    await psql(
      url,
      `CREATE TABLE parent (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
       CREATE TABLE child () INHERITS (parent); INSERT INTO parent DEFAULT VALUES; INSERT INTO child VALUES (70)`,
    );
    expect((await notes('public.parent')).join()).toMatch(/inherit from it are not read with it/);
    expect(await notes('public.child')).toEqual([]);
    for (const chunk of ['none', 'key', 'ctid']) expect(await full('public.parent', chunk)).toEqual([[1n]]);
    expect((await increments('public.parent', 'id')).rows).toEqual([[1n]]);
    const job = await LogJob.begin(source, 'public.parent');
    await psql(
      url,
      'INSERT INTO parent DEFAULT VALUES; INSERT INTO child VALUES (71); UPDATE child SET id = 72 WHERE id = 71',
    );
    expect(await job.rows()).toEqual([{ stream: 'public.parent', op: 'insert', row: { id: 2n } }]);
  });

  it('a foreign table is read whole, by a cursor with a lag, and not by the log', async () => {
    const other = new URL(await server().createDatabase());
    await psql(
      other.href,
      "CREATE TABLE far (id bigint, v text); INSERT INTO far VALUES (1, 'a'), (2, NULL)",
    );
    await psql(
      url,
      `CREATE EXTENSION postgres_fdw; CREATE SERVER there FOREIGN DATA WRAPPER postgres_fdw
         OPTIONS (host '${other.hostname}', port '${other.port}', dbname '${other.pathname.slice(1)}');
       CREATE USER MAPPING FOR postgres SERVER there OPTIONS (user 'postgres');
       CREATE FOREIGN TABLE near (id bigint, v text) SERVER there OPTIONS (table_name 'far')`,
    );
    expect((await notes('public.near')).join()).toMatch(/^a foreign table/);
    expect(await full('public.near')).toEqual([
      [1n, 'a'],
      [2n, null],
    ]);
    const { plan } = await increments('public.near', 'id');
    expect(plan.increments).toBe('lagged');
    expect(plan.notes.join()).toMatch(/foreign table are written where transactions cannot be seen/);
    const read = { ...(await planRead(source, 'public.near')), mode: 'cdc' as const };
    await expect(source.planReads([read], testContext())).rejects.toMatchObject({
      code: 'SLUICE-PG-0038',
      class: 'config',
    });
  });

  it('a materialised view that was never filled is refused, and once it is, read', async () => {
    await psql(url, 'CREATE MATERIALIZED VIEW m AS SELECT 7::bigint AS id WITH NO DATA');
    const { streams } = await source.discover(['public.m'], testContext());
    expect(streams[0]!.problem).toMatchObject({ code: 'SLUICE-PG-0054', class: 'config' });
    expect(streams[0]!.problem!.message).toContain('REFRESH MATERIALIZED VIEW "public"."m"');
    await psql(url, 'REFRESH MATERIALIZED VIEW m');
    expect(await full('public.m')).toEqual([[7n]]);
    expect((await increments('public.m', 'id')).plan.increments).toBe('lagged');
    const read = await planRead(source, 'public.m');
    const [split] = await planSplits(source, read);
    await psql(url, 'REFRESH MATERIALIZED VIEW m WITH NO DATA');
    await expect(readRows(source, read, split!)).rejects.toMatchObject({ code: 'SLUICE-PG-0054' });
  });

  it('a view whose query fails at a row says so; what came before it stays', async () => {
    await psql(
      url,
      `CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 30000) i;
       CREATE VIEW halves AS SELECT id, 100 / (20000 - id) AS v FROM t`,
    );
    const read = await planRead(source, 'public.halves');
    const [split] = await planSplits(source, read);
    const reader = await source.open(
      { split: split!, at: null, cuts: [], reads: [read], batchRows: 1000, batchBytes: 1 << 20 },
      testContext(),
    );
    let rows = 0;
    const reading = (async () => {
      for await (const message of reader) if (message.kind === 'batch') rows += message.rowCount;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'SLUICE-PG-0055', class: 'data' });
    await expect(reading).rejects.toThrow(/reading public\.halves: division by zero/);
    await reader.close();
    expect(rows).toBeLessThan(20_000);
  });

  it('1,600 columns are copied, and names of 63 bytes in characters of several', async () => {
    const name = `${'☃'.repeat(20)}äx`.slice(0, 22);
    expect(Buffer.byteLength(name)).toBe(63);
    const columns = Array.from({ length: 1599 }, (_, i) => `c${i} integer`);
    const values = Array.from({ length: 1599 }, (_, i) => (i % 3 === 0 ? 'NULL' : String(i)));
    await psql(
      url,
      `CREATE TABLE "${name}" (${['"☃" bigint PRIMARY KEY', ...columns].join(', ')});
       INSERT INTO "${name}" VALUES (1, ${values.join(', ')}), (2, ${values.join(', ')})`,
    );
    const into = await server().createDatabase();
    const sink = openSink(into);
    const stream = `public.${name}`;
    for (const write of ['replace', 'append'] as const) {
      const target = write === 'replace' ? stream : `public.by_${write}`;
      expect((await copyStream({ source, sink, stream, target, write })).rows).toBe(2);
      const digest = (table: string) => `SELECT md5(string_agg(t::text, ',' ORDER BY "☃")) FROM "${table}" t`;
      expect(await psql(into, digest(target.slice(7)))).toBe(await psql(url, digest(name)));
    }
    const byKey = { source, sink, stream, target: 'public.by_key', write: 'upsert' as const };
    await expect(copyStream(byKey)).rejects.toMatchObject({ code: 'SLUICE-PG-0038', class: 'config' });
    await psql(url, `ALTER TABLE "${name}" DROP c0, DROP c1, DROP c2, DROP c3`);
    expect((await copyStream(byKey)).rows).toBe(2);
    await sink.close();
  });

  it('types of extensions keep their values', async () => {
    const into = await server().createDatabase();
    const setup = 'CREATE EXTENSION citext; CREATE EXTENSION hstore;';
    await psql(into, setup);
    await psql(
      url,
      `${setup} CREATE TABLE e (id bigint PRIMARY KEY, c citext, h hstore, hs hstore[]);
       INSERT INTO e VALUES (1, 'MiXed', 'a=>1, "b c"=>NULL', ARRAY['x=>y'::hstore]), (2, NULL, '', NULL)`,
    );
    const sink = openSink(into);
    await copyStream({ source, sink, stream: 'public.e', target: 'public.e', write: 'replace' });
    const shown = 'SELECT *, pg_typeof(c), pg_typeof(h) FROM e ORDER BY id';
    expect(await psql(into, shown)).toBe(await psql(url, shown));
    await sink.close();
  });

  it('an unlogged table is copied, and its changes are refused', async () => {
    await psql(url, 'CREATE UNLOGGED TABLE u (id bigint PRIMARY KEY); INSERT INTO u VALUES (1)');
    expect(await full('public.u')).toEqual([[1n]]);
    const read = { ...(await planRead(source, 'public.u')), mode: 'cdc' as const };
    await expect(source.planReads([read], testContext())).rejects.toMatchObject({ code: 'SLUICE-PG-0038' });
  });

  it('a table of no columns keeps its number of rows', async () => {
    await psql(url, 'CREATE TABLE bare (); INSERT INTO bare SELECT FROM generate_series(1, 5)');
    const into = await server().createDatabase();
    const sink = openSink(into);
    for (const write of ['replace', 'append'] as const) {
      const target = `public.${write}`;
      expect((await copyStream({ source, sink, stream: 'public.bare', target, write })).rows).toBe(5);
      expect(await psql(into, `SELECT count(*) FROM ${target}`)).toBe('5');
    }
    await sink.close();
  });
});

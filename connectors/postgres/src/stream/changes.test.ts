/** What the log says of changes, as transactions of psql make them. */
import { UNCHANGED } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PostgresSource } from '../source/postgres-source.js';
import { collect, testContext } from '../testing/copy-run.js';
import { openSource } from '../testing/open.js';
import { changesOf, type LoggedChange, LogJob, readsOf } from '../testing/read-log.js';

/** Stored outside of the row, so that an update of other columns does not send it. */
const LONG = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) i)";

let jobs = 0;

describeWithServer('postgres-15', (server) => {
  let url: string;
  let source: PostgresSource;
  let slot: string;

  beforeEach(async () => {
    url = await server().createDatabase();
    slot = `job_${++jobs}`;
    source = openSource(url, { slot });
  });
  afterEach(async () => {
    await source.close();
    await psql(
      url,
      `SELECT pg_drop_replication_slot('${slot}') FROM pg_replication_slots WHERE slot_name = '${slot}'`,
    );
  });

  const sql = (statements: string) => psql(url, statements);
  const confirmed = async () =>
    (await sql(`SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '${slot}'`)).trim();

  describe('rows', () => {
    it('inserted, updated, deleted, each in its order', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY, v text)');
      const job = await LogJob.begin(source, 'public.t');
      await sql(
        `INSERT INTO t VALUES (1, 'a'), (2, NULL); UPDATE t SET v = 'b' WHERE id = 1; DELETE FROM t WHERE id = 2`,
      );
      expect(await job.rows()).toEqual([
        { stream: 'public.t', op: 'insert', row: { id: 1, v: 'a' } },
        { stream: 'public.t', op: 'insert', row: { id: 2, v: null } },
        {
          stream: 'public.t',
          op: 'update',
          row: { id: 1, v: 'b' },
          before: { id: UNCHANGED, v: UNCHANGED },
        },
        { stream: 'public.t', op: 'delete', row: { id: 2, v: null }, before: { id: 2, v: UNCHANGED } },
      ]);
    });

    it('whose key changes move', async () => {
      await sql('CREATE TABLE t (a integer, b integer, v text, PRIMARY KEY (b, a))');
      const job = await LogJob.begin(source, 'public.t');
      await sql("INSERT INTO t VALUES (1, 2, 'x'); UPDATE t SET a = 9; UPDATE t SET v = 'y'");
      const [, move, update] = await job.rows();
      expect(move).toEqual({
        stream: 'public.t',
        op: 'move',
        row: { a: 9, b: 2, v: 'x' },
        before: { a: 1, b: 2, v: UNCHANGED },
      });
      expect(update).toMatchObject({ op: 'update', row: { a: 9, b: 2, v: 'y' } });
    });

    it('leave out what is stored elsewhere and did not change, which is not null', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY, long text, v integer)');
      const job = await LogJob.begin(source, 'public.t');
      await sql(
        `INSERT INTO t VALUES (1, ${LONG}, 1), (2, NULL, 1); UPDATE t SET v = 2; UPDATE t SET id = 3 WHERE id = 1; DELETE FROM t`,
      );
      const [, , first, second, moved] = await job.rows();
      expect(first!.row).toEqual({ id: 1, long: UNCHANGED, v: 2 });
      expect(second!.row).toEqual({ id: 2, long: null, v: 2 });
      expect(moved).toMatchObject({ op: 'move', row: { id: 3, long: UNCHANGED, v: 2 }, before: { id: 1 } });
    });

    it('are whole where a key changes and the row is there, since a copy may have missed it under both keys', async () => {
      await sql('CREATE TABLE t (a text, b numeric, long text, v integer, PRIMARY KEY (b, a))');
      const job = await LogJob.begin(source, 'public.t');
      await sql(
        `INSERT INTO t SELECT 'it''s ' || g, g / 2.0, ${LONG} || g, g FROM generate_series(1, 1200) g;
         UPDATE t SET b = b + 10000.50, v = NULL; UPDATE t SET v = 7, long = 'later' WHERE a = 'it''s 3'`,
      );
      const moves = (await job.rows()).filter(({ op }) => op === 'move');
      expect(moves).toHaveLength(1200);
      const later = moves.filter(({ row }) => row['long'] === 'later');
      expect(later).toMatchObject([{ row: { a: "it's 3", v: null } }]);
      const whole = moves.filter(({ row }) => String(row['long']).length > 32_000 && row['v'] === null);
      expect(whole).toHaveLength(1199);
      expect(moves[41]).toMatchObject({
        row: { a: "it's 42", b: '10021.5000000000000000' },
        before: { a: "it's 42" },
      });
    });

    it('of identity FULL say what they were, all of it', async () => {
      await sql(
        'CREATE TABLE t (id integer PRIMARY KEY, long text, v integer); ALTER TABLE t REPLICA IDENTITY FULL',
      );
      const job = await LogJob.begin(source, 'public.t');
      await sql(
        `INSERT INTO t VALUES (1, ${LONG}, 1); UPDATE t SET v = 2; UPDATE t SET id = 7; DELETE FROM t`,
      );
      const [insert, update, move, gone] = await job.rows();
      const long = insert!.row['long'];
      expect(long).toHaveLength(32_000);
      expect(update).toMatchObject({
        op: 'update',
        row: { id: 1, long, v: 2 },
        before: { id: 1, long, v: 1 },
      });
      expect(move).toMatchObject({ op: 'move', row: { id: 7, long, v: 2 }, before: { id: 1, long, v: 2 } });
      expect(gone).toMatchObject({ op: 'delete', row: { id: 7, long, v: 2 }, before: { id: 7, long, v: 2 } });
    });

    it('of an identity by index are told apart by it', async () => {
      await sql(`CREATE TABLE t (id integer PRIMARY KEY, code text NOT NULL UNIQUE, v integer);
        ALTER TABLE t REPLICA IDENTITY USING INDEX t_code_key`);
      const [read] = (await source.discover(['public.t'], testContext())).streams;
      const wanted = { ...read!.schema, key: ['code'] };
      const reads = [
        { stream: 'public.t', mode: 'cdc', schema: wanted, generation: 1, options: {}, resumable: false },
      ] as const;
      expect(await source.planReads(reads, testContext())).toMatchObject([{ stream: 'public.t' }]);
    });

    it('are rejected where nothing tells them apart', async () => {
      await sql(
        'CREATE TABLE none (v integer); CREATE TABLE other (id integer PRIMARY KEY, c integer UNIQUE NOT NULL); ALTER TABLE other REPLICA IDENTITY USING INDEX other_c_key',
      );
      for (const stream of ['public.none', 'public.other']) {
        await expect(LogJob.begin(source, stream)).rejects.toMatchObject({
          code: 'SLUICE-PG-0049',
          class: 'config',
          message: expect.stringContaining('REPLICA IDENTITY'),
        });
      }
    });

    it('are cleared by TRUNCATE, in order', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE u (id integer PRIMARY KEY)');
      const job = await LogJob.begin(source, 'public.t', 'public.u');
      await sql('INSERT INTO t VALUES (1); TRUNCATE t, u; INSERT INTO t VALUES (2)');
      const changes = (await job.read()).filter((change) => !('position' in change));
      expect(changes).toMatchObject([
        { op: 'insert', row: { id: 1 } },
        { clear: 'public.t' },
        { clear: 'public.u' },
        { op: 'insert', row: { id: 2 } },
      ]);
    });

    it('of partitions come by their root, or by a partition where that is the stream', async () => {
      await sql(`CREATE TABLE p (id integer, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE p1 (v text, id integer NOT NULL, PRIMARY KEY (id)); ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (10);
        CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)`);
      const byRoot = await LogJob.begin(source, 'public.p');
      const other = openSource(url, { slot: `${slot}_leaf`, publication: 'leaf' });
      const byLeaf = await LogJob.begin(other, 'public.p2');
      await sql("INSERT INTO p VALUES (1, 'one'), (11, 'two'); UPDATE p SET id = 12 WHERE id = 1");
      expect((await byRoot.rows()).map(({ op, row }) => [op, row['id'], row['v']])).toEqual([
        ['insert', 1, 'one'],
        ['insert', 11, 'two'],
        ['delete', 1, null],
        ['insert', 12, 'one'],
      ]);
      expect((await byLeaf.rows()).map(({ op, row }) => [op, row['id'], row['v']])).toEqual([
        ['insert', 11, 'two'],
        ['insert', 12, 'one'],
      ]);
      await other.close();
      await sql(`SELECT pg_drop_replication_slot('${slot}_leaf')`);
    });
  });

  describe('transactions', () => {
    it('of several tables come whole, with a place behind each', async () => {
      await sql(
        'CREATE TABLE a (id integer PRIMARY KEY, v text); CREATE TABLE b (id integer PRIMARY KEY, v integer)',
      );
      const job = await LogJob.begin(source, 'public.a', 'public.b');
      await sql(`DO $$ BEGIN FOR i IN 1..500 LOOP
        INSERT INTO a VALUES (i, 'a' || i); INSERT INTO b VALUES (i, i); UPDATE a SET v = v || '!' WHERE id = i;
        IF i % 5 = 0 THEN COMMIT; END IF; END LOOP; END $$`);
      await sql('INSERT INTO a VALUES (0, NULL)');
      const changes = await job.read({ batchRows: 7 });
      const of = (stream: string) => changes.filter((change) => 'op' in change && change.stream === stream);
      const numbers = Array.from({ length: 500 }, (_, i) => i + 1);
      expect(of('public.b').map((change) => 'op' in change && change.row['v'])).toEqual(numbers);
      expect(of('public.a').map((change) => 'op' in change && change.row['v'])).toEqual([
        ...numbers.flatMap((i) => [`a${i}`, `a${i}!`]),
        null,
      ]);
    });

    it('that are larger than what is handed on at once come in pieces, with one place at the end', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY, v text)');
      const job = await LogJob.begin(source, 'public.t');
      await sql("INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 50000) i");
      const reader = await source.open(job.request({ batchBytes: 256 * 1024 }), testContext());
      const sizes: number[] = [];
      const rows: number[] = [];
      const ids: unknown[] = [];
      let places = 0;
      for await (const message of reader) {
        if (message.kind === 'checkpoint' && rows.length > 0) places++;
        if (message.kind !== 'batch') continue;
        expect(places).toBe(0);
        sizes.push(message.byteSize);
        rows.push(message.rowCount);
        ids.push(...message.rows().map((row) => row['id']));
      }
      await reader.close();
      expect(ids).toEqual(Array.from({ length: 50_000 }, (_, i) => i + 1));
      expect(Math.max(...sizes)).toBeLessThan(512 * 1024);
      expect(Math.max(...rows)).toBeLessThanOrEqual(1000);
      expect(places).toBe(1);
    });

    it('that are rolled back, wholly or to a savepoint, are not there', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY)');
      const job = await LogJob.begin(source, 'public.t');
      await sql(
        'BEGIN; INSERT INTO t VALUES (1); ROLLBACK; BEGIN; INSERT INTO t VALUES (2); SAVEPOINT s; INSERT INTO t VALUES (3); ROLLBACK TO s; COMMIT',
      );
      expect((await job.rows()).map(({ row }) => row)).toEqual([{ id: 2 }]);
    });

    it('end at every cut', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY)');
      const job = await LogJob.begin(source, 'public.t');
      for (let i = 0; i < 5; i++) await sql(`INSERT INTO t VALUES (${i})`);
      const all = await job.request();
      const whole = await readAll(source, all);
      const single = await readAll(source, { ...all, batchBytes: 1024 });
      const places = single.flatMap((change) => ('position' in change ? [change.position] : []));
      expect(rowsIn(whole)).toEqual(rowsIn(single));
      const cuts = places.slice(1, 3);
      const cut = await readAll(source, { ...all, cuts });
      const found = cut.flatMap((change) => ('position' in change ? [change.position] : []));
      expect(found).toEqual(expect.arrayContaining(cuts));
    });
  });

  describe('a table that is altered', () => {
    it('is read as it is now, as far as its past rows go', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY, old text, n integer)');
      const job = await LogJob.begin(source, 'public.t');
      await sql(
        "INSERT INTO t VALUES (1, 'x', 7); ALTER TABLE t DROP COLUMN old; ALTER TABLE t ADD COLUMN added text; ALTER TABLE t ALTER n TYPE bigint; INSERT INTO t VALUES (2, 8, 'y')",
      );
      expect(await job.read()).toEqual([{ schema: ['id', 'n', 'added'] }]);
      await job.planAgain();
      expect((await job.rows()).map(({ row }) => row)).toEqual([
        { id: 1, n: 7n, added: null },
        { id: 2, n: 8n, added: 'y' },
      ]);
    });

    it('while its log is read says so between the rows before and after', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY, a text)');
      const job = await LogJob.begin(source, 'public.t');
      await sql("INSERT INTO t VALUES (1, 'x')");
      const reader = await source.open(job.request({ unending: true }), testContext());
      await sql(
        "ALTER TABLE t ADD COLUMN b integer; INSERT INTO t VALUES (2, 'y', 5); ALTER TABLE t RENAME a TO c; INSERT INTO t VALUES (3, 'z', 6); ALTER TABLE t DROP COLUMN c; INSERT INTO t VALUES (4, 7); ALTER TABLE t ALTER b TYPE text; INSERT INTO t VALUES (5, 'eight')",
      );
      const changes: LoggedChange[] = [];
      for await (const message of reader) {
        changes.push(...changesOf(message));
        if (rowsIn(changes).length === 5) break;
      }
      await reader.close();
      expect(changes.filter((change) => !('position' in change))).toMatchObject([
        { row: { id: 1, a: 'x' } },
        { schema: ['id', 'a', 'b'] },
        { row: { id: 2, a: 'y', b: 5 } },
        { schema: ['id', 'c', 'b'] },
        { row: { id: 3, c: 'z', b: 6 } },
        { schema: ['id', 'b'] },
        { row: { id: 4, b: 7 } },
        { schema: ['id', 'b'] },
        { row: { id: 5, b: 'eight' } },
      ]);
    });

    it('and renamed is the same stream', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY)');
      const job = await LogJob.begin(source, 'public.t');
      await sql('INSERT INTO t VALUES (1)');
      const reader = await source.open(job.request({ unending: true }), testContext());
      await sql('ALTER TABLE t RENAME TO u; INSERT INTO u VALUES (2)');
      const changes: LoggedChange[] = [];
      for await (const message of reader) {
        changes.push(...changesOf(message));
        if (rowsIn(changes).length === 2) break;
      }
      await reader.close();
      expect(rowsIn(changes)).toEqual([{ id: 1 }, { id: 2 }]);
    });
  });

  it('of a table that was dropped end in an error that says so, and nothing of what it left', async () => {
    await sql('CREATE TABLE t (id integer PRIMARY KEY)');
    const job = await LogJob.begin(source, 'public.t');
    await sql('DROP TABLE t');
    await expect(job.read()).rejects.toMatchObject({ code: 'SLUICE-PG-0019' });
  });

  describe('the place', () => {
    it('is confirmed when it is acknowledged, and nothing comes twice', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY)');
      const job = await LogJob.begin(source, 'public.t');
      await sql('INSERT INTO t VALUES (1)');
      const first = await job.read();
      const position = first.flatMap((change) => ('position' in change ? [change.position] : [])).at(-1);
      await expect.poll(confirmed).toBe(position);
      expect(await job.rows()).toEqual([]);
      await sql('INSERT INTO t VALUES (2)');
      expect((await job.rows()).map(({ row }) => row)).toEqual([{ id: 2 }]);
    });

    it('stays where it was when nothing is acknowledged, and everything comes again', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY)');
      const job = await LogJob.begin(source, 'public.t');
      const before = await confirmed();
      await sql('INSERT INTO t VALUES (1)');
      for (let i = 0; i < 2; i++) {
        expect(rowsIn(await readAll(source, job.request()))).toEqual([{ id: 1 }]);
      }
      expect(await confirmed()).toBe(before);
    });

    it('survives a server that is killed', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY)');
      const job = await LogJob.begin(source, 'public.t');
      await sql('INSERT INTO t SELECT generate_series(1, 100)');
      const reader = await source.open(job.request({ unending: true }), testContext());
      const reading = (async () => {
        for await (const _ of reader);
      })();
      const failed = expect(reading).rejects.toMatchObject({ class: 'transient' });
      await server().kill();
      await failed;
      await reader.close();
      await server().restart();
      await sql('INSERT INTO t VALUES (101)');
      expect((await job.rows()).map(({ row }) => row['id'])).toEqual(
        Array.from({ length: 101 }, (_, i) => i + 1),
      );
      expect(await job.rows()).toEqual([]);
    });

    it('moves on over a log that is not ours', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE noise (v text)');
      const job = await LogJob.begin(source, 'public.t');
      const before = await confirmed();
      await sql("INSERT INTO noise SELECT repeat('x', 100) FROM generate_series(1, 1000)");
      expect(await job.read()).toEqual([{ position: expect.any(String) }]);
      await expect.poll(confirmed).not.toBe(before);
    });

    it('that the slot does not have any more ends in an error', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY)');
      const job = await LogJob.begin(source, 'public.t');
      const lost = { code: 'SLUICE-PG-0046', class: 'contract' };
      await sql(
        `INSERT INTO t VALUES (1); SELECT pg_replication_slot_advance('${slot}', pg_current_wal_lsn())`,
      );
      await expect(job.read()).rejects.toMatchObject(lost);
      await sql(`SELECT pg_drop_replication_slot('${slot}')`);
      await expect(job.read()).rejects.toMatchObject(lost);
      await sql(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
      await expect(job.read()).rejects.toMatchObject(lost);
    });
  });

  describe('slot and publication', () => {
    it.for([
      ["SELECT pg_create_logical_replication_slot('$', 'test_decoding')", 'SLUICE-PG-0045'],
      ["SELECT pg_create_physical_replication_slot('$')", 'SLUICE-PG-0045'],
    ] as const)('refuse %s', async ([create, code]) => {
      await sql(`CREATE TABLE t (id integer PRIMARY KEY); ${create.replace('$', slot)}`);
      await expect(LogJob.begin(source, 'public.t')).rejects.toMatchObject({ code, class: 'config' });
    });

    it('are used as given, and not changed', async () => {
      await sql(
        'CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE u (id integer PRIMARY KEY); CREATE PUBLICATION mine FOR TABLE t',
      );
      const own = openSource(url, { slot, publication: 'mine' });
      await expect(LogJob.begin(own, 'public.u')).rejects.toMatchObject({
        code: 'SLUICE-PG-0048',
        message: expect.stringContaining('ALTER PUBLICATION "mine" ADD TABLE ONLY "public"."u"'),
      });
      const job = await LogJob.begin(own, 'public.t');
      await sql('INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)');
      expect((await job.rows()).map(({ stream }) => stream)).toEqual(['public.t']);
      await sql('ALTER PUBLICATION mine DROP TABLE t; INSERT INTO t VALUES (2)');
      await expect(job.read()).rejects.toMatchObject({ code: 'SLUICE-PG-0048' });
      await own.close();
    });

    it.for([
      ['t (id)', 'columns of public.t: v'],
      ['t WHERE (id > 5)', 'rows of public.t: (id > 5)'],
    ] as const)('are refused where only a part is published: %s', async ([part, what]) => {
      await sql(`CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE PUBLICATION part FOR TABLE ${part}`);
      const own = openSource(url, { slot, publication: 'part' });
      await expect(LogJob.begin(own, 'public.t')).rejects.toMatchObject({
        code: 'SLUICE-PG-0048',
        message: expect.stringContaining(what),
      });
      await own.close();
    });

    it('say who reads the slot', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY)');
      const job = await LogJob.begin(source, 'public.t');
      const reader = await source.open(job.request({ unending: true }), testContext());
      await expect(source.open(job.request({ unending: true }), testContext())).rejects.toMatchObject({
        code: 'SLUICE-PG-0050',
        class: 'transient',
      });
      await reader.close();
      await expect
        .poll(() => sql(`SELECT active FROM pg_replication_slots WHERE slot_name = '${slot}'`))
        .toContain('f');
    });

    it('tell how far a reader is behind, and when what it read was committed', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY, v text)');
      const job = await LogJob.begin(source, 'public.t');
      const before = Date.now();
      await sql("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 2000) g");
      const reader = await source.open(job.request(), testContext());
      const far = await source.lag(job.log, testContext());
      expect(far.bytes).toBeGreaterThan(2_000_000);
      expect(far.kept).toBeGreaterThanOrEqual(far.bytes);
      for await (const message of reader) {
        if (message.kind !== 'checkpoint') continue;
        expect(message.committedAt).toBeGreaterThanOrEqual(before - 1);
        expect(message.committedAt).toBeLessThanOrEqual(Date.now());
        await reader.ack!(message.position);
      }
      await expect
        .poll(() => source.lag(job.log, testContext()).then(({ bytes }) => bytes))
        .toBeLessThan(100_000);
      await reader.close();
    });

    it('are free again when a reader is closed that waits for changes', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY)');
      const job = await LogJob.begin(source, 'public.t');
      const reader = await source.open(job.request({ unending: true }), testContext());
      const reading = reader[Symbol.asyncIterator]().next();
      await new Promise((resolve) => setTimeout(resolve, 100));
      await reader.close();
      expect(await reading).toMatchObject({ done: true });
      expect(await job.rows()).toEqual([]);
    });

    it('take streams in later, and once more those that were left out for a while', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE u (id integer PRIMARY KEY)');
      const first = await LogJob.begin(source, 'public.t');
      const both = await readsOf(source, ['public.t', 'public.u']);
      const joined = await collect(source.splits(both, first.splits, testContext()));
      expect(joined.map(({ id, streams }) => ({ id, streams }))).toEqual([
        { id: 'public.u/key/', streams: ['public.u'] },
        { id: first.log.id, streams: ['public.t', 'public.u'] },
      ]);
      const known = [...first.splits.filter(({ phase }) => phase === 'bulk'), ...joined];
      expect(await collect(source.splits(both, known, testContext()))).toEqual([]);
      const left = await collect(source.splits(both.slice(0, 1), known, testContext()));
      expect(left).toMatchObject([{ id: first.log.id, streams: ['public.t'] }]);
      const without = [...known.filter(({ phase }) => phase === 'bulk'), ...left];
      const back = await collect(source.splits(both, without, testContext()));
      expect(back).toMatchObject([
        { id: 'public.u/copy-2', phase: 'bulk' },
        { id: first.log.id, streams: ['public.t', 'public.u'] },
      ]);
      await sql('INSERT INTO u VALUES (1)');
      const request = first.request({ split: back[0]!, at: null, reads: both.slice(1) });
      const messages = await collect(await source.open(request, testContext()));
      expect(messages.map(({ kind }) => kind)).toEqual(['clear', 'batch', 'checkpoint', 'checkpoint']);
    });

    it('wait for transactions that have written to a table before it joins', async () => {
      await sql('CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE u (id integer PRIMARY KEY)');
      const { log } = await LogJob.begin(source, 'public.t');
      const both = await readsOf(source, ['public.t', 'public.u']);
      let ended = false;
      const writer = sql('BEGIN; INSERT INTO u VALUES (1); SELECT pg_sleep(1); COMMIT').then(() => {
        ended = true;
      });
      await expect
        .poll(() => sql("SELECT count(*) FROM pg_locks WHERE relation = 'u'::regclass"))
        .toContain('1');
      await collect(source.splits(both, [log], testContext()));
      expect(ended).toBe(true);
      await writer;
    });
  });
});

describeWithServer(
  'postgres-15',
  (server) => {
    it('a reader that is not pulled keeps the connection alive', async () => {
      const url = await server().createDatabase();
      await psql(url, 'CREATE TABLE t (id integer PRIMARY KEY, v text)');
      const source = openSource(url);
      const job = await LogJob.begin(source, 'public.t');
      await psql(url, "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i");
      const reader = await source.open(job.request({ batchBytes: 65_536 }), testContext());
      let rows = 0;
      for await (const message of reader) {
        if (rows === 0) await new Promise((resolve) => setTimeout(resolve, 3000));
        if (message.kind === 'batch') rows += message.rowCount;
      }
      await reader.close();
      await source.close();
      expect(rows).toBe(20_000);
    });
  },
  { settings: { wal_sender_timeout: '1000' } },
);

async function readAll(source: PostgresSource, request: Parameters<PostgresSource['open']>[0]) {
  const reader = await source.open(request, testContext());
  const changes: LoggedChange[] = [];
  for await (const message of reader) changes.push(...changesOf(message));
  await reader.close();
  return changes;
}

function rowsIn(changes: readonly LoggedChange[]) {
  return changes.flatMap((change) => ('op' in change ? [change.row] : []));
}

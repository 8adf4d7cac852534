/** Copies of which the log tells what they show: transactions that are open at the copy's instant, however they end. */
import type { Batch, Json, Message, Split, StreamRead } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PostgresSource } from '../source/postgres-source.js';
import { collect, testContext } from '../testing/copy-run.js';
import { openSource } from '../testing/open.js';
import { readsOf } from '../testing/read-log.js';

let jobs = 0;

describeWithServer('postgres-15', (server) => {
  let url: string;
  let source: PostgresSource;
  let slot: string;
  let reads: readonly StreamRead[];
  let splits: readonly Split[];

  beforeEach(async () => {
    url = await server().createDatabase();
    slot = `once_${++jobs}`;
    source = openSource(url, { slot });
    await sql('CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t VALUES (1, NULL), (2, NULL)');
    reads = (await readsOf(source, ['public.t'])).map((read) => ({ ...read, once: true }));
    splits = await collect(source.splits(reads, [], testContext()));
  });
  afterEach(async () => {
    await source.close();
    await sql(`SELECT pg_drop_replication_slot('${slot}')`);
  });

  const sql = (statements: string) => psql(url, statements);

  const open = (split: Split) =>
    source.open(
      { split, at: split.start, cuts: [], reads, batchRows: 1000, batchBytes: 1 << 20 },
      testContext(),
    );

  /** Reads the copy, once what is given has been done between its instant and its first row. */
  async function copy(meanwhile = async () => {}): Promise<{ rows: unknown[]; position: Json }> {
    const reader = await open(splits.find(({ phase }) => phase === 'bulk')!);
    await meanwhile();
    const messages = await collect<Message>(reader);
    await reader.close();
    const batches = messages.filter(({ kind }) => kind === 'batch') as Batch[];
    const end = messages.at(-1) as { position: Json; sealed: boolean };
    expect(end.sealed).toBe(true);
    return { rows: batches.flatMap((batch) => batch.rows()), position: end.position };
  }

  /** What the log has, by where it comes from, without what the copies show. */
  async function log(...copies: Json[]) {
    const reader = await open(splits.find(({ phase }) => phase === 'log')!);
    const messages = await collect<Message>(reader);
    await reader.close();
    return messages.flatMap((message) => {
      if (message.kind === 'clear') return message.origins!.shownBy(copies)?.(0) ? [] : ['clear'];
      if (message.kind !== 'batch') return [];
      const shown = message.origins!.shownBy(copies);
      return message.rows().flatMap((row, i) => (shown?.(i) ? [] : [[row['id'], row['v']].join(' ')]));
    });
  }

  const somebodyWrites = () =>
    expect
      .poll(() =>
        sql(
          'SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND datname = current_database()',
        ),
      )
      .toBe('1');

  it('leave in the log what was committed behind their instant, however long before it had begun', async () => {
    const known = sql(
      "BEGIN; SELECT pg_current_xact_id(); SELECT pg_sleep(1.5); UPDATE t SET v = 'known' WHERE id = 2; COMMIT",
    );
    await somebodyWrites();
    await sql("UPDATE t SET v = 'before' WHERE id = 1");
    const { rows, position } = await copy(async () => {
      await sql(`UPDATE t SET v = 'after' WHERE id = 1;
        BEGIN; SAVEPOINT a; INSERT INTO t VALUES (3, 'nested'); RELEASE a; SAVEPOINT b; INSERT INTO t VALUES (4); ROLLBACK TO b; COMMIT;
        BEGIN; INSERT INTO t VALUES (5, 'prepared'); PREPARE TRANSACTION '${slot}'; COMMIT PREPARED '${slot}'`);
      await known;
    });
    expect(rows).toEqual([
      { id: 2, v: null },
      { id: 1, v: 'before' },
    ]);
    expect(await log(position)).toEqual(['1 after', '3 nested', '5 prepared', '2 known']);
    // As long as there is no copy, all of it is still to come by one.
    expect(await log()).toEqual([]);
    expect(await log(null)).toEqual([]);
  });

  it('wait for those that write the table, and for what becomes of them', async () => {
    const writing = sql("BEGIN; UPDATE t SET v = 'written' WHERE id = 1; SELECT pg_sleep(1); COMMIT");
    await somebodyWrites();
    await sql(`BEGIN; INSERT INTO t VALUES (6, 'prepared'); PREPARE TRANSACTION '${slot}'`);
    const ended = sql(`SELECT pg_sleep(0.5); COMMIT PREPARED '${slot}'`);
    const { rows, position } = await copy();
    await Promise.all([writing, ended]);
    expect(rows).toContainEqual({ id: 1, v: 'written' });
    expect(rows).toContainEqual({ id: 6, v: 'prepared' });
    expect(await log(position)).toEqual([]);
  });

  it('know whether a TRUNCATE is behind them', async () => {
    await sql("TRUNCATE t; INSERT INTO t VALUES (7, 'again')");
    const { rows, position } = await copy();
    expect(rows).toEqual([{ id: 7, v: 'again' }]);
    await sql("TRUNCATE t; INSERT INTO t VALUES (8, 'once more')");
    expect(await log(position)).toEqual(['clear', '8 once more']);
  });

  it('stand in the log behind what was read before, and before what they do not show', async () => {
    const reader = await open(splits.find(({ phase }) => phase === 'bulk')!);
    await sql("UPDATE t SET v = 'behind'");
    const [batch] = (await collect<Message>(reader)) as [Batch];
    await reader.close();
    const copied = batch.origins!.at(0);
    expect(copied.copied).toBe(true);
    const changes = await open(splits.find(({ phase }) => phase === 'log')!);
    const [changed] = (await collect<Message>(changes)) as [Batch];
    await changes.close();
    const [first, second] = [changed.origins!.at(0), changed.origins!.at(1)];
    expect(first.transaction > copied.transaction).toBe(true);
    expect(second.transaction).toBe(first.transaction);
    expect(second.ordinal).toBeGreaterThan(first.ordinal);
    const now = 'extract(epoch FROM clock_timestamp()) * 1000000';
    const committed = await sql(`SELECT ${now} - ${first.committedAt} BETWEEN 0 AND 600000000`);
    expect(committed).toBe('t');
  });
});

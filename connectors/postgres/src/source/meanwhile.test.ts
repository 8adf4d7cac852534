/** What happens to a table between the plan and a read, and between two splits, is read right or told of; never mixed. */
import type { Split, StreamRead, Value } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSource } from '../testing/open.js';
import { planRead, planSplits, readParts, readRows } from '../testing/read-split.js';
import type { PostgresSource } from './postgres-source.js';

const CREATE = 'CREATE TABLE t (id integer PRIMARY KEY, note text NOT NULL)';
const FILL = "INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, 2000) i; ANALYZE t";
const EIGHT_BLOCKS = 8 * 8192;

describeWithServer('postgres-15', (server) => {
  let url: string;
  let source: PostgresSource;

  beforeEach(async () => {
    url = await server().createDatabase();
    source = openSource(url, { splitBytes: EIGHT_BLOCKS });
    await psql(url, `${CREATE}; ${FILL}`);
  });
  afterEach(() => source.close());

  async function planned(chunk: string): Promise<{ read: StreamRead; splits: Split[] }> {
    const read = await planRead(source, 'public.t', { chunk });
    return { read, splits: await planSplits(source, read) };
  }
  const ids = (rows: readonly (readonly Value[])[]) => rows.map(([id]) => id);

  describe('a table that is gone between two splits', () => {
    it.for([
      ['key', 'dropped', 'DROP TABLE t', 'SLUICE-PG-0019'],
      ['ctid', 'dropped', 'DROP TABLE t', 'SLUICE-PG-0019'],
      ['key', 'renamed', 'ALTER TABLE t RENAME TO old', 'SLUICE-PG-0019'],
      ['ctid', 'renamed', 'ALTER TABLE t RENAME TO old', 'SLUICE-PG-0019'],
      ['key', 'made anew', `DROP TABLE t; ${CREATE}; ${FILL}`, 'SLUICE-PG-0053'],
      ['ctid', 'made anew', `DROP TABLE t; ${CREATE}; ${FILL}`, 'SLUICE-PG-0035'],
      ['key', 'swapped', `ALTER TABLE t RENAME TO old; CREATE TABLE t (LIKE old)`, 'SLUICE-PG-0053'],
      ['ctid', 'truncated', 'TRUNCATE t', 'SLUICE-PG-0035'],
      ['key', 'retyped', 'ALTER TABLE t ALTER note TYPE varchar(300)', 'SLUICE-PG-0020'],
      ['ctid', 'retyped', 'ALTER TABLE t ALTER id TYPE bigint', 'SLUICE-PG-0035'],
    ])('%s: %s', async ([chunk, , change, code]) => {
      const { read, splits } = await planned(chunk!);
      expect(await readRows(source, read, splits[0]!)).not.toEqual([]);
      await psql(url, change!);
      await expect(readRows(source, read, splits[1]!)).rejects.toMatchObject({ code });
    });

    it('truncated, and read by its key: what is left is read, which is nothing', async () => {
      const { read, splits } = await planned('key');
      await psql(url, 'TRUNCATE t');
      expect(await readRows(source, read, splits[1]!)).toEqual([]);
    });
  });

  it('a table that is filled anew in one transaction is read before or after it, and not between', async () => {
    const { read, splits } = await planned('none');
    const writer = psql(
      url,
      `BEGIN; TRUNCATE t; SELECT pg_sleep(1); INSERT INTO t SELECT i, 'new' FROM generate_series(1, 500) i; COMMIT`,
    );
    const held =
      "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock'";
    while ((await psql(url, held)) === '0');
    expect(ids(await readRows(source, read, splits[0]!))).toHaveLength(500);
    await writer;
  });

  it('a table that is changed while a split is read changes when that is done', async () => {
    const { read, splits } = await planned('key');
    const [split] = splits;
    const c = { split: split!, at: null, cuts: [], reads: [read], batchRows: 10, batchBytes: 65_536 };

    const reader = await source.open(c, testContext());
    const change = psql(url, 'ALTER TABLE t ADD more integer');
    let rows = 0;
    for await (const message of reader) if (message.kind === 'batch') rows += message.rowCount;
    await reader.close();
    await change;
    expect(rows).toBeGreaterThan(100);
    await expect(readRows(source, read, splits[1]!)).rejects.toMatchObject({ code: 'SLUICE-PG-0020' });
  });

  it('increments do not go on in another table of the same name', async () => {
    await psql(
      url,
      'CREATE TABLE n (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY); INSERT INTO n DEFAULT VALUES',
    );
    const read = {
      ...(await planRead(source, 'public.n')),
      mode: 'incremental' as const,
      cursor: { column: 'id' },
    };
    const [split] = await planSplits(source, read);
    const { position } = (await readParts(source, read, split!)).at(-1)!;
    await psql(url, 'DROP TABLE n; CREATE TABLE n (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)');
    const later = openSource(url);
    await expect(readParts(later, read, split!, { at: position })).rejects.toMatchObject({
      code: 'SLUICE-PG-0053',
      class: 'contract',
    });
    await later.close();
  });

  describe('row security', () => {
    const role = `watched_${process.pid}`;
    let theirs: PostgresSource;

    beforeEach(async () => {
      await psql(
        url,
        `CREATE ROLE ${role} LOGIN; GRANT SELECT ON t TO ${role}; CREATE POLICY few ON t USING (id <= 3);
         CREATE VIEW through WITH (security_invoker = true) AS SELECT * FROM t;
         CREATE VIEW over AS SELECT * FROM through; CREATE VIEW owned AS SELECT * FROM t;
         GRANT SELECT ON through, over, owned TO ${role}; ALTER VIEW over OWNER TO ${role}`,
      );
      const own = new URL(url);
      own.username = role;
      theirs = openSource(own.href);
    });
    afterEach(async () => {
      await theirs.close();
      await psql(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
    });

    it.for([
      ['full', undefined],
      ['incremental', { column: 'id' }],
    ] as const)('that comes up behind the plan ends a %s read', async ([mode, cursor]) => {
      const read = { ...(await planRead(theirs, 'public.t')), mode, ...(cursor && { cursor }) };
      const [split] = await planSplits(theirs, read);
      await psql(url, 'ALTER TABLE t ENABLE ROW LEVEL SECURITY');
      await expect(readParts(theirs, read, split!)).rejects.toMatchObject({
        code: 'SLUICE-PG-0052',
        class: 'contract',
      });
    });

    it('is seen behind views, where these see with the eyes of the reader', async () => {
      await psql(url, 'ALTER TABLE t ENABLE ROW LEVEL SECURITY');
      const found: [string, unknown, number][] = [];
      for (const stream of ['public.through', 'public.over', 'public.owned']) {
        const { streams } = await theirs.discover([stream], testContext());
        const read = await planRead(theirs, stream);
        const [split] = await planSplits(theirs, read);
        found.push([stream, streams[0]!.notes, (await readRows(theirs, read, split!)).length]);
      }
      const note = ['row security is active: rows that the policies hide are not read'];
      expect(found).toEqual([
        ['public.through', note, 3],
        ['public.over', note, 3],
        ['public.owned', undefined, 2000],
      ]);
    });

    it('keeps changes from being read: the log would show what the copy does not', async () => {
      await psql(url, 'ALTER TABLE t ENABLE ROW LEVEL SECURITY');

      const read = { ...(await planRead(theirs, 'public.t')), mode: 'cdc' as const };
      await expect(theirs.planReads([read], testContext())).rejects.toMatchObject({ code: 'SLUICE-PG-0038' });
    });
  });
});

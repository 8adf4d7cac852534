/** The versions that are supported: found, copied, followed by a cursor and written by key, as psql of each shows. */
import { describeWithServer, psql } from '@sluice/test';
import { expect, it } from 'vitest';
import { copyStream, testContext } from './testing/copy-run.js';
import { openSink, openSource } from './testing/open.js';
import { planRead, planSplits, readParts } from './testing/read-split.js';

for (const version of ['14', '16', '17', '18'] as const) {
  describeWithServer(
    `postgres-${version}`,
    (server) => {
      it('full copies, increments and rows written by their key', async () => {
        const url = await server().createDatabase();
        const into = await server().createDatabase();
        await psql(
          url,
          `CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL, n numeric(12,2),
             twice numeric GENERATED ALWAYS AS (n * 2) STORED) PARTITION BY RANGE (id);
           CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (1) TO (1000);
           CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (1000) TO (MAXVALUE);
           INSERT INTO t (note, n) SELECT 'n' || i, i / 4.0 FROM generate_series(1, 2000) i; ANALYZE t`,
        );
        const source = openSource(url, { splitBytes: 8 * 8192 });
        const sink = openSink(into);
        const { streams } = await source.discover(undefined, testContext());
        expect(streams.map(({ schema }) => [schema.stream, schema.key])).toEqual([['public.t', ['id']]]);

        const digest = 'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY id)) FROM t';
        const run = { source, sink, stream: 'public.t', target: 'public.t', write: 'replace' } as const;
        expect((await copyStream(run)).splits.length).toBeGreaterThan(1);
        expect(await psql(into, digest)).toBe(await psql(url, digest));

        // Its snapshot is an open transaction, which increments would wait for.
        await source.close();
        const later = openSource(url);
        const read = {
          ...(await planRead(later, 'public.t')),
          mode: 'incremental' as const,
          cursor: { column: 'id' },
        };
        const [split] = await planSplits(later, read);
        const { position } = (await readParts(later, read, split!)).at(-1)!;
        await psql(url, "INSERT INTO t (note) VALUES ('more'); UPDATE t SET n = 7 WHERE id % 7 = 0");
        const more = await readParts(later, read, split!, { at: position });
        expect(more.flatMap(({ rows }) => rows)).toEqual([[2001n, 'more', null, null]]);

        const byKey = { ...run, source: later, target: 'public.by_key', write: 'upsert' } as const;
        await copyStream(byKey);
        await psql(url, "UPDATE t SET note = 'changed' WHERE id % 5 = 0");
        await copyStream(byKey);
        expect(await psql(into, digest.replace('FROM t', 'FROM by_key AS t'))).toBe(await psql(url, digest));
        await later.close();
        await sink.close();
      });
    },
    {},
  );
}

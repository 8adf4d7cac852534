/** Targets of many streams are looked up together, and planned as each would be alone. */
import { field, type SinkStream, streamSchema, types } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { expect, it } from 'vitest';
import { copyStream, testContext } from '../testing/copy-run.js';
import { openSink, openSource } from '../testing/open.js';

/** More than are looked up at once. */
const STREAMS = 1100;

describeWithServer('postgres-15', (server) => {
  it('many streams are planned as each of them', async () => {
    const url = await server().createDatabase();
    await psql(
      url,
      `CREATE TYPE mood AS ENUM ('sad', 'glad');
       DO $$ BEGIN FOR i IN 0..${STREAMS - 1} LOOP
         IF i % 2 = 0 THEN EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY, m mood, n varchar(%s), extra serial)', i, i % 100 + 1); END IF;
         IF i % 300 = 299 THEN COMMIT; END IF;
       END LOOP; END $$`,
    );
    const sink = openSink(url);
    const source = openSource(url);
    // One is of our own making, with something hung on it.
    const ours = {
      source,
      sink,
      stream: 'public.t0',
      target: 'made.t1',
      write: 'replace',
      job: 'ours',
    } as const;
    await psql(url, 'INSERT INTO t0 (id) VALUES (1)');
    await copyStream(ours);
    await psql(url, 'CREATE VIEW hung AS SELECT * FROM made.t1');

    const streamOf = (i: number): SinkStream => {
      const stream = i === 1 ? 'public.t0' : `public.s${i}`;
      const fields = [
        field('id', types.int64, { nullable: false, native: 'bigint' }),
        field('m', types.enumOf('sad', 'glad'), { native: 'mood' }),
        field('n', types.string, { native: `character varying(${(i % 100) + 1})` }),
      ];
      return {
        stream,
        target: i === 1 ? 'made.t1' : `${i % 3 === 0 ? 'fresh' : 'public'}.t${i}`,
        schema: streamSchema(stream, fields, ['id']),
        read: 'full',
        write: i % 5 === 0 ? 'upsert' : 'replace',
        save: 'keep',
        options: {},
        encodings: [],
      };
    };
    const streams = Array.from({ length: STREAMS }, (_, i) => streamOf(i));
    const together = await sink.plan(streams, testContext());
    expect(together.map(({ stream }) => stream)).toEqual(streams.map(({ stream }) => stream));
    for (const i of [0, 1, 2, 3, 4, 5, 10, 499, 500, 501, 999, 1000, 1099])
      expect(await sink.plan([streams[i]!], testContext())).toEqual([together[i]]);
    expect(together.filter(({ exists }) => exists)).toHaveLength(
      streams.filter((_, i) => i === 1 || (i % 2 === 0 && i % 3 !== 0)).length,
    );
    expect(together[1]!.notes?.join()).toMatch(/refilled instead of swapped: rule _RETURN on view hung/);
    expect(together[3]!.ddl[0]).toBe('CREATE SCHEMA "fresh"');
    expect(together[2]!.types.map(({ to }) => to)).toEqual(['bigint', 'mood', 'character varying(3)']);
    await source.close();
    await sink.close();
  });
});

/** Connections through PgBouncer: whole sessions are as good as the server's own, parts of them are refused. */
import { describeWithServer, needsPgbouncer, type Pooler, psql, startPgbouncer } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyStream, testContext } from '../testing/copy-run.js';
import { openSink, openSource } from '../testing/open.js';

describeWithServer('postgres-15', (server) => {
  describe('a pooler', () => {
    needsPgbouncer();
    let url: string;
    let pooler: Pooler | undefined;
    beforeEach(async () => {
      url = await server().createDatabase();
      await psql(url, 'CREATE TABLE t (id integer PRIMARY KEY, at interval)');
      await psql(url, "INSERT INTO t SELECT i, i * interval '1 hour' FROM generate_series(1, 5000) i");
    });
    afterEach(async () => {
      await pooler?.[Symbol.asyncDispose]();
      pooler = undefined;
    });

    it('that keeps sessions together is read and written through', async () => {
      pooler = await startPgbouncer(url, 'session');
      const through = pooler.through(url);
      const [source, sink] = [openSource(through), openSink(through)];
      await copyStream({ source, sink, stream: 'public.t', target: 'public.copy', write: 'replace' });
      const differing =
        'SELECT count(*) FROM t FULL JOIN copy USING (id, at) WHERE t IS NULL OR copy IS NULL';
      expect(await psql(url, differing)).toBe('0');
      await Promise.all([source.close(), sink.close()]);
    });

    it.each(['source', 'sink'] as const)(
      'that gives them away by transaction is refused as a %s',
      async (side) => {
        pooler = await startPgbouncer(url, 'transaction');
        const through = pooler.through(url);
        const opened = side === 'source' ? openSource(through) : openSink(through);
        await expect(opened.check(testContext())).rejects.toMatchObject({
          code: 'SLUICE-PG-0056',
          class: 'config',
          help: expect.stringContaining('pool_mode = session'),
        });
        await opened.close();
      },
    );
  });
});

/** What a role lacks, each with the statement that mends it; which is then run, until nothing is missing. */
import { type Finding, type Sink, type Source, silentLogger } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSink, openSource } from '../testing/open.js';

const c = { ...testContext(), log: silentLogger };

describeWithServer('postgres-15', (server) => {
  const role = 'Odd "reader';
  const quoted = '"Odd ""reader"';
  let url: string;
  let source: Source;
  let sink: Sink;

  beforeEach(async () => {
    url = await server().createDatabase();
    await psql(
      url,
      `CREATE ROLE ${quoted} LOGIN; CREATE SCHEMA shop; CREATE TABLE shop.orders (id integer PRIMARY KEY, note text);
       CREATE TABLE shop."odd.name" (id integer); CREATE TABLE public.open (id integer); GRANT SELECT ON public.open TO ${quoted};
       REVOKE ALL ON SCHEMA public FROM public; GRANT USAGE ON SCHEMA public TO ${quoted};
       REVOKE TEMPORARY ON DATABASE "${new URL(url).pathname.slice(1)}" FROM public`,
    );
    const own = new URL(url);
    own.username = role;
    source = openSource(own.href);
    sink = openSink(own.href);
  });
  afterEach(async () => {
    await source.close?.();
    await sink.close?.();
    await psql(url, `DROP OWNED BY ${quoted}; DROP ROLE ${quoted}`);
  });

  const fixes = (findings: readonly Finding[]) =>
    findings.flatMap((finding) => (finding.level === 'ok' ? [] : [finding.fix]));
  const levels = (findings: readonly Finding[]) => findings.map(({ level }) => level);
  const mend = (findings: readonly Finding[]) => psql(url, fixes(findings).join('\n'));

  describe('of a source', () => {
    const diagnose = (...streams: string[]) =>
      source.diagnose!(
        streams.map((stream) => ({ stream, mode: 'full' })),
        c,
      );

    it('every missing right at once, a schema’s only once', async () => {
      const streams = ['shop.orders', 'shop."odd.name"', 'public.open'];
      const findings = await diagnose(...streams);
      expect(fixes(findings)).toEqual([
        `GRANT USAGE ON SCHEMA "shop" TO ${quoted};`,
        `GRANT SELECT ON "shop"."orders" TO ${quoted};`,
        `GRANT SELECT ON "shop"."odd.name" TO ${quoted};`,
      ]);
      expect(findings).toContainEqual(
        expect.objectContaining({
          level: 'fail',
          what: 'SELECT on "shop"."orders" is missing',
          class: 'auth',
        }),
      );
      await mend(findings);
      expect(await diagnose(...streams)).toEqual([{ level: 'ok', what: `${quoted} may read all of 3` }]);
      const { streams: found } = await source.discover(streams, c);
      expect(found.map(({ problem }) => problem)).toEqual([undefined, undefined, undefined]);
    });

    it('columns that are left out, and rows that policies hide', async () => {
      await psql(
        url,
        `GRANT USAGE ON SCHEMA shop TO ${quoted}; GRANT SELECT (id) ON shop.orders TO ${quoted};
         ALTER TABLE public.open ENABLE ROW LEVEL SECURITY`,
      );
      const findings = await diagnose('shop.orders', 'public.open');
      expect(levels(findings)).toEqual(['ok', 'warn', 'warn']);
      expect(findings[1]!.what).toBe('SELECT on "note" of "shop"."orders" is missing: they are left out');
      expect(findings[2]!.what).toContain('row security of "public"."open"');
      await mend(findings);
      expect(levels(await diagnose('shop.orders', 'public.open'))).toEqual(['ok']);
    });

    it('tables and schemas that are not there, and names that cannot be any', async () => {
      const findings = await diagnose('public.gone', 'gone.t', 'orders');
      expect(levels(findings)).toEqual(['fail', 'fail', 'fail']);
      const whats = findings.map(({ what }) => what).sort();
      expect(whats[0]).toContain('SLUICE-PG-0022');
      expect(whats.slice(1)).toEqual([
        'there is no schema "gone"',
        'there is no table or view "public"."gone"',
      ]);
    });

    it('what changes need, only where changes are read', async () => {
      const findings = await source.diagnose!([{ stream: 'public.open', mode: 'cdc' }], c);
      expect(fixes(findings)).toContain(`ALTER ROLE ${quoted} REPLICATION;`);
      const asFull = await diagnose('public.open');
      expect(JSON.stringify(asFull)).not.toMatch(/wal_level|REPLICATION/);
    });
  });

  describe('of a sink', () => {
    const diagnose = (
      target: string,
      write: 'append' | 'upsert' | 'replace',
      save: 'keep' | 'recreate' = 'keep',
    ) => sink.diagnose!([{ stream: 'orders', target, write, save }], c);

    it('what writing to a table by key needs', async () => {
      const findings = await diagnose('shop.orders', 'upsert');
      expect(fixes(findings)).toEqual([
        `GRANT CREATE ON SCHEMA "public" TO ${quoted};`,
        `GRANT USAGE ON SCHEMA "shop" TO ${quoted};`,
        `GRANT SELECT, INSERT, UPDATE, DELETE ON "shop"."orders" TO ${quoted};`,
        expect.stringMatching(/^GRANT TEMPORARY ON DATABASE ".*" TO "Odd ""reader";$/),
      ]);
      await mend(findings);
      expect(await diagnose('shop.orders', 'upsert')).toEqual([
        { level: 'ok', what: `${quoted} may write all of 1` },
      ]);
      await expect(sink.check(c)).resolves.toBeUndefined();
    });

    it('less to append, more to make tables', async () => {
      await psql(url, `GRANT CREATE ON SCHEMA public TO ${quoted}; GRANT USAGE ON SCHEMA shop TO ${quoted}`);
      const append = await diagnose('shop.orders', 'append');
      expect(fixes(append)[0]).toBe(`GRANT INSERT ON "shop"."orders" TO ${quoted};`);
      expect(levels(append)).toEqual(['fail', 'warn']);
      expect(fixes(await diagnose('shop.fresh', 'append'))[0]).toBe(
        `GRANT CREATE ON SCHEMA "shop" TO ${quoted};`,
      );
      expect(fixes(await diagnose('shop.orders', 'replace', 'recreate'))).toContain(
        `ALTER TABLE "shop"."orders" OWNER TO ${quoted};`,
      );
      const missing = await diagnose('gone.orders', 'append');
      expect(fixes(missing)[0]).toBe(`CREATE SCHEMA "gone" AUTHORIZATION ${quoted};`);
      await mend(missing);
      expect(levels(await diagnose('gone.orders', 'append'))).toEqual(['ok']);
    });

    it('a server that takes no writes', async () => {
      await psql(url, `ALTER ROLE ${quoted} SET default_transaction_read_only = on`);
      const findings = await diagnose('public.t', 'append');
      expect(findings).toEqual([expect.objectContaining({ level: 'fail' })]);
      expect(findings[0]!.what).toContain('takes no writes');
    });
  });
});

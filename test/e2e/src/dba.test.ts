/** What docs/dba.md tells those who run a source's server: its statements, and what it says that we do there. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeWithServer } from '@sluice/test';
import { beforeEach, expect, it } from 'vitest';
import { Workspace } from './cli-workspace.js';
import { docsBlocks, runDocs } from './docs-blocks.js';
import { docsPlaces } from './docs-place.js';
import { dropSlots } from './drop-slots.js';

const MINUTES = 60_000;
const PAGE = fileURLToPath(new URL('../../../docs/dba.md', import.meta.url));

describeWithServer('postgres-15', (server) => {
  const docsPlace = docsPlaces();
  let source: string;

  beforeEach(async () => {
    source = await server().createDatabase();
    await server().psql(
      `CREATE TABLE orders (id integer PRIMARY KEY, note text); CREATE TABLE customers (id integer PRIMARY KEY, name text);
       INSERT INTO orders SELECT g, repeat('x', 200) FROM generate_series(1, 20000) g;
       INSERT INTO customers SELECT g, 'customer ' || g FROM generate_series(1, 100) g; ANALYZE`,
      source,
    );
  });

  /** As a role that has what the page grants, and is no superuser. */
  function as(role: string, database: string, application = 'sluice'): string {
    const url = new URL(database);
    url.username = role;
    url.searchParams.set('application_name', application);
    return url.href;
  }

  it(
    'the page does what it says, with the rights that it names',
    async () => {
      const blocks = docsBlocks(readFileSync(PAGE, 'utf8'));
      const { folder, env } = docsPlace();
      runDocs(blocks, folder, { ...env, ADMIN_URL: source, SHOP_URL: as('sluice', source) });
      expect(await server().psql("SELECT count(*) FROM pg_roles WHERE rolname = 'sluice'", source)).toBe('0');
      const slots = 'SELECT count(*) FROM pg_replication_slots WHERE database = current_database()';
      expect(await server().psql(slots, source)).toBe('0');
    },
    3 * MINUTES,
  );

  it(
    'reading locks tables as SELECT does, on few connections, and makes nothing',
    async () => {
      const place = new Workspace();
      const target = await server().createDatabase();
      await server().psql(
        `CREATE ROLE reader LOGIN REPLICATION CONNECTION LIMIT 10; GRANT SELECT ON orders, customers TO reader;
         CREATE PUBLICATION shop FOR TABLE orders, customers WITH (publish_via_partition_root = true)`,
        source,
      );
      const file = place.job('job.json', {
        name: 'shop',
        source: {
          connector: 'postgres',
          url: as('reader', source, 'sluice-reads'),
          publication: 'shop',
          splitBytes: 1 << 20,
        },
        streams: ['public.orders', 'public.customers'],
        mode: 'cdc',
        sink: { connector: 'postgres', url: target },
        write: 'upsert',
        rate: { rows: '5000/s' },
      });
      try {
        const before = await objectsOf(source);
        const modes = new Set<string>();
        const counts = new Set<number>();
        const running = place.start(['run', file, '--follow', '--json']);
        const look = async () => {
          const [held = '', count = '0'] = (
            await server().psql(
              `WITH ours AS (SELECT pid FROM pg_stat_activity WHERE application_name = 'sluice-reads')
               SELECT COALESCE(string_agg(DISTINCT l.mode, ','), ''), (SELECT count(*) FROM ours)
               FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
               WHERE l.pid IN (SELECT pid FROM ours) AND c.relnamespace = 'public'::regnamespace`,
              source,
            )
          ).split('|');
          for (const mode of held.split(',').filter(Boolean)) modes.add(mode);
          counts.add(Number(count));
        };
        const arrived = () =>
          server()
            .psql('SELECT count(*) FROM orders', target)
            .catch(() => '');
        const stillThere = () => expect(running.hasEnded, running.stderr).toBe(false);
        while ((await arrived()) !== '20000') await look().then(stillThere);
        await server().psql(
          "UPDATE orders SET note = 'changed' WHERE id <= 500; DELETE FROM customers",
          source,
        );
        const changed = () => server().psql("SELECT count(*) FROM orders WHERE note = 'changed'", target);
        while ((await changed()) !== '500') await look().then(stillThere);
        running.signal('SIGTERM');
        expect(await running.ended).toMatchObject({ code: 143 });
        expect([...modes]).toEqual(['AccessShareLock']);
        expect(Math.max(...counts)).toBeLessThanOrEqual(6);
        expect(await objectsOf(source)).toBe(before);
      } finally {
        place.remove();
        await dropSlots((text) => server().psql(text, source));
      }
    },
    3 * MINUTES,
  );

  /** Everything that the database has, and how many rows were written to it. */
  function objectsOf(database: string): Promise<string> {
    return server().psql(
      `SELECT (SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_class WHERE oid >= 16384),
              (SELECT count(*) FROM pg_proc WHERE oid >= 16384), (SELECT count(*) FROM pg_trigger),
              (SELECT count(*) FROM pg_publication)`,
      database,
    );
  }
});

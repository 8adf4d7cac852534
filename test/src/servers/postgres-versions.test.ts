import { expect, it } from 'vitest';
import { describeWithServer } from './describe-with-server.js';

for (const major of ['16', '18'] as const)
  describeWithServer(
    `postgres-${major}`,
    (server) => {
      it(`really is PostgreSQL ${major}`, async () => {
        expect(server().version).toBe(major);
        expect(await server().psql("SELECT current_setting('server_version_num')::int / 10000")).toBe(major);
      });

      it('decodes changes with pgoutput', async () => {
        const url = await server().createDatabase();
        await server().psql('CREATE TABLE t (a int PRIMARY KEY); CREATE PUBLICATION p FOR ALL TABLES', url);
        await server().psql("SELECT 1 FROM pg_create_logical_replication_slot('s', 'pgoutput')", url);
        await server().psql('INSERT INTO t VALUES (1); UPDATE t SET a = 2; DELETE FROM t', url);
        const kinds = await server().psql(
          `SELECT string_agg(chr(get_byte(data, 0)), '') FROM pg_logical_slot_get_binary_changes(
           's', NULL, NULL, 'proto_version', '1', 'publication_names', 'p')`,
          url,
        );
        expect(kinds).toBe('BRICBUCBDC');
        await server().psql("SELECT pg_drop_replication_slot('s')", url);
      });

      it('survives a crash with the identifier that its copy was given', async () => {
        const identifier = (): Promise<string> =>
          server().psql('SELECT system_identifier FROM pg_control_system()');
        const before = await identifier();
        await server().kill();
        await server().restart();
        expect(await identifier()).toBe(before);
      });
    },
    {},
  );

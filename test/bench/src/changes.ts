/** Reading a change log: the same transactions from copies of one slot, by the server's own client and by Sluice. */
import { cpSync } from 'node:fs';
import type { PostgresServer } from '@sluice/test';
import type { Place } from './cases.js';
import type { Comparison, Contender } from './compare.js';
import { COLUMNS } from './dataset.js';
import { measure, shell } from './process-run.js';

const NAME = 'pg-changes';
/** Both read copies of it. */
const KEPT = 'bench_kept';
const OURS = 'bench_changes';
const FLOOR = 'bench_floor';

/** Of a hundred changes in one transaction: 50 inserts, 40 updates, 10 deletes. */
const CHANGES = 100;

export async function readChanges(p: Place): Promise<Comparison> {
  const { server, files } = p;
  const job = files.run({
    name: NAME,
    source: { connector: 'postgres', url: server.url, slot: OURS, publication: OURS },
    streams: ['bench.changed'],
    mode: 'cdc',
    sink: { connector: 'blackhole' },
    write: 'upsert',
  });
  await server.psql(
    `DROP PUBLICATION IF EXISTS ${OURS}; DROP TABLE IF EXISTS bench.changed; CREATE TABLE bench.changed (${COLUMNS})`,
  );
  await measure(job);
  await copySlot(server, OURS, KEPT);
  cpSync(files.path(`${NAME}.state`), files.path(`${NAME}.kept`), { recursive: true });
  await makeChanges(server, Math.floor(p.rows / CHANGES));
  const end = (await server.psql('SELECT pg_current_wal_flush_lsn()')).trim();
  const contender = (slot: string, command: Contender['command'], prepare = () => {}): Contender => ({
    command,
    prepare: async () => {
      await copySlot(server, KEPT, slot);
      prepare();
    },
    landed: async () => {
      const passed = await server.psql(
        `SELECT confirmed_flush_lsn >= '${end}' FROM pg_replication_slots WHERE slot_name = '${slot}'`,
      );
      return passed.trim() === 't' ? p.rows : 0;
    },
  });
  const options = ['proto_version=1', `publication_names=${OURS}`, 'binary=true'].map((o) => `-o ${o}`);
  const line = `pg_recvlogical -d '${server.url}' --slot ${FLOOR} --start ${options.join(' ')} --endpos ${end} --no-loop -f /dev/null`;
  return {
    name: 'Changes of Postgres, read, against pg_recvlogical into /dev/null',
    rows: p.rows,
    atMost: 0.77,
    floor: contender(FLOOR, shell('pg_recvlogical', line)),
    ours: contender(OURS, job, () => {
      files.forget(NAME);
      cpSync(files.path(`${NAME}.kept`), files.path(`${NAME}.state`), { recursive: true });
    }),
  };
}

async function copySlot(server: PostgresServer, from: string, to: string): Promise<void> {
  await server.psql(`
    SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${to}';
    SELECT pg_copy_logical_replication_slot('${from}', '${to}');`);
}

async function makeChanges(server: PostgresServer, transactions: number): Promise<void> {
  await server.psql(`
    CREATE OR REPLACE PROCEDURE bench.change(transactions int) LANGUAGE plpgsql AS $$
    DECLARE top bigint := 0;
    BEGIN
      FOR i IN 1..transactions LOOP
        INSERT INTO bench.changed
        SELECT g, md5(g::text)::uuid, 'customer ' || (g * 7919 % 100003), 'note, "q" ' || left(md5((g * 3)::text), 8),
          ((g * 37) % 1000000)::numeric / 100, ((g * 31) % 10000)::int, g % 3 = 0,
          timestamptz '2020-01-01 00:00:00Z' + g * interval '1 minute', date '2020-01-01' + (g % 2000)::int,
          jsonb_build_object('k', g % 100, 't', 'v' || g % 10)
        FROM generate_series(top + 1, top + 50) g;
        top := top + 50;
        UPDATE bench.changed SET qty = qty + 1, name = name || '!' WHERE id > top - 40 AND id <= top;
        DELETE FROM bench.changed WHERE id > top - 50 AND id <= top - 40;
        COMMIT;
      END LOOP;
    END $$;
    CALL bench.change(${transactions});
    CHECKPOINT;`);
}

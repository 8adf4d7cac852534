/**
 * The copy that precedes a log, against a full load of the same rows. The target is on a server of its own: what is
 * written there would otherwise be in the log that is read afterwards.
 */
import type { SinkSpec, StreamSpec } from '@sluice/sdk';
import { type PostgresServer, startPostgres } from '@sluice/test';
import type { Place } from '../cases.js';
import type { Comparison, Contender } from '../compare.js';

const SLOT = 'bench_first';
const DROP_SLOT = `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${SLOT}';
  DROP PUBLICATION IF EXISTS ${SLOT}`;
const DROP_TARGET =
  'DROP TABLE IF EXISTS bench.target; DROP TABLE IF EXISTS _sluice_jobs, _sluice_streams, _sluice_commits; CHECKPOINT;';

export async function firstCopy(place: Place): Promise<Comparison> {
  const target = await startPostgres({ version: '15', settings: place.settings });
  return {
    name: 'Postgres → Postgres, the copy before a log, against a full load',
    rows: place.rows,
    atMost: 1.1,
    floor: load(place, target, 'full-load', { mode: 'full' }, 'replace'),
    ours: load(place, target, 'first-copy', { mode: 'cdc' }, 'upsert'),
    close: () => target.stop(),
  };
}

function load(
  { server, files }: Place,
  target: PostgresServer,
  name: string,
  { mode }: StreamSpec,
  write: SinkSpec['write'],
): Contender {
  return {
    command: files.run({
      name,
      connections: {
        source: { connector: 'postgres', url: server.url, slot: SLOT, publication: SLOT },
        target: { connector: 'postgres', url: target.url },
      },
      flows: {
        main: {
          source: 'source',
          mode,
          streams: ['bench.rows'],
          sinks: { main: { to: 'target', write, name: 'bench.target' } },
        },
      },
    }),
    prepare: async () => {
      files.forget(name);
      await server.psql(DROP_SLOT);
      await target.psql(DROP_TARGET);
    },
    landed: async () => Number(await target.psql('SELECT count(*) FROM bench.target')),
  };
}

/** Changes of Postgres applied to Postgres: by the server's own logical replication and by Sluice. */
import type { Place } from '../cases.js';
import type { Comparison } from '../compare.js';
import { COLUMNS } from '../dataset.js';
import { type Command, shell } from '../process-run.js';
import { Backlog, MARK } from './backlog.js';

/** Somebody else who applies a backlog to a database. */
export interface Applier {
  readonly name: string;
  readonly command: Command;
  /** The slot that it reads. */
  readonly slot: string;
  /** Ends what it leaves under way. */
  readonly leave?: () => Promise<void>;
}

/** @param by makes one that applies `backlog` to the database at `url` */
export async function applyChanges(
  place: Place,
  name: string,
  perTransaction: number,
  by: (place: Place, url: string, backlog: Backlog) => Applier = subscription,
  atMost = 1.43,
): Promise<Comparison> {
  const { server, rows } = place;
  const [others, target] = [await server.createDatabase(), await server.createDatabase()];
  await server.psql(`CREATE SCHEMA bench; CREATE TABLE bench.changed (${COLUMNS})`, others);
  const sink = { connector: 'postgres', url: target };
  const backlog = await Backlog.begin(place, {
    name,
    perTransaction,
    sink,
    target: { name: 'bench.changed' },
  });
  const bringBack = await keep(place, target);
  await backlog.fill();
  const expected = await server.psql(CONTENTS);
  const landed = async (url: string) => {
    const found = await server.psql(CONTENTS, url);
    if (found !== expected) throw new Error(`the target has ${found}, not ${expected}`);
    return rows;
  };
  const applier = by(place, others, backlog);
  const ours = backlog.sluice();
  return {
    name: `Changes of Postgres, ${perTransaction} a transaction, applied to Postgres, against ${applier.name}`,
    rows,
    atMost,
    floor: {
      command: applier.command,
      prepare: async () => {
        await server.psql('TRUNCATE bench.changed; CHECKPOINT;', others);
        await backlog.copySlot(applier.slot);
      },
      landed: async () => {
        await applier.leave?.();
        return landed(others);
      },
    },
    ours: {
      ...ours,
      prepare: async () => {
        await bringBack();
        await ours.prepare();
      },
      landed: () => landed(target),
    },
  };
}

const SUBSCRIPTION = 'bench_subscription';

/** The server's own logical replication. */
function subscription({ server }: Place, url: string, backlog: Backlog): Applier {
  const subscribe = `
    psql -qX '${url}' -c "CREATE SUBSCRIPTION ${SUBSCRIPTION} CONNECTION '${server.url}' PUBLICATION ${backlog.name}
      WITH (create_slot = false, slot_name = ${SUBSCRIPTION}, copy_data = false, binary = true)"
    until [ "$(psql -qAtX '${url}' -c 'SELECT 1 FROM bench.changed WHERE id = ${MARK}')" = 1 ]; do sleep 0.02; done`;
  const leave = async () => {
    if ((await server.psql('SELECT 1 FROM pg_subscription', url)) === '') return;
    await server.psql(
      `ALTER SUBSCRIPTION ${SUBSCRIPTION} DISABLE; ALTER SUBSCRIPTION ${SUBSCRIPTION} SET (slot_name = NONE);
       DROP SUBSCRIPTION ${SUBSCRIPTION}`,
      url,
    );
  };
  const name = 'a subscription';
  return { name, command: shell(name, subscribe), slot: SUBSCRIPTION, leave };
}

const CONTENTS = 'SELECT count(*), sum(hashtextextended(t::text, 0)) FROM bench.changed t';

/** Keeps a database as it is now, and says how it is brought back: it stays the one that a job knows. */
async function keep({ server }: Place, url: string): Promise<() => Promise<void>> {
  const name = new URL(url).pathname.slice(1);
  const oid = await server.psql(`SELECT oid FROM pg_database WHERE datname = '${name}'`);
  await server.psql(`CREATE DATABASE ${name}_kept TEMPLATE ${name}`);
  return async () => {
    await server.psql(`DROP DATABASE ${name} WITH (FORCE);
      CREATE DATABASE ${name} TEMPLATE ${name}_kept OID ${oid}; CHECKPOINT;`);
  };
}

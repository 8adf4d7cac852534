/** A backlog of changes behind a slot, and contenders that each read a copy of it from the same place. */
import { cpSync } from 'node:fs';
import type { ConnectionSpec, SinkSpec } from '@sluice/sdk';
import type { Place } from '../cases.js';
import type { Contender } from '../compare.js';
import { COLUMNS } from '../dataset.js';
import { type Command, measure } from '../process-run.js';

/** What contenders read copies of. */
const KEPT = 'bench_kept';

/** The last change inserts a row under this id. */
export const MARK = 0;

export interface BacklogOptions {
  readonly name: string;
  /** Changes in one transaction; of ten of them 5 are inserts, 4 updates, 1 a delete. */
  readonly perTransaction: number;
  readonly sink: ConnectionSpec;
  readonly target?: Pick<SinkSpec, 'name'>;
}

export class Backlog {
  /** Where the log ends behind the last change. */
  private end = '';

  private constructor(
    private readonly place: Place,
    private readonly options: BacklogOptions,
    /** Of the publication, and of the slot that the job reads. */
    readonly name: string,
    private readonly job: Command,
  ) {}

  /** Lets a job copy an empty table; what is changed from then on is in the backlog. */
  static async begin(place: Place, options: BacklogOptions): Promise<Backlog> {
    const { server, files } = place;
    const name = `bench_${options.name.replaceAll('-', '_')}`;
    await server.psql(`
      SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name IN ('${KEPT}', '${name}');
      DROP PUBLICATION IF EXISTS ${name};
      DROP TABLE IF EXISTS bench.changed; CREATE TABLE bench.changed (${COLUMNS})`);
    const job = files.run({
      name: options.name,
      connections: {
        source: { connector: 'postgres', url: server.url, slot: name, publication: name },
        target: options.sink,
      },
      flows: {
        main: {
          source: 'source',
          mode: 'cdc',
          streams: ['bench.changed'],
          sinks: { main: { to: 'target', write: 'upsert', ...options.target } },
        },
      },
    });
    await measure(job);
    await copySlot(place, name, KEPT);
    cpSync(files.path(`${options.name}.state`), files.path(`${options.name}.kept`), { recursive: true });
    return new Backlog(place, options, name, job);
  }

  /** Makes the changes. */
  async fill(): Promise<void> {
    const { server, rows } = this.place;
    const { perTransaction } = this.options;
    await server.psql(perTransaction === 1 ? SINGLE_CHANGES : GATHERED_CHANGES(perTransaction));
    await server.psql(`CALL bench.change(${Math.floor(rows / perTransaction)});
      INSERT INTO bench.changed SELECT ${ROW} FROM (SELECT ${MARK}::bigint AS g) marks; CHECKPOINT;`);
    this.end = (await server.psql('SELECT pg_current_wal_flush_lsn()')).trim();
  }

  /** A slot with the given name has the changes. */
  copySlot(name: string): Promise<void> {
    return copySlot(this.place, KEPT, name);
  }

  /** A command that reads the changes from a slot with the given name. */
  contender(slot: string, command: (end: string) => Command): Contender {
    const { place } = this;
    return {
      command: command(this.end),
      prepare: () => this.copySlot(slot),
      landed: async () => {
        const passed = await place.server.psql(
          `SELECT confirmed_flush_lsn >= '${this.end}' FROM pg_replication_slots WHERE slot_name = '${slot}'`,
        );
        return passed.trim() === 't' ? place.rows : 0;
      },
    };
  }

  /** The job, from the end of its first copy on. */
  sluice(): Contender {
    const { files } = this.place;
    const { name } = this.options;
    const contender = this.contender(this.name, () => this.job);
    return {
      ...contender,
      prepare: async () => {
        await contender.prepare();
        files.forget(name);
        cpSync(files.path(`${name}.kept`), files.path(`${name}.state`), { recursive: true });
      },
    };
  }
}

/** Whoever has read the slot may still be leaving it. */
async function copySlot({ server }: Place, from: string, to: string): Promise<void> {
  await server.psql(`
    DO $$ BEGIN
      WHILE EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '${to}' AND active) LOOP
        PERFORM pg_sleep(0.02);
      END LOOP;
    END $$;
    SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${to}';
    SELECT pg_copy_logical_replication_slot('${from}', '${to}');`);
}

const ROW = `g, md5(g::text)::uuid, 'customer ' || (g * 7919 % 100003), 'note, "q" ' || left(md5((g * 3)::text), 8),
  ((g * 37) % 1000000)::numeric / 100, ((g * 31) % 10000)::int, g % 3 = 0,
  timestamptz '2020-01-01 00:00:00Z' + g * interval '1 minute', date '2020-01-01' + (g % 2000)::int,
  jsonb_build_object('k', g % 100, 't', 'v' || g % 10)`;

/** Half of a transaction's changes are inserts, of which four fifths are updated and the others deleted. */
function GATHERED_CHANGES(changes: number): string {
  const inserts = changes / 2;
  const deletes = changes / 10;
  return `
    CREATE OR REPLACE PROCEDURE bench.change(transactions int) LANGUAGE plpgsql AS $$
    DECLARE top bigint := 0;
    BEGIN
      FOR i IN 1..transactions LOOP
        INSERT INTO bench.changed SELECT ${ROW} FROM generate_series(top + 1, top + ${inserts}) g;
        top := top + ${inserts};
        UPDATE bench.changed SET qty = qty + 1, name = name || '!' WHERE id > top - ${inserts - deletes} AND id <= top;
        DELETE FROM bench.changed WHERE id > top - ${inserts} AND id <= top - ${inserts - deletes};
        COMMIT;
      END LOOP;
    END $$;`;
}

/** The same for each ten transactions. */
const SINGLE_CHANGES = `
  CREATE OR REPLACE PROCEDURE bench.change(transactions int) LANGUAGE plpgsql AS $$
  DECLARE g bigint := 0;
  BEGIN
    FOR i IN 1..transactions LOOP
      CASE WHEN i % 10 < 5 THEN g := g + 1; INSERT INTO bench.changed SELECT ${ROW};
           WHEN i % 10 < 9 THEN UPDATE bench.changed SET qty = qty + 1, name = name || '!' WHERE id = g - i % 10 + 5;
           ELSE DELETE FROM bench.changed WHERE id = g - 4;
      END CASE;
      COMMIT;
    END LOOP;
  END $$;`;

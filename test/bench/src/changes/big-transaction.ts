/** Memory through one transaction that is larger than it. */
import type { PostgresServer } from '@sluice/test';
import type { BenchFiles } from '../bench-files.js';
import { COLUMNS } from '../dataset.js';
import { measure } from '../process-run.js';

export interface BigTransaction {
  readonly name: string;
  readonly rows: number;
  readonly seconds: number;
  readonly peakMiB: number;
  readonly atMostMiB: number;
  readonly within: boolean;
}

const AT_MOST_MIB = 420;

/** Five rows in one transaction for each row that other cases move. */
export async function bigTransaction(
  server: PostgresServer,
  files: BenchFiles,
  size: number,
): Promise<BigTransaction> {
  const rows = 5 * size;
  const source = await server.createDatabase();
  const target = await server.createDatabase();
  await server.psql(`CREATE SCHEMA bench; CREATE TABLE bench.big (${COLUMNS})`, source);
  const job = files.run({
    name: 'big-transaction',
    connections: {
      source: { connector: 'postgres', url: source },
      target: { connector: 'postgres', url: target },
    },
    flows: {
      main: {
        source: 'source',
        mode: 'cdc',
        streams: ['bench.big'],
        sinks: { main: { to: 'target', write: 'upsert', name: 'bench.big' } },
      },
    },
  });
  await measure(job);
  await server.psql(
    `INSERT INTO bench.big SELECT g, md5(g::text)::uuid, 'customer ' || g, 'note', g, 1, true, now(), now(), '{"k": 1}'
     FROM generate_series(1, ${rows}) g; CHECKPOINT;`,
    source,
  );
  const { seconds, peakMiB } = await measure(job);
  const landed = await server.psql('SELECT count(*) FROM bench.big', target);
  if (landed !== String(rows)) throw new Error(`${landed} rows landed, not ${rows}`);
  return {
    name: `one transaction of ${rows.toLocaleString('en')} rows`,
    rows,
    seconds,
    peakMiB,
    atMostMiB: AT_MOST_MIB,
    within: peakMiB <= AT_MOST_MIB,
  };
}

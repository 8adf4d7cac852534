/** Two equal tables compared row by row, against psql that sums a hash of every row on each side. */
import type { Place } from './cases.js';
import type { Comparison } from './compare.js';
import { measure, shell } from './process-run.js';

const NAME = 'verify';

export async function readVerify({ server, files, rows }: Place): Promise<Comparison> {
  const job = {
    name: NAME,
    connections: {
      source: { connector: 'postgres', url: server.url },
      target: { connector: 'postgres', url: server.url },
    },
    flows: {
      main: {
        source: 'source',
        streams: ['bench.rows'],
        sinks: { main: { to: 'target', write: 'replace' as const, name: 'bench.verified' } },
      },
    },
  };
  await server.psql('DROP TABLE IF EXISTS bench.verified');
  await measure(files.run(job));
  const sum = (table: string) =>
    `psql -qAt '${server.url}' -c 'SELECT count(*), sum(hashtext(t::text)) FROM ${table} t'`;
  const prepare = async () => {};
  const landed = async () => Number((await server.psql('SELECT count(*) FROM bench.verified')).trim());
  return {
    name: 'Two tables of Postgres compared, against a sum of hashtext on each',
    rows,
    // The server hashes its rows where they are; here they are all brought to one place, and told apart by every value.
    atMost: AT_MOST,
    floor: {
      command: shell('psql; psql', `${sum('bench.rows')}; ${sum('bench.verified')}`),
      prepare,
      landed,
    },
    ours: { command: files.verify(job), prepare, landed },
  };
}

const AT_MOST = 10;

import { endsEqualWhereverKilled, type MakeScenario } from './kill-scenarios.js';
import { changesToLog, postgresToPostgres } from './scenario.js';

const toPostgres =
  (chunk: 'ctid' | 'key' | 'cursor', write: 'replace' | 'append' | 'upsert' | 'mirror'): MakeScenario =>
  (server, source) =>
    postgresToPostgres(server, source, chunk, write);

endsEqualWhereverKilled({
  'Postgres → Postgres, page ranges, replace': toPostgres('ctid', 'replace'),
  'Postgres → Postgres, key ranges, append': toPostgres('key', 'append'),
  'Postgres → Postgres, key ranges, upsert': toPostgres('key', 'upsert'),
  'Postgres → Postgres, by a cursor, append': toPostgres('cursor', 'append'),
  'Postgres → Postgres, page ranges, mirror': toPostgres('ctid', 'mirror'),
  'Changes of Postgres → Postgres, append': (server) => changesToLog(server),
});

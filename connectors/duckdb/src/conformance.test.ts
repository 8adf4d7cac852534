import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBIntervalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimeNSValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  DuckDBUnionValue,
  DuckDBUUIDValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { type LogicalType, type Row, Special, type Value } from '@sluice/sdk';
import { type ReadTarget, testSink, testSource } from '@sluice/test';
import { afterAll } from 'vitest';
import connector from './index.js';

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-duckdb-conformance-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const freshPath = () => path.join(folder, `${++files}.duckdb`);
const unreachable = { path: path.join(folder, 'no', 'such', 'folder', 'x.duckdb') };

testSink({
  connector,
  modes: { append: 'atomic', upsert: 'atomic', replace: 'atomic', mirror: 'atomic' },
  config: () => ({ path: freshPath() }),
  read: readTable,
  unreachable,
});

testSource({
  connector,
  modes: ['incremental'],
  config: async () => {
    const file = freshPath();
    await withDatabase(file, async (run) => {
      await run(`CREATE TABLE keyed (id INTEGER PRIMARY KEY, "at" TIMESTAMPTZ NOT NULL, note VARCHAR)`);
      await run(`INSERT INTO keyed SELECT n, TIMESTAMPTZ '2024-01-01 00:00:00Z' + to_seconds(n // 9), 'note ' || n
        FROM range(300) t(n)`);
      await run(`CREATE TABLE loose ("day" DATE NOT NULL, note VARCHAR)`);
      await run(
        `INSERT INTO loose SELECT DATE '2024-01-01' + (n % 5)::INTEGER, 'note ' || n FROM range(200) t(n)`,
      );
      await run(`CREATE TABLE counted (id BIGINT PRIMARY KEY, note VARCHAR)`);
      await run(`INSERT INTO counted SELECT n, 'note ' || n FROM range(300) t(n)`);
    });
    return { path: file };
  },
  cursor: {
    'main.keyed': { column: 'at', clock: 'database' },
    'main.loose': { column: 'day', clock: 'database', zone: 'Europe/Berlin' },
    'main.counted': { column: 'id', clock: 'database' },
  },
  mutate: async ({ path: file }) => {
    const [row] = await withDatabase(file as string, async (run) => {
      await run(`INSERT INTO keyed VALUES (1001, now(), 'new')`);
      await run(`INSERT INTO counted VALUES (1001, 'new')`);
      return run(`SELECT epoch_us("at") AS micros FROM keyed WHERE id = 1001`);
    });
    return {
      'main.keyed': [{ id: 1001, at: row!['micros'] as bigint, note: 'new' }],
      'main.counted': [{ id: 1001n, note: 'new' }],
    };
  },
  unreachable,
});

testSource({
  connector,
  modes: ['full'],
  config: async () => {
    const file = freshPath();
    await withDatabase(file, async (run) => {
      await run(`CREATE TABLE orders (id BIGINT PRIMARY KEY, name VARCHAR, amount DECIMAL(12, 2))`);
      await run(
        `INSERT INTO orders SELECT n, CASE WHEN n % 7 <> 0 THEN chr(65279) || 'name ' || n END, n + 0.25 FROM range(300) t(n)`,
      );
      await run(
        `CREATE TABLE "no key" (v DOUBLE, l INTEGER[], s STRUCT(a INTEGER, b VARCHAR), t TIMESTAMPTZ)`,
      );
      await run(
        `INSERT INTO "no key" SELECT n / 3, [n, NULL], {a: n, b: 'b'}, TIMESTAMPTZ '2024-01-01 00:00:00Z' FROM range(50) t(n)`,
      );
      await run(`CREATE TABLE empty (x UUID)`);
      await run(`CREATE VIEW few AS SELECT id FROM orders WHERE id < 5`);
    });
    return { path: file };
  },
  expected: {
    'main.orders': Array.from({ length: 300 }, (_, n) => ({
      id: BigInt(n),
      name: n % 7 === 0 ? null : `\uFEFFname ${n}`,
      amount: `${n}.25`,
    })),
    'main.few': Array.from({ length: 5 }, (_, n) => ({ id: BigInt(n) })),
    'main.empty': [],
  },
  unreachable,
});

async function withDatabase<T>(
  file: string,
  use: (run: (sql: string) => Promise<readonly { [column: string]: DuckDBValue }[]>) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  try {
    return await use(async (sql) => (await connection.runAndReadAll(sql)).getRowObjects());
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** What DuckDB's own client finds in a target. */
function readTable({ table, config }: ReadTarget): Promise<Row[]> {
  const { schema, table: name } = table.detail as { schema: string; table: string };
  return withDatabase(config['path'] as string, async (run) => {
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const [there] = await run(
      `SELECT 1 FROM duckdb_tables() WHERE schema_name = '${schema.replaceAll("'", "''")}' AND table_name = '${name.replaceAll("'", "''")}'`,
    );
    if (there === undefined) return [];
    const types = new Map(table.schema.fields.map((f) => [f.name, f.type]));
    // Text as its bytes: the client's own decoder takes byte order marks away.
    const columns = table.schema.fields.map((f) =>
      f.type.kind === 'string' ? `encode(${quoted(f.name)}) AS ${quoted(f.name)}` : quoted(f.name),
    );
    const rows = await run(`SELECT ${columns.join(', ')} FROM ${quoted(schema)}.${quoted(name)}`);
    return rows.map((row): Row => {
      const read: Row = {};
      for (const [column, value] of Object.entries(row)) read[column] = sdkValue(types.get(column), value);
      return read;
    });
  });
}

function infinity(value: number | bigint): Special {
  return new Special(value > 0 ? 'infinity' : '-infinity');
}

/** The SDK's form of a value of DuckDB's client. */
function sdkValue(type: LogicalType | undefined, value: DuckDBValue): Value {
  if (value instanceof DuckDBDecimalValue || value instanceof DuckDBUUIDValue) return value.toString();
  if (value instanceof DuckDBBlobValue)
    return type?.kind === 'string' ? Buffer.from(value.bytes).toString() : value.bytes;
  if (value instanceof DuckDBDateValue) {
    // The first day of PostgreSQL's calendar, which the kit writes as a special value.
    if (value.days === -2_440_588) return new Special('4714-11-24 BC');
    return value.isFinite ? value.days : infinity(value.days);
  }
  if (value instanceof DuckDBTimeValue) return value.micros;
  if (value instanceof DuckDBTimeNSValue) return value.nanos;
  if (value instanceof DuckDBTimestampNanosecondsValue)
    return value.isFinite ? value.nanos : infinity(value.nanos);
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) {
    return value.isFinite ? value.micros : infinity(value.micros);
  }
  if (value instanceof DuckDBIntervalValue) {
    const { months, days, micros } = value;
    return type?.kind === 'duration' ? micros : { months, days, nanos: micros * 1000n };
  }
  if (value instanceof DuckDBListValue) {
    return value.items.map((item) => sdkValue(type?.kind === 'list' ? type.item.type : undefined, item));
  }
  if (value instanceof DuckDBMapValue) {
    return value.entries.map(({ key, value: held }) => [sdkValue(undefined, key), sdkValue(undefined, held)]);
  }
  if (value instanceof DuckDBUnionValue) return { tag: value.tag, value: sdkValue(undefined, value.value) };
  if (value instanceof DuckDBStructValue) {
    const members: { [name: string]: Value } = {};
    for (const [name, held] of Object.entries(value.entries)) members[name] = sdkValue(undefined, held);
    return members;
  }
  return value as Value;
}

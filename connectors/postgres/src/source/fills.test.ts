/**
 * Columns that came with a constant default: which of them the catalog tells the value of, and that targets get it, type by
 * type, in every version.
 */
import { type Fill, type SinkStream, valueFromJson } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSink, openSource } from '../testing/open.js';
import { begin, jobOf } from '../testing/sink-lane.js';
import { TYPE_CASES } from '../testing/type-cases.js';
import { tableMark } from './fills.js';

const PLAIN = 'CREATE TABLE t (id integer PRIMARY KEY, a integer DEFAULT 1); INSERT INTO t VALUES (1)';
const ROOT = `CREATE TABLE t (id integer PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (9);
  INSERT INTO t VALUES (1)`;

/** What there is, what happens to it, and what is known of the columns that are new. */
const CASES: readonly (readonly [string, string, string, { readonly [column: string]: unknown }])[] = [
  ['a constant', PLAIN, 'ALTER TABLE t ADD c integer DEFAULT 7', { c: 7 }],
  ['that is never null', PLAIN, 'ALTER TABLE t ADD c integer NOT NULL DEFAULT 7', { c: 7 }],
  [
    'of a function that is stable',
    PLAIN,
    "ALTER TABLE t ADD c text DEFAULT current_setting('port')",
    { c: expect.any(String) },
  ],
  ['of two columns', PLAIN, "ALTER TABLE t ADD c integer DEFAULT 7, ADD d text DEFAULT ''", { c: 7, d: '' }],
  [
    'that is another one since',
    PLAIN,
    'ALTER TABLE t ADD c integer DEFAULT 7; ALTER TABLE t ALTER c SET DEFAULT 8',
    { c: 7 },
  ],
  [
    'that is gone since',
    PLAIN,
    'ALTER TABLE t ADD c integer DEFAULT 7; ALTER TABLE t ALTER c DROP DEFAULT',
    { c: 7 },
  ],
  [
    'of a column that was renamed',
    PLAIN,
    'ALTER TABLE t ADD c integer DEFAULT 7; ALTER TABLE t RENAME c TO d',
    { d: 7 },
  ],
  [
    'of a type that holds more since',
    PLAIN,
    "ALTER TABLE t ADD c varchar(5) DEFAULT 'x'; ALTER TABLE t ALTER c TYPE varchar(9)",
    { c: 'x' },
  ],
  [
    'whose rows have changed since',
    PLAIN,
    'ALTER TABLE t ADD c integer DEFAULT 7; UPDATE t SET c = 8; INSERT INTO t VALUES (2)',
    { c: 7 },
  ],
  ['of another type', PLAIN, 'ALTER TABLE t ADD c integer DEFAULT 7; ALTER TABLE t ALTER c TYPE bigint', {}],
  ['of a table that was written anew', PLAIN, 'ALTER TABLE t ADD c integer DEFAULT 7; VACUUM FULL t', {}],
  ['of a table that was sorted', PLAIN, 'ALTER TABLE t ADD c integer DEFAULT 7; CLUSTER t USING t_pkey', {}],
  ['of each row', PLAIN, 'ALTER TABLE t ADD c double precision DEFAULT random()', {}],
  ['that came later', PLAIN, 'ALTER TABLE t ADD c integer; ALTER TABLE t ALTER c SET DEFAULT 7', {}],
  ['generated', PLAIN, 'ALTER TABLE t ADD c integer GENERATED ALWAYS AS (id * 2) STORED', {}],
  ['an identity', PLAIN, 'ALTER TABLE t ADD c integer GENERATED ALWAYS AS IDENTITY', {}],
  ['of a column that was there', PLAIN, 'ALTER TABLE t RENAME a TO c', {}],
  [
    'beside one that came and went',
    PLAIN,
    'ALTER TABLE t ADD c integer DEFAULT 6; ALTER TABLE t DROP c; ALTER TABLE t ADD c integer DEFAULT 7',
    {},
  ],
  [
    'of a table that took the place of another',
    PLAIN,
    `DROP TABLE t; ${PLAIN}; ALTER TABLE t ADD c integer DEFAULT 7`,
    {},
  ],
  ['of all partitions', ROOT, 'ALTER TABLE t ADD c integer DEFAULT 7', { c: 7 }],
  [
    'of some partitions',
    ROOT,
    'ALTER TABLE t ADD c integer DEFAULT 7; CREATE TABLE p2 PARTITION OF t FOR VALUES FROM (9) TO (99)',
    {},
  ],
  ['of partitions that were written anew', ROOT, 'ALTER TABLE t ADD c integer DEFAULT 7; VACUUM FULL p1', {}],
  [
    'of a parent',
    'CREATE TABLE parent (id integer); CREATE TABLE t (PRIMARY KEY (id)) INHERITS (parent); INSERT INTO t VALUES (1)',
    'ALTER TABLE parent ADD c integer DEFAULT 7',
    { c: 7 },
  ],
];

for (const version of ['14', '15', '16', '17', '18'] as const) {
  describeWithServer(
    `postgres-${version}`,
    (server) => {
      it('the value is known where it is certain', async () => {
        const url = await server().createDatabase();
        const source = openSource(url);
        const run = (statements: readonly string[]) => psql(url, `${statements.join(';\n')};`);
        const inSchema = (i: number, sql: string) => `SET search_path = case_${i};\n${sql}`;
        await run(CASES.map(([, create], i) => `CREATE SCHEMA case_${i}; ${inSchema(i, create)}`));
        const look = async () => {
          const { streams } = await source.discover(undefined, testContext());
          return new Map(streams.map((stream) => [stream.schema.stream, stream]));
        };
        const before = await look();
        const alters = CASES.map(([, , alter], i) => inSchema(i, alter.split('; ').join(';\n')));
        await run(alters);
        const after = await look();
        for (const [i, [what, , , expected]] of CASES.entries()) {
          const stream = `case_${i}.t`;
          const { schema, filled = [] } = after.get(stream)!;
          const known = new Set(before.get(stream)!.schema.fields.map(({ name }) => name));
          const added = filled.filter((name) => !known.has(name));
          const fills = await source.fills(schema, added, before.get(stream)!.mark!, testContext());
          expect(valuesOf(schema, fills), what).toEqual(expected);
        }
        await source.close();
      });
    },
    {},
  );
}

describeWithServer('postgres-15', (server) => {
  it('a target has it as the source shows it, whatever the type', async () => {
    const [url, into] = [await server().createDatabase(), await server().createDatabase()];
    const [source, sink] = [openSource(url), openSink(into)];
    // To check a domain's constraints the server writes the table anew.
    const cases = TYPE_CASES.map((each, i) => ({ ...each, schema: `case_${i}` })).filter(
      ({ since = 0, setup = '' }) => since <= 15 && !setup.includes('CHECK'),
    );
    const create = cases.map(
      ({ schema, setup = '' }) => `CREATE SCHEMA ${schema}; SET search_path = ${schema}, public; ${setup};
            CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1);`,
    );
    for (const database of [url, into]) await psql(database, create.join('\n'));
    const look = () =>
      source.discover(
        cases.map(({ schema }) => `${schema}.t`),
        testContext(),
      );
    const before = new Map((await look()).streams.map(({ schema, mark }) => [schema.stream, mark!]));
    const add = cases.map(
      ({ schema, type, values }) => `SET search_path = ${schema}, public; ALTER TABLE t
            ${values.map((value, i) => `ADD v${i} ${type} DEFAULT ${value}`).join(', ')};`,
    );
    await psql(url, add.join('\n'));
    const streams: SinkStream[] = [];
    for (const { schema } of (await look()).streams) {
      const names = schema.fields.map(({ name }) => name);
      const fills = await source.fills(schema, names, before.get(schema.stream)!, testContext());
      const { stream } = schema;
      const how = { read: 'cdc', write: 'upsert', save: 'keep', options: {}, encodings: [] } as const;
      streams.push({ stream, target: stream, schema, ...how, fills });
    }
    const plans = await sink.plan(streams, testContext());
    for (const [i, plan] of plans.entries()) {
      const wanted = streams[i]!.fills!.map(({ column }) => column);
      expect(wanted, plan.stream).toHaveLength(streams[i]!.schema.fields.length - 1);
      expect(plan.fills, plan.stream).toEqual(wanted);
      await begin(sink, plan, jobOf(BigInt(i + 1)));
    }
    const rows = plans.map(({ stream }) => `SELECT '${stream}', * FROM ${stream};`).join('\n');
    expect(await psql(into, rows)).toBe(await psql(url, rows));
    await source.close();
    await sink.close();
  });
});

it('a table that is read in part has no mark: what could not be seen would count as new', () => {
  const table = { schema: 's', table: 't', oid: 7, kind: 'r', lastColumn: 3 } as const;
  const rest = {
    isPartition: false,
    rows: undefined,
    bytes: 0,
    rowSecurity: false,
    isPopulated: true,
    isParent: false,
    logsBefore: false,
  };
  expect(tableMark({ ...table, ...rest, readable: 'columns' })).toBeUndefined();
  expect(tableMark({ ...table, ...rest, readable: 'all' })).toEqual({ table: 7, columns: 3 });
});

function valuesOf(
  { fields }: SinkStream['schema'],
  fills: readonly Fill[],
): { readonly [column: string]: unknown } {
  const typeOf = new Map(fields.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    fills.map(({ column, value }) => [column, valueFromJson(typeOf.get(column)!, value)]),
  );
}

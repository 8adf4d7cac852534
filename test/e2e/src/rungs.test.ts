/**
 * Rows may travel as the source's bytes, as columns, or as rows: the target must be the same whichever way they went.
 */
import { createHmac } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { JobSpec, TransformSpec } from '@sluice/sdk';
import {
  type Dump,
  describeWithServer,
  dumpDuckdb,
  dumpParquet,
  dumpPostgres,
  expectSameRows,
  needsPythonReaders,
} from '@sluice/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Workspace } from './cli-workspace.js';

const RUNGS = ['unset', 'columns', 'rows'] as const;
type Rung = (typeof RUNGS)[number];

const MINUTES = 60_000;
const ROWS = 700;
const MASK_KEY = 'a key that is long enough';

/** Columns with the values that they take turns with; a null stands between them. */
const COLUMNS: readonly (readonly [name: string, type: string, ...literals: string[]])[] = [
  ['flag', 'boolean', 'true', 'false'],
  ['small', 'smallint', '0', '-32768', '32767'],
  ['whole', 'integer', '0', '-2147483648', '2147483647', '5', '17'],
  ['big', 'bigint', '9223372036854775807', '-9223372036854775808', '9007199254740993'],
  ['single', 'real', '0.1', "'-0'", "'NaN'", "'Infinity'", '3.4028235e38'],
  ['double', 'double precision', '0.1', "'-0'", "'NaN'", "'-Infinity'", '5e-324'],
  ['money', 'numeric(12,2)', '0', '-0.01', '9999999999.99', "'NaN'"],
  ['wide', 'numeric(38,10)', '-9999999999999999999999999999.9999999999', '0.0000000001', "'NaN'"],
  ['any_number', 'numeric', '1.500', '-0.5', '1e60', '0.00', "'NaN'", "'Infinity'", "'-Infinity'"],
  ['words', 'text', "''", "'plain'", "'ünïcödé 🚀 ﷽'", "E'tab\\tline\\nquote\" back\\\\'", "'\\N'", "'NULL'"],
  ['short', 'varchar(10)', "''", "'ten chars!'", "'ü'"],
  ['padded', 'char(5)', "'ab'", "'üüüüü'"],
  ['raw', 'bytea', "''", "'\\x00ff10'", "'\\x5c4e'"],
  ['ref', 'uuid', "'01234567-89ab-cdef-0123-456789abcdef'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
  ['day', 'date', "'2024-02-29'", "'0001-01-01'", "'4713-01-01 BC'", "'infinity'", "'-infinity'"],
  ['clock', 'time', "'00:00'", "'23:59:59.999999'", "'24:00:00'"],
  [
    'at',
    'timestamptz',
    "'2024-03-31 02:30:00.000001+02'",
    "'infinity'",
    "'-infinity'",
    "'294276-01-01 00:00Z'",
  ],
  ['wall', 'timestamp', "'1999-12-31 23:59:59.999999'", "'infinity'", "'0044-03-15 12:00:00.5 BC'"],
  ['span', 'interval', "'-1 mon 2 days -00:00:00.000001'", "'0'", "'2562047:47:16.854775'"],
  ['doc', 'jsonb', `'{"b": 1, "a": [0.10, 12345678901234567890.123]}'`, "'null'", `'"🚀"'`],
  ['text_doc', 'json', `' { "a" : 1, "a" : 2 } '`, "'[]'"],
  ['mood', 'mood', "'sad'", `'ha"pp''y'`],
  ['numbers', 'integer[]', "'{}'", "'{1,NULL,-3}'"],
  ['names', 'text[]', `'{a,"b c",NULL,"NULL","","q\\"uote",ü}'`, "'{}'"],
  ['amounts', 'numeric(10,2)[]', "'{1.50,NULL,-99999999.99,NaN}'"],
  ['net', 'inet', "'10.0.0.0/8'", "'::1'"],
];

/** Values that DuckDB, Python and Postgres print alike once they are cast to text. */
const PLAIN = `id bigint PRIMARY KEY, ref uuid, name text, amount numeric(12,2), ratio double precision, qty integer,
  active boolean, at timestamptz, day date, clock time, doc jsonb, raw bytea, list integer[]`;
const FILL_PLAIN = `SELECT g, md5(g::text)::uuid, CASE WHEN g % 11 = 0 THEN NULL WHEN g % 13 = 0 THEN '' ELSE E'näme 🚀, "q"\\n' || g END,
  (g * 37 % 100000)::numeric / 100 - 300, g / 8.0, nullif(g * 31 % 1000 - 500, 0), g % 3 = 0,
  timestamptz '1960-01-01 00:00:00Z' + g * interval '71.000001 days', date '0999-12-31' + g * 300, time '00:00:00.25' + g * interval '1 minute',
  CASE WHEN g % 7 = 0 THEN NULL ELSE jsonb_build_object('k', g, 'list', jsonb_build_array(1, 'zwei', NULL)) END,
  CASE WHEN g % 5 = 0 THEN ''::bytea WHEN g % 6 = 0 THEN NULL ELSE decode(md5(g::text), 'hex') END,
  CASE WHEN g % 4 = 0 THEN NULL ELSE ARRAY[g, NULL, -g] END
  FROM generate_series(1, ${ROWS}) g`;
const SHARED_TEXT = `"id"::text AS "id", "ref"::text AS "ref", "name", "amount"::text AS "amount", "ratio"::text AS "ratio",
  "qty"::text AS "qty", "active"::text AS "active", "day"::text AS "day", "clock"::text AS "clock"`;
const PG_PLAIN = `${SHARED_TEXT}, (extract(epoch FROM "at") * 1000000)::bigint::text AS "at", replace("doc"::text, ' ', '') AS "doc"`;
const DUCK_PLAIN = `${SHARED_TEXT}, epoch_us("at")::text AS "at", replace("doc"::text, ' ', '') AS "doc"`;

let place: Workspace;
beforeAll(() => {
  place = new Workspace();
});
afterAll(() => place.remove());

async function run(job: JobSpec, rung: Rung): Promise<void> {
  const file = place.job(`${job.name}.json`, job);
  const args = ['run', file, '--quiet', '--state', place.path('state', `${job.name}.db`)];
  const exit = await place.sluice(rung === 'unset' ? args : [...args, '--rung', rung]);
  expect(exit.code, exit.stderr).toBe(0);
}

/** Runs the job on every rung and returns what each left behind, after comparing them with each other. */
async function sameOnEveryRung(
  make: (rung: Rung) => JobSpec,
  read: (rung: Rung) => Promise<Dump>,
): Promise<Dump> {
  const dumps: Dump[] = [];
  for (const rung of RUNGS) {
    await run(make(rung), rung);
    dumps.push(await read(rung));
    expectSameRows(dumps[0]!, dumps.at(-1)!, { expected: 'without --rung', actual: `--rung ${rung}` });
  }
  return dumps[0]!;
}

describeWithServer('postgres-15', (server) => {
  needsPythonReaders();
  let source: string;
  let target: string;

  beforeAll(async () => {
    source = await server().createDatabase();
    target = await server().createDatabase();
    const names = COLUMNS.map(([name, type]) => `"${name}" ${type}`);
    // Each column at the pace of its list, so that the values of long and short lists meet.
    const rows = Array.from({ length: ROWS }, (_, row) => {
      const values = COLUMNS.map(
        ([_name, , ...literals]) => ['NULL', ...literals][row % (literals.length + 1)],
      );
      return `(${[row + 1, ...values].join(', ')})`;
    });
    await server().psql(
      `CREATE TYPE mood AS ENUM ('sad', 'ha"pp''y');
       CREATE TABLE everything (id bigint PRIMARY KEY, ${names.join(', ')});
       INSERT INTO everything VALUES ${rows.join(',\n')};
       CREATE TABLE plain (${PLAIN}); INSERT INTO plain ${FILL_PLAIN}; ANALYZE`,
      source,
    );
  }, 3 * MINUTES);

  function toPostgres(name: string, rung: Rung, flow: { transforms?: TransformSpec[] }): JobSpec {
    return {
      name: `${name}-${rung}`,
      connections: {
        from: { connector: 'postgres', url: source },
        to: { connector: 'postgres', url: target },
      },
      flows: {
        main: {
          source: 'from',
          streams: ['public.everything'],
          ...flow,
          sinks: { main: { to: 'to', name: `${name}.${rung}`, write: 'replace' } },
        },
      },
      delivery: { commit: { rows: 200 } },
    };
  }

  const typesOf = (name: string, rung: Rung): Promise<Dump> =>
    dumpPostgres(
      target,
      `SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
       WHERE attrelid = '${name}.${rung}'::regclass AND attnum > 0 AND NOT attisdropped`,
    );

  it(
    'Postgres → Postgres, every type, equals the source',
    async () => {
      const copied = await sameOnEveryRung(
        (rung) => toPostgres('copied', rung, {}),
        (rung) => dumpPostgres(target, `SELECT * FROM copied."${rung}"`),
      );
      expectSameRows(await dumpPostgres(source, 'SELECT * FROM everything'), copied, {
        expected: 'source',
        actual: 'target',
      });
      expect(copied.rows).toHaveLength(ROWS);
      for (const rung of RUNGS) {
        expectSameRows(await typesOf('copied', 'unset'), await typesOf('copied', rung));
      }
    },
    3 * MINUTES,
  );

  it(
    'Postgres → Postgres through mask, filter, compute and rename, equals what SQL and HMAC make of the source',
    async () => {
      const changed = await sameOnEveryRung(
        (rung) =>
          toPostgres('changed', rung, {
            transforms: [
              { use: 'filter', where: 'whole != null && whole >= 0' },
              { use: 'compute', columns: { plus: 'id + 7', loud: 'upper(short)' } },
              { use: 'mask', columns: { words: 'hmac' }, key: MASK_KEY },
              { use: 'rename', columns: { whole: 'Whole Number', words: 'digest' } },
            ],
          }),
        (rung) => dumpPostgres(target, `SELECT * FROM changed."${rung}"`),
      );
      expect(changed.heading).toContain('Whole Number');
      for (const rung of RUNGS) {
        expectSameRows(await typesOf('changed', 'unset'), await typesOf('changed', rung));
      }

      // The database's locale is C, whose upper() leaves all but ASCII.
      const others = COLUMNS.map(([name]) => name).filter((name) => name !== 'words' && name !== 'whole');
      const kept = ['id', ...others].map((name) => `"${name}"`).join(', ');
      expectSameRows(
        await dumpPostgres(
          source,
          `SELECT ${kept}, whole AS "Whole Number", id + 7 AS plus, replace(upper(short), 'ü', 'Ü') AS loud FROM everything WHERE whole >= 0`,
        ),
        await dumpPostgres(target, `SELECT ${kept}, "Whole Number", plus, loud FROM changed.unset`),
      );

      const texts = await server().psql(
        'SELECT json_agg(json_build_array(id, words)) FROM everything WHERE whole >= 0',
        source,
      );
      const digests = await server().psql('SELECT json_object_agg(id, digest) FROM changed.unset', target);
      const found = JSON.parse(digests) as { [id: string]: string | null };
      const columnKey = createHmac('sha256', MASK_KEY).update('words').digest();
      for (const [id, text] of JSON.parse(texts) as [number, string | null][]) {
        const wanted = text === null ? null : createHmac('sha256', columnKey).update(text).digest('hex');
        expect(found[id], `row ${id}`).toBe(wanted);
      }
    },
    3 * MINUTES,
  );

  it(
    'CSV → DuckDB equals the table that the file came from',
    async () => {
      mkdirSync(place.path('csv'));
      const columns = 'id, ref, name, amount, ratio, qty, active, at, day, clock, doc';
      await server().psql(
        `\\copy (SELECT ${columns} FROM plain ORDER BY id) TO '${place.path('csv', 'plain.csv')}' (FORMAT csv, HEADER)`,
        source,
      );
      const types = {
        id: 'int64',
        ref: 'uuid',
        name: 'string',
        amount: 'decimal(12,2)',
        ratio: 'float64',
        qty: 'int32',
        active: 'bool',
        at: 'timestamp(us, utc)',
        day: 'date',
        clock: 'time',
        doc: 'json',
      };
      const loaded = await sameOnEveryRung(
        (rung) => ({
          name: `csv-${rung}`,
          connections: {
            from: { connector: 'file', path: place.path('csv', 'plain.csv') },
            to: { connector: 'duckdb', path: place.path(`${rung}.duckdb`) },
          },
          flows: {
            main: {
              source: 'from',
              streams: {
                plain: {
                  columns: Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }])),
                },
              },
              sinks: { main: { to: 'to', name: 'main.plain', write: 'replace' } },
            },
          },
        }),
        (rung) => dumpDuckdb(place.path(`${rung}.duckdb`), `SELECT ${DUCK_PLAIN} FROM main.plain`),
      );
      expectSameRows(await dumpPostgres(source, `SELECT ${PG_PLAIN} FROM plain`), duckRatios(loaded));
    },
    3 * MINUTES,
  );

  it(
    'Postgres → Parquet equals the source',
    async () => {
      const pgText = `${PG_PLAIN}, encode(raw, 'hex') AS raw, array_to_json(list)::text AS list`;
      const duckText = `${DUCK_PLAIN}, lower(hex(raw)) AS raw, to_json(list)::text AS list`;
      const written = await sameOnEveryRung(
        (rung) => ({
          name: `parquet-${rung}`,
          connections: {
            from: { connector: 'postgres', url: source },
            to: { connector: 'file', path: place.path('lake', rung), format: 'parquet' },
          },
          flows: {
            main: {
              source: 'from',
              streams: ['public.plain'],
              sinks: { main: { to: 'to', name: 'plain', write: 'replace' } },
            },
          },
        }),
        (rung) =>
          dumpParquet(
            place.path('lake', rung, 'plain', '*.parquet'),
            `SELECT ${duckText} FROM files`,
            'duckdb',
          ),
      );
      expectSameRows(await dumpPostgres(source, `SELECT ${pgText} FROM plain`), duckRatios(written));
    },
    3 * MINUTES,
  );
});

/** DuckDB writes a double without fraction as `1.0`, PostgreSQL as `1`. */
function duckRatios(dump: Dump): Dump {
  const at = dump.heading.split(',').indexOf('ratio');
  expect(at).toBe(4);
  return { ...dump, rows: dump.rows.map((row) => row.replace(/^((?:"(?:[^"]|"")*",|,){4}"\d+)\.0"/, '$1"')) };
}

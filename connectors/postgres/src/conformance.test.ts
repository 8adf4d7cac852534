/** The conformance kit on source and sink, with psql as the one who knows what is in the tables. */
import type { JsonObject, LogicalType, Row, StreamSchema, Value } from '@sluice/sdk';
import { describeWithServer, psql, testSink, testSource } from '@sluice/test';
import connector from './index.js';
import { parseStreamName, qualified } from './quote.js';

const unreachable = { url: 'postgres://nobody@127.0.0.1:1/nothing', connectTimeout: 2000 };

/** Rows as psql copies them (what it prints lacks some characters), in the forms that the kit understands. */
async function rowsOf(url: string, target: string, { fields }: StreamSchema): Promise<Row[]> {
  const name = parseStreamName(target, 'public');
  const table = qualified(name);
  const there = await psql(url, `SELECT to_regclass('${table.replaceAll("'", "''")}') IS NOT NULL`);
  if (there !== 't') return [];
  const columns = fields.map((f) => {
    const column = `"${f.name.replaceAll('"', '""')}"`;
    if (f.type.kind === 'bytes') return `encode(${column}, 'hex')`;
    if (f.type.kind === 'date' || f.type.kind === 'timestamp') return timeOf(f.type.kind, column);
    if (f.type.kind !== 'list') return `${column}::text`;
    return `CASE WHEN pg_typeof(${column})::text = 'jsonb' THEN to_jsonb(${column}) ELSE to_jsonb((to_jsonb(${column})::text)::jsonb) END::text`;
  });
  const list = columns.length === 0 ? 'NULL' : columns.join(', ');
  const text = await psql(
    url,
    `SET IntervalStyle = 'iso_8601'; SET TimeZone = 'UTC'; SET extra_float_digits = 3;
     COPY (SELECT json_build_array(${list}) FROM ${table}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)`,
  );
  const lines = text === '' ? [] : text.split('\n');
  return lines.map((line) => {
    const values = JSON.parse(line.slice(1, -1).replaceAll('""', '"')) as (string | null)[];
    return Object.fromEntries(fields.map((f, i) => [f.name, readValue(f.type, values[i] ?? null)]));
  });
}

/**
 * Days or microseconds since 1970; the text where there is no such number, and of the first day that PostgreSQL has,
 * which the kit writes as a text too.
 */
function timeOf(kind: 'date' | 'timestamp', column: string): string {
  const number =
    kind === 'date'
      ? `${column} - date '1970-01-01'`
      : `(extract(day FROM ${column} - '1970-01-01 00:00:00+00') * 86400000000
         + extract(epoch FROM ${column} - '1970-01-01 00:00:00+00' - make_interval(days => extract(day FROM ${column} - '1970-01-01 00:00:00+00')::int)) * 1000000)::numeric(30,0)`;
  const isText = `NOT isfinite(${column}) OR ${column} = '4714-11-24 00:00:00+00 BC'`;
  return `CASE WHEN ${isText} THEN ${column}::text ELSE (${number})::text END`;
}

function readValue(type: LogicalType, text: string | null): Value {
  if (text === null) return null;
  switch (type.kind) {
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'bytes':
      return new Uint8Array(Buffer.from(text, 'hex'));
    case 'list':
    case 'struct':
    case 'map':
    case 'union':
      return fromDocument(type, JSON.parse(withTextNumbers(text)) as Document);
    default:
      return text;
  }
}

type Document = null | boolean | string | Document[] | { [name: string]: Document };

/** Numbers as texts: JavaScript would round them. */
function withTextNumbers(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
}

function fromDocument(type: LogicalType, document: Document): Value {
  if (document === null) return null;
  if (type.kind === 'bytes')
    return new Uint8Array(
      Buffer.from(document as string, (document as string).startsWith('\\x') ? 'hex' : 'base64'),
    );
  if (type.kind === 'list') return (document as Document[]).map((item) => fromDocument(type.item.type, item));
  if (type.kind === 'map') {
    const entries = Object.entries(document as { [name: string]: Document });
    return entries.map(([key, value]) => [key, fromDocument(type.value.type, value)]);
  }
  const members = type.kind === 'struct' ? type.fields : type.kind === 'union' ? type.variants : [];
  if (members.length === 0) return document as Value;
  const held = document as { [name: string]: Document };
  return Object.fromEntries(
    members.filter(({ name }) => name in held).map((f) => [f.name, fromDocument(f.type, held[f.name]!)]),
  );
}

describeWithServer('postgres-15', (server) => {
  let url: Promise<string> | undefined;
  const filled = async (): Promise<string> => {
    const database = await server().createDatabase();
    await psql(
      database,
      `CREATE TABLE orders (id bigint PRIMARY KEY, name text NOT NULL, amount numeric(12,2), tags text[], host inet);
       INSERT INTO orders SELECT i, 'order ' || i, CASE WHEN i % 7 > 0 THEN i / 4.0 END,
         CASE WHEN i % 3 > 0 THEN ARRAY['a', NULL, 'b' || i] END, '10.0.0.1' FROM generate_series(1, 700) i;
       CREATE TABLE "Odd.Name" (day date, n integer, PRIMARY KEY (day, n));
       INSERT INTO "Odd.Name" SELECT date '2024-01-01' + i % 5, i FROM generate_series(1, 300) i;
       CREATE VIEW large AS SELECT * FROM orders WHERE amount > 100; ANALYZE`,
    );
    return database;
  };
  const config = async (): Promise<JsonObject> => {
    url ??= filled();
    return { url: await url, splitBytes: 8192 };
  };
  for (const chunk of ['auto', 'key', 'none']) {
    const streams =
      chunk === 'key'
        ? ['public.orders', 'public."Odd.Name"']
        : ['public.orders', 'public."Odd.Name"', 'public.large'];
    testSource({
      connector,
      config,
      modes: ['full'],
      streams,
      options: Object.fromEntries(streams.map((stream) => [stream, { chunk }])),
      unreachable,
    });
  }

  testSource({
    connector,
    config: async () => {
      const database = await server().createDatabase();
      await psql(
        database,
        `CREATE TABLE keyed (id integer PRIMARY KEY, at timestamptz NOT NULL, note text);
         CREATE INDEX ON keyed (at);
         INSERT INTO keyed SELECT i, timestamptz '2024-01-01 00:00:00+00' + (i / 9) * interval '1 s', 'note ' || i
           FROM generate_series(1, 300) i;
         CREATE TABLE loose (day date NOT NULL, note text);
         INSERT INTO loose SELECT date '2024-01-01' + i % 5, 'note ' || i FROM generate_series(1, 200) i;
         CREATE TABLE counted (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
         INSERT INTO counted (note) SELECT 'note ' || i FROM generate_series(1, 300) i`,
      );
      return { url: database };
    },
    modes: ['incremental'],
    streams: ['public.keyed', 'public.loose', 'public.counted'],
    cursor: {
      'public.keyed': { column: 'at', clock: 'database' },
      'public.loose': { column: 'day', clock: 'database', zone: 'UTC' },
      'public.counted': { column: 'id' },
    },
    mutate: async ({ url: of }) => {
      await psql(
        of as string,
        `INSERT INTO keyed VALUES (1001, now(), 'new'), (1002, now(), 'new');
         INSERT INTO counted (note) VALUES ('new')`,
      );
      // Longer than what a transaction may be overlooked for.
      await new Promise((resolve) => setTimeout(resolve, 700));
      const at = await psql(
        of as string,
        'SELECT (extract(epoch FROM at) * 1000000)::bigint FROM keyed WHERE id = 1001',
      );
      return {
        'public.keyed': [1001, 1002].map((id) => ({ id, at: BigInt(at), note: 'new' })),
        'public.counted': [{ id: 301n, note: 'new' }],
      };
    },
    unreachable,
  });

  testSink({
    connector,
    config: async () => ({ url: await server().createDatabase() }),
    modes: { append: 'atomic', upsert: 'atomic', replace: 'atomic', mirror: 'atomic' },
    read: ({ target, table, config: { url: of } }) => rowsOf(of as string, target, table.schema),
    unreachable,
  });
});

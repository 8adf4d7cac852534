/** What append and upsert do to rows, and to tables that are there already. */
import {
  Batch,
  field,
  OPS,
  type Op,
  type Row,
  Special,
  type StreamSchema,
  streamSchema,
  types,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSink } from '../testing/open.js';
import {
  batchOf,
  begin,
  epoch,
  jobOf,
  openWriter,
  type PlanOptions,
  planFor,
  STREAM,
} from '../testing/sink-lane.js';
import type { PostgresSink } from './postgres-sink.js';

const job = jobOf(1n);
const code = (op: (typeof OPS)[number]) => OPS.indexOf(op);

describeWithServer('postgres-15', (server) => {
  let url: string;
  let sink: PostgresSink;

  beforeEach(async () => {
    url = await server().createDatabase();
    sink = openSink(url);
  });
  afterEach(() => sink.close());

  const sql = (text: string) => psql(url, text);

  /** Writes batches, an epoch each, to `public.orders`. */
  async function write(options: PlanOptions, ...batches: readonly Batch[]) {
    const plan = await planFor(sink, options);
    await begin(sink, plan, job);
    const writer = await openWriter(sink, plan, job);
    try {
      for (const [i, batch] of batches.entries()) {
        await writer.write(batch);
        await writer.commit(epoch(job, i + 1));
      }
    } finally {
      await writer.close();
    }
    return plan;
  }

  describe('upsert', () => {
    const schema = streamSchema(
      STREAM,
      [
        field('a', types.int32, { nullable: false }),
        field('b', types.string, { nullable: false }),
        field('note', types.string),
      ],
      ['a', 'b'],
    );
    const rows = (...notes: [number, string, string | null][]): Row[] =>
      notes.map(([a, b, note]) => ({ a, b, note }));
    const batch = (notes: [number, string, string | null][], op: Batch['op'] = 'insert') =>
      batchOf(rows(...notes), schema, op);
    const table = () => sql('SELECT a, b, note FROM orders ORDER BY a, b');

    it('adds and replaces by the whole key, in a table with that key', async () => {
      const first = batch([
        [1, 'x', 'one'],
        [1, 'y', 'two'],
        [2, 'x', null],
      ]);
      const plan = await write(
        { write: 'upsert', schema },
        first,
        batch([
          [1, 'y', 'new'],
          [3, 'z', 'three'],
        ]),
      );
      expect(plan).toMatchObject({ publish: 'none', exists: false });
      expect(plan.ddl).toEqual([
        'CREATE TABLE "public"."orders" ("a" integer NOT NULL, "b" text NOT NULL, "note" text, PRIMARY KEY ("a", "b"))',
      ]);
      expect(await table()).toBe('1|x|one\n1|y|new\n2|x|\n3|z|three');
    });

    it('keeps the last row of a key within an epoch', async () => {
      const plan = await planFor(sink, { write: 'upsert', schema });
      await begin(sink, plan, job);
      const writer = await openWriter(sink, plan, job);
      const many: [number, string, string][] = Array.from({ length: 5000 }, (_, i) => [
        i % 50,
        'k',
        `${'pad'.repeat(i % 40)}${i}`,
      ]);
      await writer.write(batch(many.slice(0, 3000)));
      await writer.write(batch(many.slice(3000)));
      await writer.commit(epoch(job, 1));
      await writer.close();
      const last = many.slice(-50).map(([a, b, note]) => `${a}|${b}|${note}`);
      expect((await table()).split('\n')).toEqual(last);
    });

    it('deletes by key, in the order of the rows', async () => {
      const ops = Uint8Array.of(
        code('delete'),
        code('upsert'),
        code('delete'),
        code('insert'),
        code('update'),
      );
      const mixed = batch(
        [
          [1, 'x', null],
          [1, 'x', 'again'],
          [1, 'y', null],
          [4, 'x', 'four'],
          [2, 'x', 'changed'],
        ],
        ops,
      );
      await write(
        { write: 'upsert', schema },
        batch([
          [1, 'x', 'one'],
          [1, 'y', 'two'],
          [2, 'x', 'three'],
        ]),
        mixed,
      );
      expect(await table()).toBe('1|x|again\n2|x|changed\n4|x|four');
    });

    it.each<Value>([null, UNCHANGED])(
      'deletes with nothing but the key: the others are %s',
      async (unknown) => {
        const required = streamSchema(
          STREAM,
          [schema.fields[0]!, field('note', types.string, { nullable: false })],
          ['a'],
        );
        const gone = batchOf([{ a: 1, note: unknown }], required, 'delete');
        await write(
          { write: 'upsert', schema: required },
          batchOf(
            [
              { a: 1, note: 'x' },
              { a: 2, note: 'y' },
            ],
            required,
          ),
          gone,
        );
        expect(await sql('SELECT a, note FROM orders')).toBe('2|y');
      },
    );

    it('writes a stream that is nothing but key', async () => {
      const keys = streamSchema(STREAM, [field('a', types.int32, { nullable: false })], ['a']);
      await write(
        { write: 'upsert', schema: keys },
        batchOf([{ a: 1 }, { a: 1 }, { a: 2 }], keys),
        batchOf([{ a: 2 }], keys),
      );
      expect(await sql('SELECT a FROM orders ORDER BY a')).toBe('1\n2');
    });

    it('uses a unique index of a table that is there, in any order of columns', async () => {
      await sql(
        "CREATE TABLE orders (note text, b text, a integer, seen date DEFAULT '2020-01-01'); CREATE UNIQUE INDEX ON orders (b, a)",
      );
      await write({ write: 'upsert', schema }, batch([[1, 'x', 'one']]), batch([[1, 'x', 'new']]));
      expect(await sql('SELECT * FROM orders')).toBe('new|x|1|2020-01-01');
    });

    it('names the index that is missing', async () => {
      await sql(
        'CREATE TABLE orders (a integer, b text, note text); CREATE UNIQUE INDEX ON orders (a, b) WHERE a > 0',
      );
      await expect(planFor(sink, { write: 'upsert', schema })).rejects.toMatchObject({
        class: 'config',
        code: 'SLUICE-PG-0030',
        message: expect.stringContaining('CREATE UNIQUE INDEX ON "public"."orders" ("a", "b")'),
      });
      await expect(planFor(sink, { write: 'upsert', schema: { ...schema, key: [] } })).rejects.toMatchObject({
        code: 'SLUICE-PG-0030',
      });
    });

    it('keeps the order of rows whose values go as text', async () => {
      const lists = streamSchema(
        STREAM,
        [field('a', types.int32, { nullable: false }), field('l', types.list(types.int32))],
        ['a'],
      );
      const shifted = new Special('[5:6]={1,2}');
      const values = [
        { a: 1, l: [1] },
        { a: 1, l: shifted },
        { a: 2, l: shifted },
        { a: 2, l: [2] },
      ];
      await write({ write: 'upsert', schema: lists }, batchOf(values, lists));
      expect(await sql('SELECT a, l FROM orders ORDER BY a')).toBe('1|[5:6]={1,2}\n2|{2}');
    });

    it('moves rows and leaves columns as they are, in the order of the log', async () => {
      const rows = Array.from({ length: 6 }, (_, i) => ({ a: i, b: 'x', note: `note ${i}` }));
      const U: Value = UNCHANGED;
      const log: readonly (readonly [Op, Row, Row?])[] = [
        // Of one key: what was left out is what an earlier row said.
        ['update', { a: 0, b: 'x', note: 'first' }],
        ['update', { a: 0, b: 'x', note: U }],
        // A row that is not there stays away.
        ['update', { a: 99, b: 'x', note: U }],
        ['delete', { a: 1, b: 'x', note: U }],
        ['insert', { a: 1, b: 'x', note: 'back' }],
        ['update', { a: 1, b: 'x', note: U }],
        // Whole, and then without what it takes along.
        ['move', { a: 20, b: 'x', note: 'whole' }, { a: 2, b: 'x', note: U }],
        ['update', { a: 3, b: 'x', note: 'changed' }],
        ['move', { a: 30, b: 'x', note: U }, { a: 3, b: 'x', note: U }],
        ['move', { a: 31, b: 'x', note: U }, { a: 30, b: 'x', note: U }],
        ['delete', { a: 4, b: 'x', note: U }],
        // The copy met this row under both keys.
        ['move', { a: 0, b: 'x', note: U }, { a: 5, b: 'x', note: U }],
        ['move', { a: 77, b: 'x', note: U }, { a: 76, b: 'x', note: U }],
        // To where it is.
        ['move', { a: 20, b: 'x', note: U }, { a: 20, b: 'x', note: U }],
      ];
      const before = Batch.ofRows(
        schema,
        log.map(([, row, old]) => old ?? row),
      );
      const op = Uint8Array.from(log, ([code]) => OPS.indexOf(code));
      const changes = Batch.ofRows(
        schema,
        log.map(([, row]) => row),
        { op, before },
      );
      await write({ write: 'upsert', schema }, batchOf(rows, schema), changes);
      expect(await sql('SELECT a, note FROM orders ORDER BY a')).toBe(
        ['0|note 5', '1|back', '20|whole', '31|changed'].join('\n'),
      );
    });
  });

  describe('append', () => {
    const one = (type: StreamSchema['fields'][number]['type'], native?: string) =>
      streamSchema(STREAM, [field('v', type, native === undefined ? {} : { native })]);

    it('adds columns that are missing and fills what the stream does not have', async () => {
      await sql("CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, at date DEFAULT '2020-01-01')");
      const schema = streamSchema(STREAM, [field('id', types.int64), field('new "one"', types.string)]);
      const plan = await write({ schema }, batchOf([{ id: 7n, 'new "one"': 'x' }], schema));
      expect(plan.ddl).toEqual(['ALTER TABLE "public"."orders" ADD COLUMN "new ""one""" text']);
      expect(await sql('SELECT * FROM orders')).toBe('7|2020-01-01|x');
    });

    it('creates schemas and tables of any name', async () => {
      const target = '"my.sche""ma"."Ta.ble, ☃"';
      await write({ schema: one(types.int32), target }, batchOf([{ v: 1 }], one(types.int32)));
      expect(await sql('SELECT v FROM "my.sche""ma"."Ta.ble, ☃"')).toBe('1');
    });

    it.for([
      ['v integer', types.string, 'does not take string'],
      ['v integer', types.int64, 'does not take int64'],
      ['v real', types.float64, 'does not take float64'],
      ['v timestamp', types.timestamp, 'does not take timestamp(us, utc)'],
      ['v integer[]', types.int32, 'does not take int32'],
      ['v bigint, w integer NOT NULL', types.int64, 'column w is NOT NULL'],
      ['w integer, v integer GENERATED ALWAYS AS (w + 1) STORED', types.int32, 'generated by the server'],
    ] as const)('refuses a table (%s) for %o', async ([columns, type, why]) => {
      await sql(`CREATE TABLE orders (${columns})`);
      await expect(planFor(sink, { schema: one(type) })).rejects.toMatchObject({
        class: 'contract',
        code: 'SLUICE-PG-0029',
        message: expect.stringContaining(why),
      });
    });

    it.for([
      ['numeric(10,2)', types.decimal(12, 4), 'lossy', 'the column rounds to 2 places'],
      ['numeric(6,4)', types.decimal(12, 4), 'lossy', 'larger numbers are refused'],
      ['numeric', types.decimal(12, 4), 'widening', undefined],
      ['numeric', types.uint64, 'widening', undefined],
      ['bigint', types.uint32, 'widening', undefined],
      ['integer', types.int16, 'widening', undefined],
      ['double precision', types.float32, 'widening', undefined],
      ['character varying(3)', types.string, 'exact', undefined],
      ['inet', types.string, 'lossy', 'values are written as inet writes them'],
      ['text', types.int64, 'widening', 'int64 as text'],
      ['jsonb', types.json, 'lossy', 'spaces, order and repeated names are not kept'],
      ['jsonb', types.struct([field('a', types.int32)]), 'widening', 'as a JSON document'],
      [
        'timestamp(3) with time zone',
        types.timestamp,
        'lossy',
        'the column rounds to 3 digits behind the second',
      ],
      [
        'timestamp with time zone',
        { kind: 'timestamp', unit: 'ns', zone: 'utc' },
        'lossy',
        'digits behind the microsecond are cut off',
      ],
    ] as const)('fits a column %s: %o', async ([native, type, verdict, note]) => {
      await sql(`CREATE TABLE orders (v ${native})`);
      const plan = await planFor(sink, { schema: one(type) });
      expect(plan.types).toMatchObject([{ column: 'v', to: native, verdict, ...(note && { note }) }]);
    });

    it('keeps types of the source that this database has with the same meaning', async () => {
      const natives = [
        field('a', types.string, { native: 'character varying(20)' }),
        field('b', types.timestamp, { native: 'timestamp' }),
        field('c', types.native('inet'), { native: 'inet' }),
        field('d', types.native('geography'), { native: 'geography' }),
        field('e', types.enumOf('x'), { native: 'mood' }),
        field('f', types.string, { native: 'text; DROP TABLE orders' }),
        field('g', types.int32, { native: 'int' }),
      ];
      const plan = await planFor(sink, { schema: streamSchema(STREAM, natives) });
      expect(plan.types.map((type) => type.to)).toEqual([
        'character varying(20)',
        'timestamp with time zone',
        'inet',
        'text',
        'text',
        'text',
        'int',
      ]);
    });

    it.for([
      [types.decimal(5, 2), 'NaN', 'NaN'],
      [types.date, '-infinity', '-infinity'],
      [types.timestamp, 'infinity', 'infinity'],
      [types.interval, '5000000 hours', '5000000:00:00'],
      [types.list(types.int32), '{{1},{2}}', '{{1},{2}}'],
      [types.string, 'whatever', 'whatever'],
      [types.time, '24:00', '24:00:00'],
      [types.date, '0044-03-15 BC', '0044-03-15 BC'],
    ] as const)('places a %o beyond its type: %s', async ([type, text, shown]) => {
      const schema = one(type);
      await write({ schema }, batchOf([{ v: null }, { v: new Special(text) }], schema));
      expect(await sql('SELECT v FROM orders WHERE v IS NOT NULL')).toBe(shown);
    });

    it.for([
      [types.date, '0000-00-00'],
      [types.timestamp, '0000-00-00 00:00:00'],
      [types.int32, '99999999999'],
      [types.bool, 'maybe'],
      [types.decimal(5, 2), 'lots'],
    ] as const)('refuses a %o beyond its type: %s', async ([type, text]) => {
      const schema = one(type);
      await expect(write({ schema }, batchOf([{ v: new Special(text) }], schema))).rejects.toMatchObject({
        class: 'data',
        code: 'SLUICE-PG-0033',
      });
    });

    it('names column and row of a text that PostgreSQL cannot store', async () => {
      const schema = one(types.string);
      await expect(
        write({ schema }, batchOf([{ v: 'good' }, { v: null }, { v: 'b\0d' }], schema)),
      ).rejects.toMatchObject({
        class: 'data',
        code: 'SLUICE-PG-0034',
        details: { row: 2, column: 'v' },
      });
    });

    it.for([
      ['v varchar(3)', types.string, { v: 'long' }, 'SLUICE-PG-0018', 'data'],
      ['v integer CHECK (v > 0)', types.int32, { v: -1 }, 'SLUICE-PG-0017', 'data'],
      ['v integer NOT NULL', types.int32, { v: null }, 'SLUICE-PG-0017', 'data'],
      ['v integer PRIMARY KEY', types.int32, { v: 1 }, 'SLUICE-PG-0016', 'data'],
      ['v inet', types.string, { v: 'nowhere' }, 'SLUICE-PG-0018', 'data'],
      ['v date', types.date, { v: -2147483647 }, 'SLUICE-PG-0018', 'data'],
      ['v timestamptz', types.timestamp, { v: -9223372036854775808n }, 'SLUICE-PG-0018', 'data'],
      ['v timestamptz', types.timestamp, { v: 9223372036854775807n }, undefined, undefined],
    ] as const)('a table (%s) refuses a row', async ([columns, type, row, expected, errorClass]) => {
      await sql(`CREATE TABLE orders (${columns})`);
      const schema = streamSchema(STREAM, [field('v', type, { nullable: true })]);
      const attempt = write({ schema }, batchOf([row, row] as Row[], schema));
      if (expected === undefined) await attempt;
      else await expect(attempt).rejects.toMatchObject({ code: expected, class: errorClass });
      expect(await sql('SELECT count(*) FROM orders')).toBe(expected === undefined ? '2' : '0');
    });

    it('reports the row of a COPY that the server refused', async () => {
      await sql('CREATE TABLE orders (v varchar(3))');
      const rows = Array.from({ length: 100 }, (_, i) => ({ v: i === 41 ? 'long' : 'ok' }));
      await expect(
        write({ schema: one(types.string) }, batchOf(rows, one(types.string))),
      ).rejects.toMatchObject({
        code: 'SLUICE-PG-0018',
        details: { row: 42, column: 'v', sqlstate: '22001' },
      });
    });

    it('writes nested types as documents and lists as arrays', async () => {
      const schema = streamSchema(STREAM, [
        field('s', types.struct([field('a', types.int64), field('b', types.list(types.decimal(5, 2)))])),
        field('m', types.map(types.string, types.timestamp)),
        field('l', types.list(types.list(types.int32))),
        field('n', types.nullType),
        field('t', types.list(types.string)),
      ]);
      const row: Row = {
        s: { a: 9007199254740993n, b: ['1.50', null] },
        m: [['k"', 0n]],
        l: [[1], []],
        n: null,
        t: ['a,b', null, ''],
      };
      const plan = await write({ schema }, batchOf([row], schema));
      expect(plan.types.map((type) => type.to)).toEqual(['jsonb', 'jsonb', 'jsonb', 'text', 'text[]']);
      expect(await sql('SELECT * FROM orders')).toBe(
        '{"a": 9007199254740993, "b": [1.50, null]}|{"k\\"": "1970-01-01T00:00:00Z"}|[[1], []]||{"a,b",NULL,""}',
      );
    });

    it('refuses deletes', async () => {
      const schema = one(types.int32);
      await expect(write({ schema }, batchOf([{ v: 1 }], schema, 'delete'))).rejects.toMatchObject({
        code: 'SLUICE-PG-0038',
      });
    });
  });

  it('check says which right is missing', async () => {
    const role = `writer_${process.pid}`;
    await sql(
      `DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN; CREATE SCHEMA closed; REVOKE CREATE ON SCHEMA public FROM public`,
    );
    const own = new URL(url);
    own.username = role;
    const missing = { code: 'SLUICE-PG-0008', class: 'auth' };
    for (const schema of ['public', 'closed', 'nowhere']) {
      const theirs = openSink(own.href, { schema });
      await expect(theirs.check(testContext())).rejects.toMatchObject(missing);
      await theirs.close();
    }
    await sql(`GRANT CREATE ON SCHEMA closed TO ${role}`);
    const theirs = openSink(own.href, { schema: 'closed' });
    await theirs.check(testContext());
    await expect(planFor(theirs).then((plan) => begin(theirs, plan, job))).rejects.toMatchObject(missing);
    await theirs.close();
    await sql(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`);
    const reader = openSink(url);
    await expect(reader.check(testContext())).rejects.toMatchObject({
      code: 'SLUICE-PG-0037',
      class: 'config',
    });
    await reader.close();
    await sql(`SET default_transaction_read_only = off; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('refuses rows of another shape than was planned', async () => {
    const other = streamSchema(STREAM, [field('id', types.int64)]);
    await expect(write({}, batchOf([{ id: 1n }], other))).rejects.toMatchObject({
      code: 'SLUICE-PG-0020',
      class: 'contract',
    });
  });

  it('refuses names that PostgreSQL would cut off', async () => {
    const long = 'n'.repeat(64);
    const refused = { code: 'SLUICE-PG-0022', class: 'config' };
    await expect(planFor(sink, { target: `public.${long}` })).rejects.toMatchObject(refused);
    await expect(planFor(sink, { target: `${long}.orders` })).rejects.toMatchObject(refused);
    const schema = streamSchema(STREAM, [field('ü'.repeat(32), types.int32)]);
    await expect(planFor(sink, { schema })).rejects.toMatchObject(refused);
  });

  it('says that a name is the system’s own', async () => {
    const schema = streamSchema(STREAM, [field('ctid', types.int32)]);
    await expect(write({ schema }, batchOf([{ ctid: 1 }], schema))).rejects.toMatchObject({
      class: 'config',
    });
  });

  it('refuses what is no table', async () => {
    await sql('CREATE VIEW orders AS SELECT 1::bigint AS id, NULL::text AS note');
    await expect(planFor(sink)).rejects.toMatchObject({ code: 'SLUICE-PG-0038', class: 'config' });
  });

  it('clears a table inside an epoch', async () => {
    for (const mode of ['append', 'upsert'] as const) {
      await sql(
        'DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS _sluice_jobs, _sluice_streams, _sluice_commits',
      );
      const plan = await planFor(sink, { write: mode });
      await begin(sink, plan, job);
      const writer = await openWriter(sink, plan, job);
      await writer.write(batchOf([{ id: 1n, note: 'old' }]));
      await writer.commit(epoch(job, 1));
      await writer.write(batchOf([{ id: 2n, note: 'older' }]));
      await writer.write({ kind: 'clear', stream: STREAM });
      await writer.write(batchOf([{ id: 3n, note: 'new' }]));
      expect(await sql('SELECT id FROM orders')).toBe('1');
      await writer.commit(epoch(job, 2));
      await writer.close();
      expect(await sql('SELECT id FROM orders')).toBe('3');
    }
  });
});

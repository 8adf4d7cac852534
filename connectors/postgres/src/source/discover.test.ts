/** What a database offers to read, whatever its names, rights and types. */
import { formatType, silentLogger } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSource } from '../testing/open.js';
import { planRead, planSplits, readRows } from '../testing/read-split.js';
import type { PostgresSource } from './postgres-source.js';

const c = { ...testContext(), log: silentLogger };

describeWithServer('postgres-15', (server) => {
  let url: string;
  let source: PostgresSource;

  beforeEach(async () => {
    url = await server().createDatabase();
    source = openSource(url);
  });
  afterEach(() => source.close());

  const names = async (patterns?: string[], from = source) =>
    (await from.discover(patterns, c)).streams.map(({ schema }) => schema.stream);
  const one = async (stream: string, from = source) => (await from.discover([stream], c)).streams[0]!;

  it('lists tables and views of all kinds, but neither partitions nor what is ours or the system’s', async () => {
    await psql(
      url,
      `CREATE TABLE t (id integer); CREATE VIEW v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
       CREATE TABLE p (id integer) PARTITION BY LIST (id); CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);
       CREATE INDEX ON t (id); CREATE SEQUENCE s; CREATE TYPE c AS (a integer); CREATE TEMPORARY TABLE tmp (a integer);
       CREATE TABLE _sluice_jobs (job text); CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
       CREATE FOREIGN TABLE f (a text) SERVER files OPTIONS (filename '/etc/hostname');
       CREATE SCHEMA other; CREATE TABLE other.t (id integer)`,
    );
    expect(await names()).toEqual(['other.t', 'public.f', 'public.m', 'public.p', 'public.t', 'public.v']);
    expect(await names(['public.p*'])).toEqual(['public.p']);
    expect(await names(['public.p_1'])).toEqual(['public.p_1']);
    expect(await names(['*.t'])).toEqual(['other.t', 'public.t']);
    expect(await names(['nothing.*'])).toEqual([]);
  });

  it('says what changes may come without', async () => {
    await psql(
      url,
      `CREATE TABLE t (id integer PRIMARY KEY, n numeric(12,2), wide numeric, code char(2), name varchar(80), doc jsonb,
         day date, tag text, ids integer[]);
       ALTER TABLE t ALTER tag SET STORAGE PLAIN;
       CREATE TABLE whole (id integer, v text); ALTER TABLE whole REPLICA IDENTITY FULL;
       CREATE TABLE p (id integer) PARTITION BY LIST (id);
       CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p_2 PARTITION OF p FOR VALUES IN (2);
       ALTER TABLE p_1 REPLICA IDENTITY FULL`,
    );
    expect(await one('public.t')).toMatchObject({ unchanged: ['wide', 'name', 'doc', 'ids'], before: false });
    expect(await one('public.whole')).toMatchObject({ unchanged: ['v'], before: true });
    expect((await one('public.p')).before).toBe(false);
    await psql(url, 'ALTER TABLE p_2 REPLICA IDENTITY FULL');
    expect((await one('public.p')).before).toBe(true);
  });

  it('an empty database has no streams', async () => {
    expect(await names()).toEqual([]);
  });

  it('takes names as they are', async () => {
    const tables = [
      'Mixed Case',
      'with.dot',
      'with"quote',
      'ünï☃',
      "it's",
      'new\nline',
      '*',
      '%s',
      '$1',
      '\\',
    ];
    for (const table of tables) {
      const quoted = `"${table.replaceAll('"', '""')}"`;
      await psql(
        url,
        `CREATE TABLE ${quoted} (${quoted} integer PRIMARY KEY); INSERT INTO ${quoted} VALUES (7)`,
      );
    }
    const { streams } = await source.discover(undefined, c);
    expect(streams.map(({ schema }) => schema.fields[0]!.name).sort()).toEqual([...tables].sort());
    expect(streams.map(({ schema }) => schema.stream)).toContain('public."with.dot"');
    for (const { schema } of streams) {
      for (const chunk of ['none', 'key']) {
        const read = {
          stream: schema.stream,
          mode: 'full',
          schema,
          generation: 1,
          options: { chunk },
          resumable: false,
        } as const;
        const [split] = await planSplits(source, read);
        expect(await readRows(source, read, split!)).toEqual([[7]]);
      }
    }
  });

  it('gives columns in order, with their types, nullability and key', async () => {
    await psql(
      url,
      `CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN price AS numeric(8,2);
       CREATE TABLE t (b text NOT NULL, gone integer, a bigint, n numeric(12,2), m mood, p price, l integer[] NOT NULL,
         i inet, PRIMARY KEY (a, b)); ALTER TABLE t DROP COLUMN gone; INSERT INTO t SELECT 'x', i, 1, 'sad', 2, '{}'
         FROM generate_series(1, 500) i; ANALYZE t`,
    );
    const { schema, types, encodings, estimatedRows, estimatedBytes } = await one('public.t');
    expect(schema.fields.map((f) => [f.name, formatType(f.type), f.nullable, f.native])).toEqual([
      ['b', 'string', false, 'text'],
      ['a', 'int64', false, 'bigint'],
      ['n', 'decimal(12,2)', true, 'numeric(12,2)'],
      ['m', 'enum("sad", "glad")', true, 'mood'],
      ['p', 'decimal(8,2)', true, 'price'],
      ['l', 'list<int32>', false, 'integer[]'],
      ['i', 'native(inet)', true, 'inet'],
    ]);
    expect(schema.key).toEqual(['a', 'b']);
    expect(types.every(({ verdict }) => verdict === 'exact')).toBe(true);
    expect(encodings).toBeUndefined();
    expect(estimatedRows).toBe(500);
    expect(estimatedBytes).toBeGreaterThan(8000);
  });

  it('offers bytes as they are where they mean the same elsewhere', async () => {
    await psql(
      url,
      "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (a integer, b numeric(4,1), c varchar(9), d mood, e char(3), f timestamp(3))",
    );
    expect((await one('public.t')).encodings).toEqual([
      'postgres-copy-frames(int4,numeric(4,1),text,text,bpchar(3),timestamp(3))',
    ]);
  });

  describe('the key', () => {
    it.for([
      ['id integer PRIMARY KEY, code text UNIQUE NOT NULL', '', ['id']],
      ['id integer, code text UNIQUE NOT NULL', '', ['code']],
      ['a integer NOT NULL, b integer NOT NULL, c integer NOT NULL', 'UNIQUE (a, b), UNIQUE (c)', ['c']],
      ['id integer UNIQUE', '', []],
      ['id integer NOT NULL UNIQUE DEFERRABLE', '', []],
      ['id integer NOT NULL', 'EXCLUDE (id WITH =)', []],
    ] as const)('of %s %s', async ([columns, constraint, key]) => {
      await psql(url, `CREATE TABLE t (${columns}${constraint && `, ${constraint}`})`);
      expect((await one('public.t')).schema.key).toEqual(key);
    });

    it.for([
      ['CREATE UNIQUE INDEX ON t (id)', ['id']],
      ['CREATE UNIQUE INDEX ON t (id) INCLUDE (note)', ['id']],
      ['CREATE UNIQUE INDEX ON t (id) WHERE id > 0', []],
      ['CREATE UNIQUE INDEX ON t (abs(id))', []],
      ['CREATE INDEX ON t (id)', []],
    ] as const)('after %s', async ([index, key]) => {
      await psql(url, `CREATE TABLE t (id integer NOT NULL, note text); ${index}`);
      expect((await one('public.t')).schema.key).toEqual(key);
    });
  });

  describe('for a user with few rights', () => {
    let theirs: PostgresSource;
    const role = `few_rights_${process.pid}`;

    beforeEach(async () => {
      await psql(
        url,
        `DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN; CREATE SCHEMA hidden; CREATE TABLE hidden.t (id integer);
         GRANT SELECT ON hidden.t TO ${role}; CREATE TABLE none (id integer); CREATE TABLE part (id integer, secret text);
         GRANT SELECT (id) ON part TO ${role}; INSERT INTO part VALUES (1, 'x'); CREATE TABLE rows (id integer PRIMARY KEY, owner text);
         ALTER TABLE rows ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON rows USING (owner = current_user);
         GRANT SELECT ON rows TO ${role}; INSERT INTO rows VALUES (1, '${role}'), (2, 'other')`,
      );
      const own = new URL(url);
      own.username = role;
      theirs = openSource(own.href);
    });
    afterEach(async () => {
      await theirs.close();
      await psql(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
    });

    it('what cannot be read is listed with the reason', async () => {
      for (const stream of ['hidden.t', 'public.none']) {
        const { problem } = await one(stream, theirs);
        expect(problem).toMatchObject({ code: 'SLUICE-PG-0021', class: 'auth' });
      }
      await expect(
        planRead(theirs, 'public.none')
          .then((read) => planSplits(theirs, read))
          .then(() => 'planned'),
      ).resolves.toBe('planned');
      const read = await planRead(theirs, 'public.none');
      const [split] = await planSplits(theirs, read);
      await expect(readRows(theirs, read, split!)).rejects.toMatchObject({
        class: expect.stringMatching(/auth|contract/),
      });
    });

    it('columns that cannot be read are left out', async () => {
      const { schema, notes } = await one('public.part', theirs);
      expect(schema.fields.map((f) => f.name)).toEqual(['id']);
      expect(notes).toEqual(['left out, since SELECT is missing: secret']);
      const read = await planRead(theirs, 'public.part');
      const [split] = await planSplits(theirs, read);
      expect(await readRows(theirs, read, split!)).toEqual([[1]]);
    });

    it('rows that policies hide are not read, and the plan says so', async () => {
      const { notes } = await one('public.rows', theirs);
      expect(notes).toEqual(['row security is active: rows that the policies hide are not read']);
      const read = await planRead(theirs, 'public.rows');
      const [split] = await planSplits(theirs, read);
      expect(await readRows(theirs, read, split!)).toEqual([[1, role]]);
    });

    it('the identity is the same as for everybody, or says that it is a weaker one', async () => {
      const identity = await theirs.identity(c);
      expect(identity === (await source.identity(c)) || identity.startsWith('postgres:?/')).toBe(true);
    });
  });

  it('tells databases apart, and knows one again by another address', async () => {
    const other = openSource(await server().createDatabase());
    const again = openSource(url.replace('127.0.0.1', 'localhost'));
    const identity = await source.identity(c);
    expect(await again.identity(c)).toBe(identity);
    expect(await other.identity(c)).not.toBe(identity);
    await other.close();
    await again.close();
  });

  it('reads a table without columns, and one that is empty', async () => {
    await psql(
      url,
      'CREATE TABLE bare (); INSERT INTO bare SELECT FROM generate_series(1, 5); CREATE TABLE empty (a integer)',
    );
    for (const [stream, rows] of [
      ['public.bare', 5],
      ['public.empty', 0],
    ] as const) {
      const read = await planRead(source, stream);
      const [split] = await planSplits(source, read);
      expect(await readRows(source, read, split!, { batchRows: 2 })).toHaveLength(rows);
    }
  });

  it('reads a parent table without the rows of its children', async () => {
    await psql(
      url,
      'CREATE TABLE parent (a integer); CREATE TABLE child () INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2)',
    );
    const read = await planRead(source, 'public.parent');
    const [split] = await planSplits(source, read);
    expect(await readRows(source, read, split!)).toEqual([[1]]);
  });

  it('reads rows larger than a batch', async () => {
    await psql(
      url,
      "CREATE TABLE t (id integer, v text); INSERT INTO t SELECT i, repeat('x', i * 700000) FROM generate_series(1, 5) i",
    );
    const read = await planRead(source, 'public.t');
    const [split] = await planSplits(source, read);
    const rows = await readRows(source, read, split!, { batchBytes: 65_536 });
    expect(rows.map(([id, v]) => [id, (v as string).length])).toEqual(
      [1, 2, 3, 4, 5].map((i) => [i, i * 700_000]),
    );
  });
});

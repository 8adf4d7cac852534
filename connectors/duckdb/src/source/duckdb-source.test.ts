/** The source against tables that SQL made. */
import path from 'node:path';
import { type Checkpoint, formatType, type Json, Special, type Value } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import duckdb from '../index.js';
import { sql, testContext, withFolder } from '../testing/harness.js';
import { readAll } from '../testing/read-all.js';

interface Native {
  /** An SQL expression of the type. */
  readonly sql: string;
  readonly type: string;
  readonly value: Value;
  /** DuckDB 1.5 cannot store a view that mentions the type. */
  readonly onlyInTables?: boolean;
  /** Or a table of it. */
  readonly onlyInViews?: boolean;
}

const NATIVES: readonly Native[] = [
  {
    sql: "'-170141183460469231731687303715884105728'::HUGEINT",
    type: 'decimal',
    value: '-170141183460469231731687303715884105728',
  },
  {
    sql: "'340282366920938463463374607431768211455'::UHUGEINT",
    type: 'decimal',
    value: '340282366920938463463374607431768211455',
  },
  {
    sql: "'123456789012345678901234567890123456789012345'::BIGNUM",
    type: 'decimal',
    value: '123456789012345678901234567890123456789012345',
  },
  { sql: "'2024-02-29 01:02:03'::TIMESTAMP_S", type: 'timestamp(us, none)', value: 1_709_168_523_000_000n },
  { sql: "'infinity'::TIMESTAMP_S", type: 'timestamp(us, none)', value: new Special('infinity') },
  {
    sql: "'2024-02-29 01:02:03.004'::TIMESTAMP_MS",
    type: 'timestamp(us, none)',
    value: 1_709_168_523_004_000n,
  },
  {
    sql: "'2024-02-29 01:02:03.000000004'::TIMESTAMP_NS",
    type: 'timestamp(ns, none)',
    value: 1_709_168_523_000_000_004n,
  },
  { sql: "'-infinity'::TIMESTAMPTZ", type: 'timestamp(us, utc)', value: new Special('-infinity') },
  { sql: "'12:30:00+02:30'::TIMETZ", type: 'native(time with time zone)', value: '12:30:00+02:30' },
  { sql: "'010110'::BIT", type: 'native(bit)', value: '010110' },
  { sql: "'b'::ENUM('a', 'b')", type: 'enum("a", "b")', value: 'b', onlyInTables: true },
  { sql: "'5881580-07-10'::DATE", type: 'date', value: 2 ** 31 - 2 },
  { sql: "INTERVAL '300 years'", type: 'interval', value: { months: 3600, days: 0, nanos: 0n } },
  {
    sql: 'to_microseconds(9223372036854775807)',
    type: 'interval',
    value: new Special('0 months 0 days 9223372036854775807 microseconds'),
  },
  { sql: '[1, NULL, 3]::INTEGER[3]', type: 'list<int32>', value: [1, null, 3] },
  {
    sql: "['a', 'b']::ENUM('a', 'b')[]",
    type: 'list<enum("a", "b")>',
    value: ['a', 'b'],
    onlyInTables: true,
  },
  {
    sql: "{'h': 1::HUGEINT, 't': '00:00:00+00'::TIMETZ}",
    type: 'struct<h: decimal, t: native(time with time zone)>',
    value: { h: '1', t: '00:00:00+00' },
  },
  { sql: "MAP {'k': [1::UHUGEINT]}", type: 'map<string, list<decimal>>', value: [['k', ['1']]] },
  { sql: 'union_value(h := 5::HUGEINT)', type: 'union<h: decimal>', value: { tag: 'h', value: '5' } },
  { sql: `'{"a" : 1}'::JSON`, type: 'json', value: '{"a" : 1}' },
  { sql: `['{"a" : 1}'::JSON]`, type: 'list<json>', value: ['{"a" : 1}'] },
  { sql: '42::VARIANT', type: 'native(variant)', value: '42', onlyInViews: true },
  { sql: 'NULL', type: 'int32', value: null, onlyInViews: true },
  { sql: "repeat('x', 100000)", type: 'string', value: 'x'.repeat(100_000) },
];

describe('types that the sink does not make', () => {
  it.each([
    ['table', NATIVES.filter(({ onlyInViews }) => !onlyInViews)],
    ['view', NATIVES.filter(({ onlyInTables }) => !onlyInTables)],
  ])('are read exactly from a %s, also as nulls', async (kind, natives) => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'natives.duckdb');
      const list = natives.map((native, i) => `${native.sql} AS c${i}`).join(', ');
      const rowsOf3 = `SELECT x.* EXCLUDE (i) FROM range(3) r(i) LEFT JOIN (SELECT 1 AS i, ${list}) x USING (i) ORDER BY i`;
      await sql(file, `CREATE ${kind} v AS ${rowsOf3}`, 'SELECT 1');
      const { rows, splits } = await readAll(file, 'main.v');
      expect(splits).toMatchObject([{ volatile: true, spec: { by: kind === 'view' ? 'whole' : 'row' } }]);
      for (const [i, { value, sql: expression }] of natives.entries()) {
        expect(
          rows.map((row) => row[`c${i}`]),
          expression,
        ).toEqual([null, value, null]);
      }
      const source = duckdb.source!.create(duckdb.config.parse({ path: file }));
      const [stream] = (await source.discover(undefined, testContext())).streams;
      expect(stream!.schema.fields.map((f) => formatType(f.type))).toEqual(natives.map(({ type }) => type));
      expect(stream!.types.every(({ verdict }) => verdict !== 'lossy')).toBe(true);
    });
  });
});

const NUMBERS = `CREATE TABLE numbers AS SELECT i::INTEGER AS id, CASE WHEN i % 3 = 0 THEN NULL ELSE repeat(chr(97 + (i % 26)::INT), (i % 40)::INT) END AS t,
  CASE WHEN i % 5 = 0 THEN NULL ELSE list_transform(range(i % 4), x -> (x * i)::VARCHAR || repeat('y', 15)) END AS l FROM range(10000) r(i)`;

function expected(i: number) {
  const t = i % 3 === 0 ? null : String.fromCharCode(97 + (i % 26)).repeat(i % 40);
  const l = i % 5 === 0 ? null : Array.from({ length: i % 4 }, (_, x) => `${x * i}${'y'.repeat(15)}`);
  return { id: i, t, l };
}

function checkpoints(messages: readonly { kind: string }[]): Checkpoint[] {
  return messages.filter((m): m is Checkpoint => m.kind === 'checkpoint');
}

describe('reading', () => {
  it('gives every row once, in batches of any size', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'numbers.duckdb');
      await sql(file, NUMBERS, 'SELECT 1');
      for (const batchRows of [1_000_000, 3_000, 2_048, 777]) {
        const { rows, messages } = await readAll(file, 'main.numbers', { batchRows });
        expect(rows).toEqual(Array.from({ length: 10_000 }, (_, i) => expected(i)));
        const sizes = messages.flatMap((m) => (m.kind === 'batch' ? [m.rowCount] : []));
        expect(Math.max(...sizes)).toBeLessThanOrEqual(batchRows);
        expect(checkpoints(messages).at(-1)).toEqual({ kind: 'checkpoint', position: 10_000, sealed: true });
      }
    });
  });

  it('of a filtered view follows lists to where their items lie', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'numbers.duckdb');
      await sql(
        file,
        NUMBERS,
        'CREATE VIEW chosen AS SELECT * FROM numbers WHERE id % 7 = 3 ORDER BY id DESC',
        'SELECT 1',
      );
      const { rows } = await readAll(file, 'main.chosen', { batchRows: 500 });
      const ids = Array.from({ length: 10_000 }, (_, i) => i).filter((i) => i % 7 === 3);
      expect(rows).toEqual(ids.reverse().map(expected));
    });
  });

  it('goes on from every checkpoint, and ends batches at cuts, with deleted rows in between', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'numbers.duckdb');
      await sql(file, NUMBERS, 'DELETE FROM numbers WHERE id BETWEEN 100 AND 4000', 'SELECT 1');
      const whole = await readAll(file, 'main.numbers', { batchRows: 1_500, cuts: [50, 5_000] });
      const seen: Json[] = [];
      let rows = 0;
      for (const message of whole.messages) {
        if (message.kind === 'batch') rows += message.rowCount;
        if (message.kind !== 'checkpoint' || message.sealed) continue;
        seen.push(message.position);
        const rest = await readAll(file, 'main.numbers', { from: message.position });
        expect(rest.rows).toEqual(whole.rows.slice(rows));
      }
      expect(seen).toContain(50);
      expect(seen).toContain(5_000);
      expect(whole.rows).toHaveLength(10_000 - 3_901);
      const sealed = await readAll(file, 'main.numbers', {
        from: checkpoints(whole.messages).at(-1)!.position,
      });
      expect(sealed.rows).toEqual([]);
    });
  });

  it('of a table with a key can be resumed although rows were deleted and renumbered', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'keyed.duckdb');
      const make = `CREATE TABLE keyed (a VARCHAR, b TIMESTAMPTZ, v INTEGER, PRIMARY KEY (a, b))`;
      const fill = `INSERT INTO keyed SELECT chr(97 + (i % 3)::INT) || '''', make_timestamptz(i), i FROM range(5000) r(i)`;
      await sql(file, make, fill, 'SELECT 1');
      const first = await readAll(file, 'main.keyed', { resumable: true, batchRows: 700 });
      expect(first.splits).toEqual([
        {
          id: 'main.keyed',
          streams: ['main.keyed'],
          phase: 'bulk',
          start: null,
          spec: { by: 'key', key: ['a', 'b'] },
          estimatedRows: 5000,
        },
      ]);
      const third = checkpoints(first.messages)[2]!.position;
      await sql(file, 'DELETE FROM keyed WHERE v % 10 = 0', 'CHECKPOINT', 'SELECT 1');
      const rest = await readAll(file, 'main.keyed', { resumable: true, from: third });
      const kept = first.rows.slice(2_100).filter((row) => (row['v'] as number) % 10 !== 0);
      expect(rest.rows).toEqual(kept);

      const cuts = [checkpoints(first.messages)[4]!.position, third, ["b'", '1970-01-01 00:00:00.001+00']];
      const cut = await readAll(file, 'main.keyed', { resumable: true, cuts });
      const positions = checkpoints(cut.messages).map(({ position }) => position);
      for (const position of cuts) expect(positions).toContainEqual(position);
      expect(cut.rows).toHaveLength(4_500);
    });
  });

  it('of a table without a key for a job that cannot start over has one checkpoint, at the end', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'numbers.duckdb');
      await sql(file, NUMBERS, 'SELECT 1');
      const { splits, messages } = await readAll(file, 'main.numbers', { resumable: true, batchRows: 2_000 });
      expect(splits).toMatchObject([{ volatile: true }]);
      expect(checkpoints(messages)).toEqual([{ kind: 'checkpoint', position: 'end', sealed: true }]);
      expect((await readAll(file, 'main.numbers', { resumable: true, from: 'end' })).rows).toEqual([]);
    });
  });

  it('plans ranges of a large table without counting it', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'large.duckdb');
      await sql(
        file,
        'CREATE TABLE large AS SELECT (i % 100)::TINYINT AS v FROM range(10000000) r(i)',
        'SELECT 1',
      );
      const { splits, messages } = await readAll(file, 'main.large', { batchRows: 65_536 });
      expect(splits.map(({ id, spec }) => [id, spec])).toEqual([
        ['main.large:0', { by: 'row', to: 4_915_200 }],
        ['main.large:4915200', { by: 'row', to: 9_830_400 }],
        ['main.large:9830400', { by: 'row', to: null }],
      ]);
      const counts = messages.map((m) => (m.kind === 'batch' ? m.rowCount : 0));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10_000_000);
    });
  });
});

describe('discovery', () => {
  it('shows tables and views by schema with keys, and says what cannot be read', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'catalog.duckdb');
      await sql(
        file,
        'CREATE SCHEMA sales',
        'CREATE TABLE sales."Or""ders" (id INTEGER PRIMARY KEY, note VARCHAR)',
        'CREATE TABLE gone (a INTEGER)',
        'CREATE VIEW broken AS SELECT a FROM gone',
        'DROP TABLE gone',
        'CREATE TABLE _sluice_commits (job VARCHAR)',
        'SELECT 1',
      );
      const source = duckdb.source!.create(duckdb.config.parse({ path: file }));
      const { streams } = await source.discover(undefined, testContext());
      expect(streams.map(({ schema, problem }) => [schema.stream, schema.key, problem?.code])).toEqual([
        ['main.broken', [], 'SLUICE-DUCKDB-0027'],
        ['sales.Or"ders', ['id'], undefined],
      ]);
      expect(streams[1]!.schema.fields).toMatchObject([
        { name: 'id', nullable: false },
        { name: 'note', nullable: true },
      ]);
      expect((await source.discover(['sales.*'], testContext())).streams).toHaveLength(1);
    });
  });

  it('refuses to read a table whose columns have changed since', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'drift.duckdb');
      await sql(file, 'CREATE TABLE t (a INTEGER, b INTEGER)', 'SELECT 1');
      const c = testContext();
      const source = duckdb.source!.create(duckdb.config.parse({ path: file }));
      const { schema } = (await source.discover(undefined, c)).streams[0]!;
      await sql(file, 'ALTER TABLE t ALTER COLUMN b SET DATA TYPE VARCHAR', 'SELECT 1');
      const read = {
        stream: 'main.t',
        mode: 'full' as const,
        schema,
        generation: 1,
        options: {},
        resumable: false,
      };
      for await (const split of source.splits([read], [], c)) {
        const opened = source.open(
          { split, at: split.start, cuts: [], reads: [read], batchRows: 10, batchBytes: 1000 },
          c,
        );
        await expect(opened).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0026', class: 'contract' });
      }
      await source.close?.();
    });
  });
});

describe('ending', () => {
  it('stops a reader in the middle without waiting for the rest', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'endless.duckdb');
      await sql(file, 'CREATE VIEW endless AS SELECT i FROM range(100000000000) r(i)', 'SELECT 1');
      const c = testContext();
      const source = duckdb.source!.create(duckdb.config.parse({ path: file }));
      const { schema } = (await source.discover(undefined, c)).streams[0]!;
      const read = {
        stream: 'main.endless',
        mode: 'full' as const,
        schema,
        generation: 1,
        options: {},
        resumable: false,
      };
      for await (const split of source.splits([read], [], c)) {
        const reader = await source.open(
          { split, at: null, cuts: [], reads: [read], batchRows: 5_000, batchBytes: 1 << 20 },
          c,
        );
        let batches = 0;
        for await (const message of reader) if (message.kind === 'batch' && ++batches === 3) break;
        await reader.close();
      }
      await source.close?.();
      // The file is free again: another process could write it.
      expect(await sql(file, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    });
  });
});

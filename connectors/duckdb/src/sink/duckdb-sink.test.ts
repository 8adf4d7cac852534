/** What the sink does to tables, and what it remembers. */
import path from 'node:path';
import {
  Batch,
  type Clear,
  type Field,
  field,
  OPS,
  type Op,
  type Row,
  streamSchema,
  types,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import duckdb from '../index.js';
import { type JobOptions, load, SinkJobRun, sql, testContext, withFolder } from '../testing/harness.js';

const FIELDS: readonly Field[] = [
  field('id', types.int32, { nullable: false }),
  field('name', types.string),
  field('n', types.int64),
];
const SCHEMA = streamSchema('people', FIELDS, ['id']);

function people(...rows: readonly (readonly [number, string | null, bigint?])[]): Batch {
  return Batch.ofRows(
    SCHEMA,
    rows.map(([id, name, n]) => ({ id, name, n: n ?? null })),
  );
}

function changes(...rows: readonly (readonly [Op, Row, Row?])[]): Batch {
  const before = rows.some(([, , old]) => old !== undefined)
    ? Batch.ofRows(
        SCHEMA,
        rows.map(([, row, old]) => old ?? row),
      )
    : undefined;
  const op = Uint8Array.from(rows, ([code]) => OPS.indexOf(code));
  return Batch.ofRows(
    SCHEMA,
    rows.map(([, row]) => row),
    { op, ...(before && { before }) },
  );
}

async function inFile(task: (file: string) => Promise<void>): Promise<void> {
  await withFolder((folder) => task(path.join(folder, 'test.duckdb')));
}

function target(file: string, order = 'id'): Promise<{ [column: string]: unknown }[]> {
  return sql(file, `SELECT * FROM main.target ORDER BY ${order}`);
}

describe('append', () => {
  it('adds rows in the order in which they came, over several epochs', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      const writer = await run.writer();
      await writer.write(people([3, 'c'], [1, 'a']));
      await writer.commit(run.epoch(2));
      await writer.write(people([2, 'b']));
      await writer.write(people([1, 'again']));
      await writer.commit(run.epoch({ at: 4 }, true));
      await writer.close();
      await run.end();
      const rows = await sql(file, 'SELECT id, name FROM main.target ORDER BY rowid');
      expect(rows.map((row) => [row['id'], row['name']])).toEqual([
        [3, 'c'],
        [1, 'a'],
        [2, 'b'],
        [1, 'again'],
      ]);
      const [commit] = await sql(file, 'SELECT epoch, generation, position, sealed FROM _sluice_commits');
      expect(commit).toEqual({ epoch: '2', generation: '1', position: '{"at":4}', sealed: true });
    });
  });

  it('forgets what was aborted, and what was not committed when the writer closes', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      const writer = await run.writer();
      await writer.write(people([1, 'aborted']));
      await writer.abort();
      await writer.write(people([2, 'kept']));
      await writer.commit(run.epoch(1));
      await writer.write(people([3, 'left']));
      await writer.close();
      await run.end();
      expect(await target(file)).toEqual([{ id: 2, name: 'kept', n: null }]);
    });
  });

  it('lets several lanes append to one table at once', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      const lanes = await Promise.all(
        [0, 1, 2].map(async (lane) => {
          const split = { ...run.split, id: `people:${lane}` };
          const writer = await run.sink.open(
            { job: run.job, split, generation: 1, tables: [run.plan] },
            run.c,
          );
          if (writer.protocol !== 'atomic') throw new Error('the sink is atomic');
          return { split, writer, lane };
        }),
      );
      await Promise.all(
        lanes.map(async ({ split, writer, lane }) => {
          for (let number = 1; number <= 5; number++) {
            for (let i = 0; i < 4; i++) await writer.write(people([lane * 1000 + number * 10 + i, 'x']));
            const epoch = {
              split,
              number,
              generation: 1,
              fence: 1n,
              version: 0n,
              position: number,
              sealed: number === 5,
            };
            await writer.commit(epoch);
          }
          await writer.close();
        }),
      );
      await run.end();
      expect(await target(file)).toHaveLength(60);
      const commits = await sql(
        file,
        'SELECT split, epoch FROM _sluice_commits WHERE epoch > 0 ORDER BY split',
      );
      expect(commits).toEqual([0, 1, 2].map((lane) => ({ split: `people:${lane}`, epoch: '5' })));
    });
  });

  it('refuses to take rows back', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      const cleared = run.commit([people([1, 'a']), { kind: 'clear', stream: 'people' }]);
      await expect(cleared).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0025' });
      await run.end();
    });
  });
});

describe('upsert', () => {
  it('keeps the last row of each key, and deletes', async () => {
    await inFile(async (file) => {
      const upsert = { write: 'upsert' } as const;
      await load(file, SCHEMA, [people([1, 'a'], [2, 'b'], [3, 'c'])], upsert);
      const run = await SinkJobRun.start(file, SCHEMA, { ...upsert, fence: 2n });
      await run.commit([
        changes(
          ['update', { id: 1, name: 'first' }],
          ['delete', { id: 2 }],
          ['upsert', { id: 4, name: 'd' }],
        ),
        changes(
          ['update', { id: 1, name: 'last' }],
          ['insert', { id: 2, name: 'back' }],
          ['delete', { id: 4 }],
          ['delete', { id: 9 }],
        ),
      ]);
      await run.end();
      expect(await target(file)).toEqual([
        { id: 1, name: 'last', n: null },
        { id: 2, name: 'back', n: null },
        { id: 3, name: 'c', n: null },
      ]);
    });
  });

  it('moves rows whose key changes, also in a circle', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA, { write: 'upsert' });
      await run.commit([people([1, 'a', 1n], [2, 'b', 2n], [3, 'c', 3n])]);
      await run.commit([
        changes(
          ['move', { id: 9, name: 'a', n: 1n }, { id: 1 }],
          ['move', { id: 1, name: 'b', n: 2n }, { id: 2 }],
          ['move', { id: 2, name: 'a', n: 1n }, { id: 9 }],
        ),
      ]);
      await run.end();
      expect(await target(file)).toEqual([
        { id: 1, name: 'b', n: '2' },
        { id: 2, name: 'a', n: '1' },
        { id: 3, name: 'c', n: '3' },
      ]);
    });
  });

  it('takes what a change leaves out from the newest row that has it', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA, { write: 'upsert' });
      await run.commit([people([1, 'a', 1n], [2, 'b', 2n], [3, 'c', 3n])]);
      await run.commit([
        changes(
          ['update', { id: 1, name: UNCHANGED, n: 10n }],
          ['update', { id: 2, name: 'bb', n: UNCHANGED }],
          ['update', { id: 2, name: UNCHANGED, n: null }],
          ['insert', { id: 4, name: 'd', n: 4n }],
          ['update', { id: 4, name: UNCHANGED, n: 40n }],
          ['move', { id: 7, name: UNCHANGED, n: 70n }, { id: 3 }],
          ['update', { id: 7, name: UNCHANGED, n: 71n }],
        ),
      ]);
      await run.end();
      expect(await target(file)).toEqual([
        { id: 1, name: 'a', n: '10' },
        { id: 2, name: 'bb', n: null },
        { id: 4, name: 'd', n: '40' },
        { id: 7, name: 'c', n: '71' },
      ]);
    });
  });

  it('refuses a partial change where there is no row, and leaves everything as it was', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA, { write: 'upsert' });
      await run.commit([people([1, 'a', 1n])]);
      const alone = run.commit([
        changes(['update', { id: 1, n: 5n, name: 'x' }], ['update', { id: 8, name: UNCHANGED, n: 1n }]),
      ]);
      await expect(alone).rejects.toMatchObject({
        code: 'SLUICE-DUCKDB-0016',
        class: 'data',
        details: { key: '8' },
      });
      const afterDelete = run.commit([
        changes(['delete', { id: 1 }], ['update', { id: 1, name: UNCHANGED, n: 1n }]),
      ]);
      await expect(afterDelete).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0016' });
      await run.end();
      expect(await target(file)).toEqual([{ id: 1, name: 'a', n: '1' }]);
    });
  });

  it('clears in its turn, everything or a range of composite keys', async () => {
    await inFile(async (file) => {
      const schema = streamSchema(
        's',
        [field('a', types.string), field('b', types.int64), field('v', types.string)],
        ['a', 'b'],
      );
      const rows = (v: string) =>
        Batch.ofRows(
          schema,
          ['x', 'y'].flatMap((a) => [1n, 2n, 3n].map((b): Row => ({ a, b, v }))),
        );
      const clear = (range?: Clear['range']): Clear => ({
        kind: 'clear',
        stream: 's',
        ...(range && { range }),
      });
      const run = await SinkJobRun.start(file, schema, { write: 'upsert' });
      await run.commit([rows('old'), clear({ from: ['x', '2'], to: ['y', '3'] })]);
      expect(await kept(run, 'SELECT a, b FROM main.target ORDER BY ALL')).toEqual([
        { a: 'x', b: '1' },
        { a: 'y', b: '3' },
      ]);
      await run.commit([clear(), Batch.ofRows(schema, [{ a: 'z', b: 9n, v: 'new' }])]);
      await run.end();
      expect(await target(file, 'a')).toEqual([{ a: 'z', b: '9', v: 'new' }]);
    });
  });

  it.each(['PRIMARY KEY (id)', 'UNIQUE (id)', 'CHECK (id > 0)'])(
    'applies to a table of somebody else with %s',
    async (constraint) => {
      await inFile(async (file) => {
        const make = `CREATE TABLE theirs (n HUGEINT, id BIGINT, name VARCHAR, extra DATE DEFAULT '2024-01-01', ${constraint})`;
        await sql(
          file,
          make,
          'CREATE UNIQUE INDEX by_name ON theirs (name)',
          "INSERT INTO theirs (id, name, extra) VALUES (1, 'old', '1999-09-09'), (2, 'b', NULL)",
          'SELECT 1',
        );
        const upsert = { write: 'upsert', target: 'theirs' } as const;
        const run = await SinkJobRun.start(file, SCHEMA, upsert);
        await run.commit([
          changes(
            ['update', { id: 1, name: 'a' }],
            ['delete', { id: 2 }],
            ['insert', { id: 3, name: 'old' }],
          ),
        ]);
        await run.commit([
          changes(['update', { id: 3, name: 'c' }], ['update', { id: 1, name: UNCHANGED, n: 5n }]),
        ]);
        await run.end();
        const rows = await sql(file, 'SELECT id, name, extra FROM theirs ORDER BY id');
        expect(rows).toEqual([
          { id: '1', name: 'a', extra: '1999-09-09' },
          { id: '3', name: 'c', extra: '2024-01-01' },
        ]);
      });
    },
  );

  it('refuses rows without a key, and streams without one', async () => {
    await inFile(async (file) => {
      const keyless = SinkJobRun.start(file, streamSchema('s', FIELDS), { write: 'upsert' });
      await expect(keyless).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0022' });
      const run = await SinkJobRun.start(file, SCHEMA, { write: 'upsert' });
      const refused = run.commit([Batch.ofRows(SCHEMA, [{ id: null, name: 'x' }])]);
      await expect(refused).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0014', class: 'data' });
      await run.end();
    });
  });

  it('agrees with a plain model for any changes in any batches and epochs', async () => {
    const change = fc.record({
      op: fc.constantFrom<Op>('insert', 'update', 'delete', 'upsert', 'move'),
      id: fc.integer({ min: 0, max: 5 }),
      old: fc.integer({ min: 0, max: 5 }),
      name: fc.option(fc.constantFrom<Value>('a', 'b', UNCHANGED), { nil: null }),
      n: fc.constantFrom<Value>(1n, 2n, null),
    });
    await inFile(async (file) => {
      let number = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 3 }), { maxLength: 3 }),
          async (epochs) => {
            const options: JobOptions = { write: 'upsert', target: `main.t${++number}`, job: `j${number}` };
            const model = new Map<number, Row>();
            const run = await SinkJobRun.start(file, SCHEMA, options);
            try {
              for (const batches of epochs)
                await run.commit(batches.map((rows) => changes(...rows.flatMap((c) => played(model, c)))));
              const rows = await kept(run, `SELECT * FROM main.t${number} ORDER BY id`);
              const wanted = [...model.values()].sort((a, b) => Number(a['id']) - Number(b['id']));
              expect(rows).toEqual(
                wanted.map((row) => ({ ...row, n: row['n'] === null ? null : String(row['n']) })),
              );
            } finally {
              await run.end();
            }
          },
        ),
        { numRuns: 40 },
      );
    });
  });
});

/** Applies a change to the model, and returns it as the source would send it; changes that no database has are left out. */
function played(
  model: Map<number, Row>,
  { op, id, old, name, n }: { op: Op; id: number; old: number; name: Value; n: Value },
): (readonly [Op, Row, Row?])[] {
  const there = model.get(id);
  if (op === 'delete') {
    model.delete(id);
    return [['delete', { id }]];
  }
  if (op === 'move') {
    const from = model.get(old);
    if (from === undefined || (there !== undefined && id !== old)) return [];
    model.delete(old);
    model.set(id, { id, name: name === UNCHANGED ? from['name']! : name, n });
    return [['move', { id, name, n }, { id: old }]];
  }
  const known = name === UNCHANGED ? there?.['name'] : name;
  if (known === undefined) return [];
  model.set(id, { id, name: known, n });
  return [[op, { id, name, n }]];
}

/** Rows as the running process sees them: the file cannot be opened twice. */
async function kept(run: SinkJobRun, query: string): Promise<{ [column: string]: unknown }[]> {
  const { openDatabase } = await import('../database/database.js');
  const config = (run.sink as unknown as { config: Parameters<typeof openDatabase>[0] }).config;
  const lease = await openDatabase(config, true, run.c);
  try {
    return [...(await lease.database.control.rows(query, 'look'))];
  } finally {
    await lease.release();
  }
}

describe('replace', () => {
  const replace = { write: 'replace' } as const;

  it('shows a generation when it is published, and not before', async () => {
    await inFile(async (file) => {
      await load(file, SCHEMA, [people([1, 'old'])], replace);
      const run = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 2, fence: 2n });
      expect(run.plan.publish).toBe('swap');
      await run.commit([people([2, 'new'])]);
      expect(await kept(run, 'SELECT name FROM main.target')).toEqual([{ name: 'old' }]);
      await run.publish();
      expect(await kept(run, 'SELECT name FROM main.target')).toEqual([{ name: 'new' }]);
      await run.publish();
      await run.publish();
      await run.end();
      expect(await target(file)).toEqual([{ id: 2, name: 'new', n: null }]);
      const left = await sql(
        file,
        "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '\\_sluice\\_%\\_g%' ESCAPE '\\'",
      );
      expect(left).toEqual([]);
    });
  });

  it('goes on with a generation that was not published, and drops one that another has passed', async () => {
    await inFile(async (file) => {
      const first = await SinkJobRun.start(file, SCHEMA, replace);
      await first.commit([people([1, 'kept'])]);
      await first.end();
      const second = await SinkJobRun.start(file, SCHEMA, { ...replace, fence: 2n });
      await second.commit([people([2, 'also'])]);
      await second.publish();
      await second.end();
      expect(await target(file)).toHaveLength(2);

      const third = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 2, fence: 3n });
      await third.commit([people([3, 'lost'])]);
      await third.end();
      const fourth = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 3, fence: 4n });
      await fourth.commit([people([4, 'shown'])]);
      await fourth.publish();
      const late = fourth.sink.publish(fourth.job, fourth.plan, 2, { allowEmpty: false }, fourth.c);
      await expect(late).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0012' });
      await fourth.end();
      expect(await target(file)).toEqual([{ id: 4, name: 'shown', n: null }]);
    });
  });

  const hung: readonly (readonly [string, string, RegExp])[] = [
    ['an index', 'CREATE INDEX people_name ON target (name)', /index people_name/],
    ['a default', "ALTER TABLE target ALTER COLUMN name SET DEFAULT 'x'", /default/],
    ['a comment', "COMMENT ON COLUMN target.name IS 'the name'", /comment/],
    ['a column', 'ALTER TABLE target ADD COLUMN mine INTEGER', /no column mine/],
    ['a comment instead of ours', "COMMENT ON TABLE target IS 'my table'", /did not make it/],
    ['a unique index', 'CREATE UNIQUE INDEX u ON target (id)', /index u/],
  ];
  it.each(hung)('refills a table that %s was hung on, and keeps it', async (_, statement, reason) => {
    await inFile(async (file) => {
      await load(file, SCHEMA, [people([1, 'old'], [2, 'old'])], replace);
      await sql(file, statement, 'SELECT 1');
      const run = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 2, fence: 2n });
      expect(run.plan.publish).toBe('refill');
      expect(run.plan.notes?.join()).toMatch(reason);
      await run.commit([people([1, 'new'])]);
      await run.publish();
      await run.publish();
      await run.end();
      expect(await target(file)).toMatchObject([{ id: 1, name: 'new' }]);
      const again = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 3, fence: 3n });
      expect(again.plan.publish).toBe('refill');
      await again.end();
    });
  });

  it('swaps under views, and fills a table of somebody else with a key', async () => {
    await inFile(async (file) => {
      await load(file, SCHEMA, [people([1, 'old'])], replace);
      await sql(file, 'CREATE VIEW names AS SELECT name FROM target', 'SELECT 1');
      await load(file, SCHEMA, [people([2, 'new'])], { ...replace, generation: 2, fence: 2n });
      expect(await sql(file, 'FROM names')).toEqual([{ name: 'new' }]);

      await sql(
        file,
        'CREATE TABLE theirs (id BIGINT PRIMARY KEY, name VARCHAR, n HUGEINT)',
        "INSERT INTO theirs VALUES (7, 'x', 1)",
        'SELECT 1',
      );
      const mine = { ...replace, target: 'main.theirs', job: 'other' };
      await load(file, SCHEMA, [people([7, 'y'], [8, 'z'])], mine);
      expect(await sql(file, 'SELECT id, name FROM theirs ORDER BY id')).toEqual([
        { id: '7', name: 'y' },
        { id: '8', name: 'z' },
      ]);
      const keys = await sql(
        file,
        "SELECT constraint_text FROM duckdb_constraints() WHERE table_name = 'theirs' AND constraint_type = 'PRIMARY KEY'",
      );
      expect(keys).toHaveLength(1);
    });
  });

  it('does not replace rows by none unless it may', async () => {
    await inFile(async (file) => {
      await load(file, SCHEMA, [people([1, 'old'])], replace);
      const run = await SinkJobRun.start(file, SCHEMA, { ...replace, generation: 2, fence: 2n });
      await expect(run.publish()).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0023', class: 'contract' });
      await run.publish(true);
      await run.end();
      expect(await target(file)).toEqual([]);
    });
  });

  it('takes rows of the generation back when the source clears', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA, replace);
      await run.commit([
        people([1, 'a'], [2, 'b'], [3, 'c']),
        { kind: 'clear', stream: 'people', range: { from: 2 } },
        people([2, 'B']),
      ]);
      await run.publish();
      await run.end();
      expect((await target(file)).map((row) => row['name'])).toEqual(['a', 'B']);
    });
  });
});

describe('tables', () => {
  it('of save mode keep get new columns, wider types and fewer NOT NULLs', async () => {
    await inFile(async (file) => {
      await load(file, SCHEMA, [people([1, 'a', 1n])]);
      const fields = [
        field('id', types.int64),
        field('name', types.string),
        field('n', types.decimal(30, 2)),
        field('more', types.list(types.date)),
      ];
      const wider = streamSchema('people', fields);
      const run = await SinkJobRun.start(file, wider, { fence: 2n });
      expect(run.plan.ddl).toEqual([
        'ALTER TABLE "main"."target" ALTER COLUMN "id" SET DATA TYPE BIGINT',
        'ALTER TABLE "main"."target" ALTER COLUMN "id" DROP NOT NULL',
        'ALTER TABLE "main"."target" ALTER COLUMN "n" SET DATA TYPE DECIMAL(30,2)',
        'ALTER TABLE "main"."target" ADD COLUMN "more" DATE[]',
      ]);
      await run.sink.applySchema(run.job, run.plan, 1, run.c);
      await run.commit([Batch.ofRows(wider, [{ id: null, name: 'b', n: '2.50', more: [0] }])]);
      await run.end();
      expect(await sql(file, 'SELECT id, n, more FROM main.target ORDER BY id')).toEqual([
        { id: '1', n: '1.00', more: null },
        { id: null, n: '2.50', more: ['1970-01-01'] },
      ]);
    });
  });

  it('of other shapes are refused, and so are views and names that DuckDB cannot tell apart', async () => {
    await inFile(async (file) => {
      await sql(
        file,
        'CREATE TABLE other (id INTEGER, name DATE)',
        'CREATE TABLE strict (id INTEGER, must INTEGER NOT NULL)',
        'CREATE VIEW v AS SELECT 1 AS id',
        'SELECT 1',
      );
      const starts = (at: string, schema = SCHEMA, options: JobOptions = {}) =>
        SinkJobRun.start(file, schema, { target: at, ...options });
      await expect(starts('other')).rejects.toMatchObject({
        code: 'SLUICE-DUCKDB-0021',
        message: expect.stringMatching(/name is DATE, the rows need VARCHAR/),
      });
      await expect(starts('strict')).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0021' });
      await expect(starts('main.V')).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0020' });
      const twins = streamSchema('s', [field('a', types.int32), field('A', types.int32)]);
      await expect(starts('twins', twins)).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0017' });
      await expect(starts('_sluice_jobs')).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0017' });
      await expect(starts('main.', SCHEMA)).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0017' });
    });
  });

  it('of save modes require, fail and recreate', async () => {
    await inFile(async (file) => {
      const missing = SinkJobRun.start(file, SCHEMA, { save: 'require' });
      await expect(missing).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0019' });
      await load(file, SCHEMA, [people([1, 'a'])], { save: 'fail' });
      await load(file, SCHEMA, [people([2, 'b'])], { save: 'fail', fence: 2n });
      const stranger = SinkJobRun.start(file, SCHEMA, { save: 'fail', job: 'stranger' });
      await expect(stranger).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0020' });
      expect(await target(file)).toHaveLength(2);

      await sql(file, 'CREATE TABLE old (id DATE, junk INTEGER)', 'SELECT 1');
      const anew: JobOptions = { save: 'recreate', target: 'old', job: 'anew' };
      const run = await SinkJobRun.start(file, SCHEMA, anew);
      await run.commit([people([1, 'a'])]);
      await run.sink.applySchema(run.job, run.plan, 1, run.c);
      await run.end();
      expect(await sql(file, 'FROM old')).toEqual([{ id: 1, name: 'a', n: null }]);
      await load(file, SCHEMA, [people([2, 'b'])], { ...anew, generation: 2, fence: 2n });
      expect(await sql(file, 'SELECT name FROM old')).toEqual([{ name: 'b' }]);
    });
  });

  it('with quotes and dots in their names, and in schemas of their own', async () => {
    await inFile(async (file) => {
      const schema = streamSchema(
        's',
        [field('a "b".c', types.int32), field("d'e", types.struct([field('f"g', types.int32)]))],
        ['a "b".c'],
      );
      for (const write of ['append', 'upsert', 'replace'] as const) {
        const at = `br"onze'.${write}.t"x`;
        const batch = Batch.ofRows(schema, [{ 'a "b".c': 1, "d'e": { 'f"g': 2 } }]);
        await load(file, schema, [batch], { write, target: at, job: write });
        const rows = await sql(file, `FROM "br""onze'"."${write}.t""x"`);
        expect(rows).toEqual([{ 'a "b".c': 1, "d'e": { 'f"g': 2 } }]);
      }
    });
  });

  it('are not made by a plan, nor is the file', async () => {
    await inFile(async (file) => {
      const sink = duckdb.sink!.create(duckdb.config.parse({ path: file }));
      const c = testContext();
      const stream = {
        stream: 'people',
        target: 'x.y',
        schema: SCHEMA,
        read: 'full',
        write: 'append',
        save: 'keep',
        options: {},
        encodings: [],
      } as const;
      const [plan] = await sink.plan([stream], c);
      expect(plan).toMatchObject({ exists: false, protocol: 'atomic', publish: 'none' });
      expect(plan!.ddl).toEqual([
        'CREATE SCHEMA IF NOT EXISTS "x"',
        'CREATE TABLE "x"."y" ("id" INTEGER NOT NULL, "name" VARCHAR, "n" BIGINT)',
      ]);
      await sink.check(c);
      const identity = await sink.identity(c);
      await expect(sql(`${file}`, 'SELECT 1 AS there')).resolves.toEqual([{ there: 1 }]);
      expect(await sink.identity(c)).toBe(identity);
      await sink.attach({ id: 'j', source: 's', fence: 1n }, c);
      expect(await sink.identity(c)).toBe(identity);
      await sink.close?.();
    });
  });
});

describe('records', () => {
  it('fence off an older run in the same process, whatever it has open', async () => {
    await inFile(async (file) => {
      const old = await SinkJobRun.start(file, SCHEMA);
      const writer = await old.writer();
      await writer.write(people([1, 'zombie']));
      const young = await SinkJobRun.start(file, SCHEMA, { fence: 2n });
      await expect(writer.commit(old.epoch(1))).rejects.toMatchObject({
        code: 'SLUICE-DUCKDB-0011',
        class: 'contract',
      });
      const verbs = [
        old.sink.adopt(old.job, { streams: {}, splits: {} }, old.c),
        old.sink.applySchema(old.job, old.plan, 1, old.c),
        old.publish(),
      ];
      for (const verb of verbs) await expect(verb).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0011' });
      await young.commit([people([2, 'young'])]);
      await writer.close();
      await old.end();
      await young.end();
      expect(await target(file)).toEqual([{ id: 2, name: 'young', n: null }]);
    });
  });

  it('give the fence as it was found, and are not raised by a lower one', async () => {
    await inFile(async (file) => {
      const c = testContext();
      const sink = duckdb.sink!.create(duckdb.config.parse({ path: file }));
      const attach = (fence: bigint) => sink.attach({ id: 'j', source: 's', fence }, c);
      expect(await attach(5n)).toBeUndefined();
      expect((await attach(7n))?.fence).toBe(5n);
      expect((await attach(6n))?.fence).toBe(7n);
      expect((await attach(7n))?.fence).toBe(7n);
      await sink.close?.();
    });
  });

  it('take a repeated epoch as done, and refuse one of a passed generation', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      const writer = await run.writer();
      const epoch = run.epoch(1);
      await writer.write(people([1, 'once']));
      await writer.commit(epoch);
      await writer.write(people([1, 'once']));
      await writer.commit(epoch);
      const newer = { split: run.split, generation: 2, epoch: 0, position: 0, sealed: false };
      await run.sink.adopt(
        run.job,
        { streams: { people: { generation: 2, published: false } }, splits: { [run.split.id]: newer } },
        run.c,
      );
      await writer.write(people([2, 'late']));
      await expect(writer.commit(run.epoch(2))).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0012' });
      await writer.close();
      await run.end();
      expect(await target(file)).toEqual([{ id: 1, name: 'once', n: null }]);
    });
  });

  it('are never set back by adoption, and forget other generations of adopted streams only', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      await run.commit([people([1, 'a'])], 'far');
      const other = { id: 'other', streams: ['other'], phase: 'bulk' as const, start: 0, spec: null };
      const record = (split: typeof other, generation: number, epoch: number, position: string) => ({
        split,
        generation,
        epoch,
        position,
        sealed: false,
      });
      const adopt = (streams: object, splits: object) =>
        run.sink.adopt(run.job, { streams, splits } as never, run.c);
      await adopt({ other: { generation: 4, published: true } }, { other: record(other, 4, 3, 'there') });
      await adopt(
        { people: { generation: 1, published: false } },
        { 'people:0': record({ ...other, id: 'people:0', streams: ['people'] }, 1, 0, 'near') },
      );
      const attached = await run.sink.attach({ ...run.job, fence: 2n }, run.c);
      expect(attached?.splits['people:0']).toMatchObject({ epoch: 1, position: 'far' });
      expect(attached?.splits['other']).toMatchObject({ epoch: 3, position: 'there' });
      const next = { ...run.job, fence: 2n };
      await run.sink.adopt(
        next,
        { streams: { people: { generation: 2, published: false } }, splits: {} },
        run.c,
      );
      const after = await run.sink.attach(next, run.c);
      expect(after?.streams).toEqual({
        people: { generation: 2, published: false },
        other: { generation: 4, published: true },
      });
      expect(Object.keys(after!.splits)).toEqual(['other']);
      await run.end();
    });
  });
});

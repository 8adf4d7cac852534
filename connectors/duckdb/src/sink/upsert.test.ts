/** Upserting: last rows win, and what they leave out is kept. */
import {
  Batch,
  type Clear,
  field,
  type Op,
  type Row,
  streamSchema,
  types,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JobOptions, load, SinkJobRun, sql } from '../testing/harness.js';
import { changes, FIELDS, inFile, kept, people, SCHEMA, target } from '../testing/people.js';

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

  it('leaves out a partial change where there is no row, and a row that the copy met under two keys', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA, { write: 'upsert' });
      await run.commit([people([1, 'a', 1n], [2, 'b', 2n], [3, 'old', 3n], [4, 'new', 4n])]);
      await run.commit([
        changes(
          ['update', { id: 1, n: 5n, name: 'x' }],
          ['update', { id: 8, name: UNCHANGED, n: 1n }],
          ['delete', { id: 2 }],
          ['update', { id: 2, name: UNCHANGED, n: 1n }],
          ['move', { id: 4, name: UNCHANGED, n: 40n }, { id: 3, name: UNCHANGED, n: UNCHANGED }],
        ),
        changes(['move', { id: 1, name: UNCHANGED, n: 6n }, { id: 1 }]),
      ]);
      await run.end();
      expect(await target(file)).toEqual([
        { id: 1, name: 'x', n: '6' },
        { id: 4, name: 'old', n: '40' },
      ]);
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

/** Many rows of nested and scalar types through the sink and back, in batches of every size. */
import path from 'node:path';
import { Batch, field, type LogicalType, type Row, streamSchema, types, type Value } from '@sluice/sdk';
import { seededRandom } from '@sluice/test';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { load, SinkJobRun, withFolder } from './testing/harness.js';
import { readAll } from './testing/read-all.js';

type Make = (random: () => number) => Value;

const below = (random: () => number, n: number) => Math.floor(random() * n);
const text: Make = (random) => [...'aäß漢😀-'.repeat(below(random, 5))].slice(below(random, 6)).join('');
const maybe =
  (make: Make): Make =>
  (random) =>
    random() < 0.25 ? null : make(random);
const several =
  (make: Make): Make =>
  (random) =>
    Array.from({ length: below(random, 4) }, () => make(random));
const int: Make = (random) => below(random, 1000) - 500;

const COLUMNS: { readonly [name: string]: { readonly type: LogicalType; readonly make: Make } } = {
  b: { type: types.bool, make: maybe((random) => random() < 0.5) },
  i16: { type: types.int16, make: maybe(int) },
  u64: { type: types.uint64, make: maybe((random) => BigInt(below(random, 2 ** 48)) << 16n) },
  d4: {
    type: types.decimal(3, 1),
    make: maybe((random) => (below(random, 99) / 10 - 5).toFixed(1).replace('-0.0', '0.0')),
  },
  d9: { type: types.decimal(9, 2), make: maybe((random) => (below(random, 10_000_000) / 100).toFixed(2)) },
  d38: {
    type: types.decimal(38, 0),
    make: maybe((random) => `-${below(random, 10 ** 15) + 1}${'7'.repeat(20)}`),
  },
  s: { type: types.string, make: maybe(text) },
  u: {
    type: types.uuid,
    make: maybe(
      (random) =>
        `${below(random, 2 ** 32)
          .toString(16)
          .padStart(8, '0')}-0000-4000-8000-${below(random, 2 ** 40)
          .toString(16)
          .padStart(12, '0')}`,
    ),
  },
  ls: { type: types.list(types.string), make: maybe(several(maybe(text))) },
  ll: {
    type: types.list(types.list(types.bool)),
    make: maybe(several(maybe(several(maybe((random) => random() < 0.5))))),
  },
  st: {
    type: types.struct([
      field('n', types.int16),
      field('s', types.string),
      field('l', types.list(types.uint64)),
    ]),
    make: maybe((random) => ({
      n: maybe(int)(random),
      s: maybe(text)(random),
      l: maybe(several((r) => BigInt(below(r, 9))))(random),
    })),
  },
  lst: {
    type: types.list(types.struct([field('a', types.int16), field('t', types.string)])),
    make: maybe(several(maybe((random) => ({ a: maybe(int)(random), t: maybe(text)(random) })))),
  },
  m: {
    type: types.map(types.string, types.list(types.int16)),
    make: maybe((random) =>
      Array.from({ length: below(random, 3) }, (_, i) => [`k${i}`, maybe(several(int))(random)]),
    ),
  },
  un: {
    type: {
      kind: 'union',
      variants: [field('n', types.int16), field('s', types.string), field('l', types.list(types.string))],
    },
    make: maybe(
      (random) =>
        [
          { tag: 'n', value: maybe(int)(random) },
          { tag: 's', value: text(random) },
          { tag: 'l', value: several(text)(random) },
        ][below(random, 3)] as Value,
    ),
  },
};

const SCHEMA = streamSchema(
  's',
  [
    field('id', types.int32, { nullable: false }),
    ...Object.entries(COLUMNS).map(([name, { type }]) => field(name, type)),
  ],
  ['id'],
);

function rowsOf(seed: number, count: number): Row[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, id) => {
    const row: Row = { id };
    for (const [name, { make }] of Object.entries(COLUMNS)) row[name] = make(random);
    return row;
  });
}

it.each(['append', 'upsert', 'replace'] as const)(
  '7,000 rows come back as they were, written by %s',
  async (write) => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'x.duckdb');
      const rows = rowsOf(1, 7_000);
      const whole = Batch.ofRows(SCHEMA, rows);
      const parts: Batch[] = [];
      for (const [from, to] of [
        [0, 1],
        [1, 3_000],
        [3_000, 3_013],
        [3_013, 7_000],
      ] as const) {
        parts.push(whole.select(Uint32Array.from({ length: to - from }, (_, i) => from + i)));
      }
      await load(file, SCHEMA, parts, { write });
      const back = await readAll(file, 'main.target', { resumable: true, key: ['id'], batchRows: 1_999 });
      expect(back.rows).toEqual(rows);
    });
  },
);

it('any rows in any batches come back as they were', async () => {
  await withFolder(async (folder) => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        async (seed, sizes, batchRows) => {
          const file = path.join(folder, `${++number}.duckdb`);
          const rows = rowsOf(
            seed,
            sizes.reduce((sum, size) => sum + size, 0),
          );
          const run = await SinkJobRun.start(file, SCHEMA);
          let from = 0;
          for (const size of sizes) {
            await run.commit([Batch.ofRows(SCHEMA, rows.slice(from, from + size))]);
            from += size;
          }
          await run.end();
          expect((await readAll(file, 'main.target', { batchRows })).rows).toEqual(rows);
        },
      ),
      { numRuns: 15 },
    );
  });
});

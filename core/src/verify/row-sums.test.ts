/** Sums of rows by bucket: whatever differs between two sides is seen, and the order of rows is not. */
import { Batch, field, type Row, streamSchema, type TablePlan, types } from '@sluice/sdk';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BucketSums, groupsOf } from './bucket-sums.js';
import { comparedTable } from './compared-table.js';
import { bucketOf, rowTexts, type Side, wholeText } from './row-texts.js';
import { textDigest } from './text-digest.js';

const fields = [
  field('id', types.int32),
  field('a', types.string),
  field('b', types.string),
  field('n', types.float64),
];

function tableOf(key: readonly string[]) {
  const schema = streamSchema('s', fields, key);
  const plan: TablePlan = {
    stream: 's',
    target: 't',
    write: 'replace',
    protocol: 'atomic',
    schema,
    publish: 'swap',
    exists: true,
    ddl: [],
    types: [],
    detail: {},
  };
  return comparedTable(plan, schema);
}

function sums(rows: readonly Row[], key: readonly string[], side: Side = 'source'): BucketSums {
  const sums = new BucketSums();
  for (const text of rowTexts(tableOf(key), side, Batch.ofRows(streamSchema('s', fields, key), rows)))
    sums.add(bucketOf(text), textDigest(wholeText(text)));
  return sums;
}

const cell = fc.option(fc.string({ maxLength: 3 }), { nil: null });
const number = fc.option(fc.double(), { nil: null });
const rows = fc.uniqueArray(fc.record({ id: fc.nat(50), a: cell, b: cell, n: number }), {
  minLength: 1,
  maxLength: 20,
  selector: ({ id }) => id,
});
const keys = fc.constantFrom<string[]>(['id'], []);

it('are the same in any order', () => {
  fc.assert(
    fc.property(rows, keys, (rows, key) => {
      expect(sums(rows, key).differing(sums([...rows].reverse(), key, 'target')).size).toBe(0);
    }),
  );
});

it('tell a row that is missing, there twice, or has another value in any column', () => {
  fc.assert(
    fc.property(rows, keys, fc.nat(), cell, (rows, key, at, value) => {
      const place = at % rows.length;
      const row = rows[place]!;
      const others = rows.filter((_, i) => i !== place);
      const changed: Row[][] = [others, [...rows, row]];
      if (value !== row.a) changed.push([...others, { ...row, a: value }]);
      if (value !== row.b) changed.push([...others, { ...row, b: value }]);
      if (row.a !== row.b) changed.push([...others, { ...row, a: row.b, b: row.a }]);
      if (!Object.is(row.n, 0.5)) changed.push([...others, { ...row, n: 0.5 }]);
      for (const other of changed) {
        const differing = sums(rows, key).differing(sums(other, key, 'target'));
        expect(differing.size).toBeGreaterThan(0);
        expect(differing.size).toBeLessThanOrEqual(key.length > 0 ? 1 : 2);
      }
    }),
    { numRuns: 40 },
  );
});

it('are looked at again in groups of bounded size', () => {
  const buckets = new Map([
    [1, 4],
    [2, 4],
    [3, 9],
    [4, 1],
    [5, 30],
    [6, 1],
  ]);
  expect(groupsOf(buckets, 10).map((group) => [...group])).toEqual([[1, 2], [3, 4], [5], [6]]);
  expect(groupsOf(new Map(), 10)).toEqual([]);
});

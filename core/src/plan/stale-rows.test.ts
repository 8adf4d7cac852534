/** Which changes of a stream's shape leave rows in the targets that no longer are what the source has. */
import { type Field, field, type ReadMode, streamSchema, type TablePlan, types } from '@sluice/sdk';
import { expect, it } from 'vitest';
import type { KnownSchema } from '../ledger/known-schema.js';
import type { StreamPlan, TargetPlan } from './flow-plan.js';
import { leavesRowsStale } from './stale-rows.js';

const id = field('id', types.int32);
const name = field('name', types.string);

interface Setting {
  readonly filled?: readonly string[];
  readonly arriving?: readonly Field[];
  readonly mode?: ReadMode;
  /** Columns of which it is known what they came with. */
  readonly fills?: readonly string[];
  readonly tables?: readonly Partial<TablePlan>[];
  readonly known?: Partial<KnownSchema>;
}

/** The sinks that have rows are those of the first two tables. */
function stale(known: readonly Field[], now: readonly Field[], setting: Setting = {}): boolean {
  const { filled = [], arriving = now, mode = 'cdc', fills = [], tables = [{}] } = setting;
  const schema = streamSchema('t', [...now], ['id']);
  const out = streamSchema('t', [...arriving], ['id']);
  const read = { stream: 't', mode, schema, generation: 1, options: {}, resumable: false };
  const transform = { out, reads: [], writes: [], rung: 'columns', apply: () => [] } as const;
  const targets = tables.map((table, i): [string, TargetPlan] => [
    `sink ${i}`,
    {
      table: { ...TABLE, schema, ...table },
      casts: [],
      guarantee: 'exactly once',
      rung: 'columns',
      notes: [],
    },
  ]);
  const plan: StreamPlan = {
    stream: 't',
    onFailure: 'stop',
    read,
    reading: { stream: 't', notes: [] },
    catalog: { schema, types: [], filled },
    transforms: [transform],
    fills,
    targets: Object.fromEntries(targets),
  };
  const before = { ...streamSchema('t', [...known], ['id']), ...setting.known };
  return leavesRowsStale(before, plan, new Set(['sink 0', 'sink 1']));
}

const TABLE = {
  stream: 't',
  target: 't',
  write: 'upsert',
  protocol: 'atomic',
  publish: 'none',
  exists: true,
  ddl: [],
  types: [],
  detail: {},
} as const;

it('a column that rows from before may have values in does, one that is null in them does not', () => {
  expect(stale([id], [id, name], { filled: ['id', 'name'] })).toBe(true);
  expect(stale([id], [id, name], { filled: ['id'] })).toBe(false);
  expect(stale([id, name], [id, name], { filled: ['id', 'name'] })).toBe(false);
});

it('a column whose one value all targets take does not, nor does one that only a log of changes is without', () => {
  const came = { filled: ['name'], fills: ['name'] };
  const takes = { fills: ['name'] };
  expect(stale([id], [id, name], { ...came, tables: [takes, takes] })).toBe(false);
  expect(stale([id], [id, name], { ...came, tables: [takes, { fills: [] }] })).toBe(true);
  expect(stale([id], [id, name], { ...came, tables: [takes, {}] })).toBe(true);
  expect(stale([id], [id, name], { ...came, tables: [takes, { write: 'append' }] })).toBe(false);
  expect(stale([id], [id, name], { filled: ['name'], tables: [{ write: 'append' }] })).toBe(true);
});

it('of two such columns both have to be taken', () => {
  const now = [id, name, field('size', types.int32)];
  const tables = [{ fills: ['name', 'size'] }];
  expect(stale([id], now, { filled: ['name', 'size'], fills: ['name', 'size'], tables })).toBe(false);
  expect(stale([id], now, { filled: ['name', 'size'], fills: ['name'], tables })).toBe(true);
});

it('a target that lacks a column which others were filled in has missed its values', () => {
  const known = { filled: ['name'] };
  const lacks = { lacks: ['name'] };
  expect(stale([id, name], [id, name], { known, tables: [{ lacks: [] }, lacks] })).toBe(true);
  expect(stale([id, name], [id, name], { tables: [{ lacks: [] }, lacks] })).toBe(false);
  // One that has nothing yet is about to get all of it.
  expect(stale([id, name], [id, name], { known, tables: [{}, {}, lacks] })).toBe(false);
});

it('a column that only goes does not, and one that goes where another comes may be renamed', () => {
  expect(stale([id, name], [id])).toBe(false);
  expect(stale([id, field('label', types.string)], [id, name])).toBe(true);
});

it('another type does', () => {
  expect(stale([id, field('name', types.int32)], [id, name])).toBe(true);
});

it('a column under a name of a transform does where a new one of the source may be behind it', () => {
  const renamed = [id, field('fullName', types.string)];
  expect(stale([id], [id, name], { arriving: renamed, filled: ['id', 'name'] })).toBe(true);
  expect(stale([id], [id, name], { arriving: renamed, filled: ['id'] })).toBe(false);
});

it('what is read in full or by a cursor is not followed', () => {
  expect(stale([id], [id, name], { filled: ['name'], mode: 'incremental' })).toBe(false);
});

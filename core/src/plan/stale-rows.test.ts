/** Which changes of a stream's shape leave rows in the targets that no longer are what the source has. */
import { type Field, field, type ReadMode, streamSchema, types } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { leavesRowsStale } from './stale-rows.js';

const id = field('id', types.int32);
const name = field('name', types.string);

function stale(
  known: readonly Field[],
  now: readonly Field[],
  {
    filled = [],
    arriving = now,
    mode = 'cdc',
  }: { filled?: string[]; arriving?: readonly Field[]; mode?: ReadMode } = {},
): boolean {
  const schema = streamSchema('t', [...now], ['id']);
  const out = streamSchema('t', [...arriving], ['id']);
  const read = { stream: 't', mode, schema, generation: 1, options: {}, resumable: false };
  const transform = { out, reads: [], writes: [], rung: 'columns', apply: () => [] } as const;
  return leavesRowsStale(streamSchema('t', [...known], ['id']), {
    stream: 't',
    read,
    reading: { stream: 't', notes: [] },
    catalog: { schema, types: [], filled },
    transforms: [transform],
    targets: {},
  });
}

it('a column that rows from before may have values in does, one that is null in them does not', () => {
  expect(stale([id], [id, name], { filled: ['id', 'name'] })).toBe(true);
  expect(stale([id], [id, name], { filled: ['id'] })).toBe(false);
  expect(stale([id, name], [id, name], { filled: ['id', 'name'] })).toBe(false);
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

/** Every built-in transform keeps the rules of transforms, with options of each kind. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { field, type JsonObject, type Row, streamSchema, types } from '@sluice/sdk';
import { type TransformOptions, testTransform } from '@sluice/test';
import { afterAll, expect, it } from 'vitest';
import { transforms } from './index.js';

const schema = streamSchema(
  'public.items',
  [
    field('id', types.int64, { nullable: false }),
    field('n', types.int32, { nullable: false }),
    field('note', types.string),
    field('total', types.decimal(12, 2)),
    field('at', types.timestamp),
    field('tags', types.list(types.string)),
  ],
  ['id'],
);

/** Sixteen rows; n counts 0 to 7, and what may be null is so now and then. */
const rows: readonly Row[] = Array.from({ length: 16 }, (_, i) => ({
  id: BigInt(i + 1),
  n: i % 8,
  note: i % 5 === 3 ? null : `note ${i} é`,
  total: i % 7 === 2 ? null : `${i * 3}.${10 + i}`,
  at: i % 6 === 4 ? null : 1_700_000_000_000_000n + BigInt(i) * 86_400_000_001n,
  tags: i % 4 === 1 ? null : Array.from({ length: i % 3 }, (_, at) => `t${at}`),
}));

const cwd = mkdtempSync(join(tmpdir(), 'sluice-transforms-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function moduleOf(name: string, text: string): string {
  writeFileSync(join(cwd, name), text);
  return `./${name}`;
}

const judged = new Set<string>();

function judge(name: string, options: JsonObject, more: Partial<TransformOptions> = {}): void {
  judged.add(name);
  testTransform({ transform: transforms[name]!, options, schema, rows, cwd, ...more });
}

const shape = (row: Row, names: readonly string[]): Row =>
  Object.fromEntries(names.map((name) => [name, row[name]!]));
const key = 'sixteen bytes or more';

judge(
  'select',
  { columns: ['note', 'id'] },
  {
    expected: rows.map((row) => shape(row, ['note', 'id'])),
    refuses: [{ columns: ['note'] }, { columns: ['nope', 'id'] }],
  },
);
judge('select', { columns: ['n'], dropKey: true });
judge('drop', { columns: ['tags'] }, { refuses: [{ columns: ['id'] }, { columns: ['nope'] }] });
judge(
  'rename',
  { columns: { id: 'no', note: 'n', n: 'note' }, prefix: 'x_' },
  { refuses: [{ columns: { n: 'note' } }] },
);
judge(
  'cast',
  { columns: { n: 'int8', total: 'string' } },
  {
    expected: rows.map((row) => ({ ...row })),
    rejects: [{ ...rows[0]!, n: 128 }],
    refuses: [{ columns: { tags: 'bool' } }, { columns: { n: 'no such type' } }],
  },
);
judge('cast', { columns: { id: 'string' } });
judge(
  'default',
  { columns: { note: 'none', total: '0.00' } },
  {
    expected: rows.map((row) => ({ ...row, note: row['note'] ?? 'none', total: row['total'] ?? '0.00' })),
    refuses: [{ columns: { total: 'x' } }],
  },
);
judge(
  'filter',
  { where: 'n > 3' },
  {
    expected: rows.filter(({ n }) => (n as number) > 3),
    refuses: [{ where: 'm > 3' }, { where: 'n >' }, { where: 'n' }],
  },
);
judge(
  'filter',
  { where: 'note.endsWith("é") && 10 / n > 2' },
  { rows: rows.filter(({ n }) => n !== 0), rejects: [{ ...rows[1]!, n: 0 }] },
);
judge(
  'compute',
  { columns: { twice: 'n * 2', net: { expression: 'round(total / 1.19, 2)', type: 'decimal(12,2)' } } },
  { refuses: [{ columns: { x: 'nope' } }] },
);
judge(
  'compute',
  { columns: { ratio: '10 / n' } },
  { rows: rows.filter(({ n }) => n !== 0), rejects: [{ ...rows[1]!, n: 0 }] },
);
judge('compute', { columns: { id: 'id * 100 + n' } });
judge(
  'mask',
  { columns: { note: 'partial', total: { method: 'redact' } } },
  { refuses: [{ columns: { id: 'redact' } }, { columns: { note: 'hmac' } }] },
);
judge('mask', { columns: { id: 'hmac', note: 'hmac' }, key });
judge(
  'hash',
  { columns: ['id', 'note'], into: 'digest' },
  { refuses: [{ columns: ['nope'], into: 'digest' }] },
);
judge('hash', { columns: ['n', 'id'], into: 'row_key', key: true });
judge(
  'metadata',
  {
    columns: { _stream: 'stream', _at: 'loaded_at', _op: 'op', _gone: 'deleted' },
    loadedAt: '2024-02-29T13:45:00Z',
  },
  { ofChange: ['_op', '_gone'], refuses: [{ columns: { n: 'op' } }] },
);
judge(
  'js',
  {
    module: moduleOf(
      'shout.mjs',
      'export default (row) => ({ ...row, note: row.note?.toUpperCase() ?? null });',
    ),
  },
  {
    refuses: [{ module: './nope.mjs' }],
  },
);
judge('js', {
  module: moduleOf(
    'each.mjs',
    `export const schema = { id: 'int64', part: 'int32', note: 'string' };
    export default ({ id, n, note }) => Array.from({ length: n % 4 }, (_, part) => ({ id, part, note }));`,
  ),
  key: ['id', 'part'],
});
judge(
  'js',
  {
    module: moduleOf(
      'strict.mjs',
      'export default (row) => { if (row.n < 0) throw new Error("below"); return row; };',
    ),
  },
  { rejects: [{ ...rows[0]!, n: -1 }] },
);
judge('route', { to: 'archive.{name}' });
judge(
  'route',
  {
    by: [
      { where: 'n > 4', to: 'big' },
      { where: 'n > 2', to: 'middle' },
    ],
    else: null,
  },
  {
    expected: {
      'public.items → big': rows.filter(({ n }) => (n as number) > 4),
      'public.items → middle': rows.filter(({ n }) => n === 3 || n === 4),
    },
  },
);

it('leaves none out', () => {
  expect(judged).toEqual(new Set(Object.keys(transforms)));
});

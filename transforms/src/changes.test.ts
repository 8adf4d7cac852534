/**
 * What every transform makes of every kind of change. A line is a change and what comes of it: op, id (the key), n and
 * note, `_` for what was not sent (UNCHANGED); behind `<-` the row as it was before. Of what comes out, the row before
 * is shown for moves alone, as there it is the key that the target has; of routed rows, where they go.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Batch,
  type BoundTransform,
  field,
  isSluiceError,
  type NeededValues,
  OPS,
  type Op,
  type Row,
  streamSchema,
  types,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bindTransform } from './testing.js';

const schema = streamSchema(
  'items',
  [field('id', types.int64, { nullable: false }), field('n', types.int32), field('note', types.string)],
  ['id'],
);

interface Change {
  readonly op: Op;
  readonly row: Row;
  readonly before?: Row;
}

const value = (text: string, read: (text: string) => Value): Value =>
  text === '_' ? UNCHANGED : text === 'null' ? null : read(text);

function rowOf(words: readonly string[]): Row {
  const [id = '_', n = '_', note = '_'] = words;
  return { id: value(id, BigInt), n: value(n, Number), note: value(note, String) };
}

/** `update 1 5 _ <- 1 3 a` */
function changeOf(text: string): Change {
  const [now = '', before] = text.split('<-').map((part) => part.trim());
  const [op, ...words] = now.split(' ');
  const row = rowOf(words);
  return { op: op as Op, row, ...(before !== undefined && { before: rowOf(before.split(' ')) }) };
}

function batchOf(changes: readonly Change[]): Batch {
  const images = changes.map(({ before }) => before ?? rowOf([]));
  const before = changes.some(({ before }) => before) && { before: Batch.ofRows(schema, images) };
  const rows = changes.map(({ row }) => row);
  const op = Uint8Array.from(changes, (change) => OPS.indexOf(change.op));
  return Batch.ofRows(schema, rows, { op, ...before });
}

const shown = (one: Value | undefined) =>
  one === UNCHANGED ? '_' : typeof one === 'string' && one.length === 64 ? one.slice(0, 4) : String(one);

/** What came out, a line a row. */
function lines(batches: readonly Batch[]): string[] {
  return batches.flatMap((batch) => {
    const { stream, fields, key } = batch.schema;
    const route = stream === schema.stream ? [] : [`${stream.replace(/^.* → /, '')}:`];
    return batch.rows().map((row, i) => {
      const op = batch.opAt(i);
      const old = op === 'move' ? ['<-', ...key.map((name) => shown(batch.before!.rows()[i]![name]))] : [];
      return [...route, op, ...fields.map(({ name }) => shown(row[name])), ...old].join(' ');
    });
  });
}

function outcome(bound: BoundTransform, changes: readonly Change[]): string {
  try {
    return lines(bound.apply(batchOf(changes))).join('; ') || 'nothing';
  } catch (error) {
    if (isSluiceError(error)) return `refused: ${error.code}`;
    throw error;
  }
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-changes-'));
  for (const [name, body] of Object.entries(MODULES)) {
    writeFileSync(join(folder, `${name}.mjs`), `export default (row) => ${body};`);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MODULES = {
  shout: '({ ...row, note: row.note.toUpperCase() })',
  big: 'row.n > 4 ? row : null',
  rekeyed: '({ ...row, id: row.id * 10n + BigInt(row.n) })',
  each: 'Array.from({ length: row.n - 2 }, (_, i) => ({ ...row, id: row.id * 10n + BigInt(i) }))',
};

/** Each change by itself, and all that are not refused in one batch. */
function table(transform: string, options: object, text: string): void {
  it(`${transform} ${JSON.stringify(options)}`, async () => {
    const bound = await bindTransform(transform, schema, options, folder);
    const cases = text
      .trim()
      .split('\n')
      .map((line) => line.split('|').map((part) => part.trim()) as [string, string]);
    const found = cases.map(([change]) => [change, outcome(bound, [changeOf(change)])]);
    expect(found).toEqual(cases);
    const good = cases.filter(([, made]) => !made.startsWith('refused'));
    const together = outcome(
      bound,
      good.map(([change]) => changeOf(change)),
    );
    const made = good.map(([, one]) => one).filter((one) => one !== 'nothing');
    const sorted = (text: string) => text.split('; ').sort();
    expect(sorted(together)).toEqual(sorted(made.join('; ')));
  });
}

table(
  'select',
  { columns: ['note', 'id'] },
  `
insert 1 5 b                | insert b 1
update 1 5 b <- 1 3 a       | update b 1
update 1 5 b                | update b 1
update 1 5 _ <- 1 3 a       | update _ 1
update 1 5 _                | update _ 1
upsert 1 5 b <- 1 3 a       | upsert b 1
upsert 1 5 b                | upsert b 1
upsert 1 5 _                | upsert _ 1
move 2 5 b <- 1 3 a         | move b 2 <- 1
move 2 5 b <- 1 _ _         | move b 2 <- 1
move 2 5 _ <- 1 3 a         | move _ 2 <- 1
move 2 5 _ <- 1 _ _         | move _ 2 <- 1
delete 1 3 a <- 1 3 a       | delete a 1
delete 1 _ _ <- 1 3 a       | delete _ 1
delete 1 null null <- 1 _ _ | delete null 1
delete 1 _ _                | delete _ 1
`,
);

table(
  'drop',
  { columns: ['n'] },
  `
insert 1 5 b                | insert 1 b
update 1 5 b <- 1 3 a       | update 1 b
update 1 5 b                | update 1 b
update 1 5 _ <- 1 3 a       | update 1 _
update 1 5 _                | update 1 _
upsert 1 5 b <- 1 3 a       | upsert 1 b
upsert 1 5 b                | upsert 1 b
upsert 1 5 _                | upsert 1 _
move 2 5 b <- 1 3 a         | move 2 b <- 1
move 2 5 b <- 1 _ _         | move 2 b <- 1
move 2 5 _ <- 1 3 a         | move 2 _ <- 1
move 2 5 _ <- 1 _ _         | move 2 _ <- 1
delete 1 3 a <- 1 3 a       | delete 1 a
delete 1 _ _ <- 1 3 a       | delete 1 _
delete 1 null null <- 1 _ _ | delete 1 null
delete 1 _ _                | delete 1 _
`,
);

table(
  'rename',
  { columns: { id: 'number' } },
  `
insert 1 5 b                | insert 1 5 b
update 1 5 b <- 1 3 a       | update 1 5 b
update 1 5 b                | update 1 5 b
update 1 5 _ <- 1 3 a       | update 1 5 _
update 1 5 _                | update 1 5 _
upsert 1 5 b <- 1 3 a       | upsert 1 5 b
upsert 1 5 b                | upsert 1 5 b
upsert 1 5 _                | upsert 1 5 _
move 2 5 b <- 1 3 a         | move 2 5 b <- 1
move 2 5 b <- 1 _ _         | move 2 5 b <- 1
move 2 5 _ <- 1 3 a         | move 2 5 _ <- 1
move 2 5 _ <- 1 _ _         | move 2 5 _ <- 1
delete 1 3 a <- 1 3 a       | delete 1 3 a
delete 1 _ _ <- 1 3 a       | delete 1 _ _
delete 1 null null <- 1 _ _ | delete 1 null null
delete 1 _ _                | delete 1 _ _
`,
);

table(
  'cast',
  { columns: { id: 'string', n: 'decimal(3,1)' } },
  `
insert 1 5 b                | insert 1 5.0 b
update 1 5 b <- 1 3 a       | update 1 5.0 b
update 1 5 b                | update 1 5.0 b
update 1 5 _ <- 1 3 a       | update 1 5.0 _
update 1 5 _                | update 1 5.0 _
upsert 1 5 b <- 1 3 a       | upsert 1 5.0 b
upsert 1 5 b                | upsert 1 5.0 b
upsert 1 5 _                | upsert 1 5.0 _
move 2 5 b <- 1 3 a         | move 2 5.0 b <- 1
move 2 5 b <- 1 _ _         | move 2 5.0 b <- 1
move 2 5 _ <- 1 3 a         | move 2 5.0 _ <- 1
move 2 5 _ <- 1 _ _         | move 2 5.0 _ <- 1
delete 1 3 a <- 1 3 a       | delete 1 3.0 a
delete 1 _ _ <- 1 3 a       | delete 1 _ _
delete 1 null null <- 1 _ _ | delete 1 null null
delete 1 _ _                | delete 1 _ _
`,
);

table(
  'default',
  { columns: { id: 7, note: '-' } },
  `
insert null 5 null                | insert 7 5 -
update 1 5 null <- 1 3 a          | update 1 5 -
update 1 5 null                   | update 1 5 -
update 1 5 _ <- 1 3 null          | update 1 5 _
update 1 5 _                      | update 1 5 _
upsert 1 5 null <- 1 3 a          | upsert 1 5 -
upsert 1 5 null                   | upsert 1 5 -
upsert 1 5 _                      | upsert 1 5 _
move null 5 b <- 1 3 a            | move 7 5 b <- 1
move 1 5 b <- null 3 a            | move 1 5 b <- 7
move null 5 b <- 7 3 a            | update 7 5 b
move null 5 null <- 1 _ _         | move 7 5 - <- 1
delete null 3 null <- null 3 null | delete 7 3 null
delete null _ _ <- null 3 a       | delete 7 _ _
delete null _ _                   | delete 7 _ _
`,
);

// what matches now, and did not before
table(
  'filter',
  { where: 'n > 4' },
  `
insert 1 5 b                | insert 1 5 b
update 1 5 b <- 1 3 a       | upsert 1 5 b
update 1 5 b                | update 1 5 b
update 1 5 _ <- 1 3 a       | upsert 1 5 a
update 1 5 _                | update 1 5 _
upsert 1 5 b <- 1 3 a       | upsert 1 5 b
upsert 1 5 b                | upsert 1 5 b
upsert 1 5 _                | upsert 1 5 _
move 2 5 b <- 1 3 a         | upsert 2 5 b
move 2 5 b <- 1 _ _         | move 2 5 b <- 1
move 2 5 _ <- 1 3 a         | upsert 2 5 a
move 2 5 _ <- 1 _ _         | move 2 5 _ <- 1
delete 1 3 a <- 1 3 a       | delete 1 3 a
delete 1 _ _ <- 1 3 a       | delete 1 _ _
delete 1 null null <- 1 _ _ | delete 1 null null
delete 1 _ _                | delete 1 _ _
`,
);

// what matched before, and does not now
table(
  'filter',
  { where: 'n < 4' },
  `
insert 1 5 b                | nothing
update 1 5 b <- 1 3 a       | delete 1 3 a
update 1 5 b                | delete 1 _ _
update 1 5 _ <- 1 3 a       | delete 1 3 a
update 1 5 _                | delete 1 _ _
upsert 1 5 b <- 1 3 a       | delete 1 3 a
upsert 1 5 b                | delete 1 _ _
upsert 1 5 _                | delete 1 _ _
move 2 5 b <- 1 3 a         | delete 1 3 a
move 2 5 b <- 1 _ _         | delete 1 _ _
move 2 5 _ <- 1 3 a         | delete 1 3 a
move 2 5 _ <- 1 _ _         | delete 1 _ _
delete 1 3 a <- 1 3 a       | delete 1 3 a
delete 1 _ _ <- 1 3 a       | delete 1 _ _
delete 1 null null <- 1 _ _ | delete 1 null null
delete 1 _ _                | delete 1 _ _
`,
);

// what never matched
table(
  'filter',
  { where: 'n < 1' },
  `
insert 1 5 b                | nothing
update 1 5 b <- 1 3 a       | nothing
update 1 5 b                | delete 1 _ _
update 1 5 _ <- 1 3 a       | nothing
update 1 5 _                | delete 1 _ _
upsert 1 5 b <- 1 3 a       | nothing
upsert 1 5 b                | delete 1 _ _
upsert 1 5 _                | delete 1 _ _
move 2 5 b <- 1 3 a         | nothing
move 2 5 b <- 1 _ _         | delete 1 _ _
move 2 5 _ <- 1 3 a         | nothing
move 2 5 _ <- 1 _ _         | delete 1 _ _
delete 1 3 a <- 1 3 a       | delete 1 3 a
delete 1 _ _ <- 1 3 a       | delete 1 _ _
delete 1 null null <- 1 _ _ | delete 1 null null
delete 1 _ _                | delete 1 _ _
`,
);

// what moves out
table(
  'filter',
  { where: 'id < 2' },
  `
insert 1 5 b                | insert 1 5 b
update 1 5 b <- 1 3 a       | update 1 5 b
update 1 5 b                | update 1 5 b
update 1 5 _ <- 1 3 a       | update 1 5 _
update 1 5 _                | update 1 5 _
upsert 1 5 b <- 1 3 a       | upsert 1 5 b
upsert 1 5 b                | upsert 1 5 b
upsert 1 5 _                | upsert 1 5 _
move 2 5 b <- 1 3 a         | delete 1 3 a
move 2 5 b <- 1 _ _         | delete 1 _ _
move 2 5 _ <- 1 3 a         | delete 1 3 a
move 2 5 _ <- 1 _ _         | delete 1 _ _
delete 1 3 a <- 1 3 a       | delete 1 3 a
delete 1 _ _ <- 1 3 a       | delete 1 _ _
delete 1 null null <- 1 _ _ | delete 1 null null
delete 1 _ _                | delete 1 _ _
`,
);

// what moves in
table(
  'filter',
  { where: 'id > 1' },
  `
insert 1 5 b                | nothing
update 1 5 b <- 1 3 a       | nothing
update 1 5 b                | delete 1 _ _
update 1 5 _ <- 1 3 a       | nothing
update 1 5 _                | delete 1 _ _
upsert 1 5 b <- 1 3 a       | nothing
upsert 1 5 b                | delete 1 _ _
upsert 1 5 _                | delete 1 _ _
move 2 5 b <- 1 3 a         | upsert 2 5 b
move 2 5 b <- 1 _ _         | upsert 2 5 b
move 2 5 _ <- 1 3 a         | upsert 2 5 a
move 2 5 _ <- 1 _ _         | upsert 2 5 _
delete 1 3 a <- 1 3 a       | delete 1 3 a
delete 1 _ _ <- 1 3 a       | delete 1 _ _
delete 1 null null <- 1 _ _ | delete 1 null null
delete 1 _ _                | delete 1 _ _
`,
);

// reading what may be UNCHANGED
table(
  'filter',
  { where: 'note == "b"' },
  `
insert 1 5 b                | insert 1 5 b
update 1 5 b <- 1 3 a       | upsert 1 5 b
update 1 5 b                | update 1 5 b
update 1 5 _ <- 1 3 a       | nothing
update 1 5 _                | refused: SLUICE-EXPR-0005
upsert 1 5 b <- 1 3 a       | upsert 1 5 b
upsert 1 5 b                | upsert 1 5 b
upsert 1 5 _                | refused: SLUICE-EXPR-0005
move 2 5 b <- 1 3 a         | upsert 2 5 b
move 2 5 b <- 1 _ _         | move 2 5 b <- 1
move 2 5 _ <- 1 3 a         | nothing
move 2 5 _ <- 1 _ _         | refused: SLUICE-EXPR-0005
delete 1 3 a <- 1 3 a       | delete 1 3 a
delete 1 _ _ <- 1 3 a       | delete 1 _ _
delete 1 null null <- 1 _ _ | delete 1 null null
delete 1 _ _                | delete 1 _ _
`,
);

table(
  'compute',
  { columns: { note: 'upper(note)' } },
  `
insert 1 5 b                | insert 1 5 B
update 1 5 b <- 1 3 a       | update 1 5 B
update 1 5 b                | update 1 5 B
update 1 5 _ <- 1 3 a       | update 1 5 A
update 1 5 _                | update 1 5 _
upsert 1 5 b <- 1 3 a       | upsert 1 5 B
upsert 1 5 b                | upsert 1 5 B
upsert 1 5 _                | upsert 1 5 _
move 2 5 b <- 1 3 a         | move 2 5 B <- 1
move 2 5 b <- 1 _ _         | move 2 5 B <- 1
move 2 5 _ <- 1 3 a         | move 2 5 A <- 1
move 2 5 _ <- 1 _ _         | move 2 5 _ <- 1
delete 1 3 a <- 1 3 a       | delete 1 3 A
delete 1 _ _ <- 1 3 a       | delete 1 _ A
delete 1 null null <- 1 _ _ | delete 1 null _
delete 1 _ _                | delete 1 _ _
`,
);

table(
  'compute',
  { columns: { note: 'note + string(n)' } },
  `
insert 1 5 b                | insert 1 5 b5
update 1 5 b <- 1 3 a       | update 1 5 b5
update 1 5 b                | update 1 5 b5
update 1 5 _ <- 1 3 a       | update 1 5 a5
update 1 5 _                | refused: SLUICE-EXPR-0005
upsert 1 5 b <- 1 3 a       | upsert 1 5 b5
upsert 1 5 b                | upsert 1 5 b5
upsert 1 5 _                | refused: SLUICE-EXPR-0005
move 2 5 b <- 1 3 a         | move 2 5 b5 <- 1
move 2 5 b <- 1 _ _         | move 2 5 b5 <- 1
move 2 5 _ <- 1 3 a         | move 2 5 a5 <- 1
move 2 5 _ <- 1 _ _         | refused: SLUICE-EXPR-0005
delete 1 3 a <- 1 3 a       | delete 1 3 a3
delete 1 _ _ <- 1 3 a       | delete 1 _ a3
delete 1 null null <- 1 _ _ | delete 1 null _
delete 1 _ _                | delete 1 _ _
`,
);

// a key of the key
table(
  'compute',
  { columns: { id: 'id * 10' } },
  `
insert 1 5 b                | insert 10 5 b
update 1 5 b <- 1 3 a       | update 10 5 b
update 1 5 b                | update 10 5 b
update 1 5 _ <- 1 3 a       | update 10 5 _
update 1 5 _                | update 10 5 _
upsert 1 5 b <- 1 3 a       | upsert 10 5 b
upsert 1 5 b                | upsert 10 5 b
upsert 1 5 _                | upsert 10 5 _
move 2 5 b <- 1 3 a         | move 20 5 b <- 10
move 2 5 b <- 1 _ _         | move 20 5 b <- 10
move 2 5 _ <- 1 3 a         | move 20 5 _ <- 10
move 2 5 _ <- 1 _ _         | move 20 5 _ <- 10
delete 1 3 a <- 1 3 a       | delete 10 3 a
delete 1 _ _ <- 1 3 a       | delete 10 _ _
delete 1 null null <- 1 _ _ | delete 10 null null
delete 1 _ _                | delete 10 _ _
`,
);

table(
  'compute',
  { columns: { id: 'id / 10' } },
  `
insert 1 5 b                | insert 0 5 b
update 1 5 b <- 1 3 a       | update 0 5 b
update 1 5 b                | update 0 5 b
update 1 5 _ <- 1 3 a       | update 0 5 _
update 1 5 _                | update 0 5 _
upsert 1 5 b <- 1 3 a       | upsert 0 5 b
upsert 1 5 b                | upsert 0 5 b
upsert 1 5 _                | upsert 0 5 _
move 2 5 b <- 1 3 a         | update 0 5 b
move 2 5 b <- 1 _ _         | update 0 5 b
move 2 5 _ <- 1 3 a         | update 0 5 _
move 2 5 _ <- 1 _ _         | update 0 5 _
delete 1 3 a <- 1 3 a       | delete 0 3 a
delete 1 _ _ <- 1 3 a       | delete 0 _ _
delete 1 null null <- 1 _ _ | delete 0 null null
delete 1 _ _                | delete 0 _ _
`,
);

// a key of other columns
table(
  'compute',
  { columns: { id: 'id * 10 + n' } },
  `
insert 1 5 b                | insert 15 5 b
update 1 5 b <- 1 3 a       | move 15 5 b <- 13
update 1 5 b                | refused: SLUICE-EXPR-0005
update 1 5 _ <- 1 3 a       | move 15 5 _ <- 13
update 1 5 _                | refused: SLUICE-EXPR-0005
upsert 1 5 b <- 1 3 a       | move 15 5 b <- 13
upsert 1 5 b                | upsert 15 5 b
upsert 1 5 _                | upsert 15 5 _
move 2 5 b <- 1 3 a         | move 25 5 b <- 13
move 2 5 b <- 1 _ _         | refused: SLUICE-EXPR-0005
move 2 5 _ <- 1 3 a         | move 25 5 _ <- 13
move 2 5 _ <- 1 _ _         | refused: SLUICE-EXPR-0005
delete 1 3 a <- 1 3 a       | delete 13 3 a
delete 1 _ _ <- 1 3 a       | delete 13 _ _
delete 1 null null <- 1 _ _ | refused: SLUICE-EXPR-0005
delete 1 _ _                | refused: SLUICE-EXPR-0005
`,
);

table(
  'compute',
  { columns: { id: 'note' } },
  `
insert 1 5 b                | insert b 5 b
update 1 5 b <- 1 3 a       | move b 5 b <- a
update 1 5 b                | refused: SLUICE-EXPR-0005
update 1 5 _ <- 1 3 a       | update a 5 _
update 1 5 _                | refused: SLUICE-EXPR-0005
upsert 1 5 b <- 1 3 a       | move b 5 b <- a
upsert 1 5 b                | upsert b 5 b
upsert 1 5 _                | refused: SLUICE-EXPR-0005
move 2 5 b <- 1 3 a         | move b 5 b <- a
move 2 5 b <- 1 _ _         | refused: SLUICE-EXPR-0005
move 2 5 _ <- 1 3 a         | update a 5 _
move 2 5 _ <- 1 _ _         | refused: SLUICE-EXPR-0005
delete 1 3 a <- 1 3 a       | delete a 3 a
delete 1 _ _ <- 1 3 a       | delete a _ _
delete 1 null null <- 1 _ _ | refused: SLUICE-EXPR-0005
delete 1 _ _                | refused: SLUICE-EXPR-0005
`,
);

table(
  'mask',
  { columns: { id: 'hmac', note: 'redact' }, key: 'sixteen characters' },
  `
insert 1 5 b                | insert d886 5 ***
update 1 5 b <- 1 3 a       | update d886 5 ***
update 1 5 b                | update d886 5 ***
update 1 5 _ <- 1 3 a       | update d886 5 _
update 1 5 _                | update d886 5 _
upsert 1 5 b <- 1 3 a       | upsert d886 5 ***
upsert 1 5 b                | upsert d886 5 ***
upsert 1 5 _                | upsert d886 5 _
move 2 5 b <- 1 3 a         | move 9d71 5 *** <- d886
move 2 5 b <- 1 _ _         | move 9d71 5 *** <- d886
move 2 5 _ <- 1 3 a         | move 9d71 5 _ <- d886
move 2 5 _ <- 1 _ _         | move 9d71 5 _ <- d886
delete 1 3 a <- 1 3 a       | delete d886 3 ***
delete 1 _ _ <- 1 3 a       | delete d886 _ _
delete 1 null null <- 1 _ _ | delete d886 null ***
delete 1 _ _                | delete d886 _ _
`,
);

table(
  'hash',
  { columns: ['n', 'note'], into: 'digest' },
  `
insert 1 5 b                | insert 1 5 b 3057
update 1 5 b <- 1 3 a       | update 1 5 b 3057
update 1 5 b                | update 1 5 b 3057
update 1 5 _ <- 1 3 a       | update 1 5 _ b9f6
update 1 5 _                | refused: SLUICE-EXPR-0005
upsert 1 5 b <- 1 3 a       | upsert 1 5 b 3057
upsert 1 5 b                | upsert 1 5 b 3057
upsert 1 5 _                | refused: SLUICE-EXPR-0005
move 2 5 b <- 1 3 a         | move 2 5 b 3057 <- 1
move 2 5 b <- 1 _ _         | move 2 5 b 3057 <- 1
move 2 5 _ <- 1 3 a         | move 2 5 _ b9f6 <- 1
move 2 5 _ <- 1 _ _         | refused: SLUICE-EXPR-0005
delete 1 3 a <- 1 3 a       | delete 1 3 a 347b
delete 1 _ _ <- 1 3 a       | delete 1 _ _ 347b
delete 1 null null <- 1 _ _ | delete 1 null null _
delete 1 _ _                | delete 1 _ _ _
`,
);

table(
  'hash',
  { columns: ['n', 'note'], into: 'digest', key: true },
  `
insert 1 5 b                | insert 1 5 b 3057
update 1 5 b <- 1 3 a       | move 1 5 b 3057 <- 347b
update 1 5 b                | refused: SLUICE-EXPR-0005
update 1 5 _ <- 1 3 a       | move 1 5 _ b9f6 <- 347b
update 1 5 _                | refused: SLUICE-EXPR-0005
upsert 1 5 b <- 1 3 a       | move 1 5 b 3057 <- 347b
upsert 1 5 b                | upsert 1 5 b 3057
upsert 1 5 _                | refused: SLUICE-EXPR-0005
move 2 5 b <- 1 3 a         | move 2 5 b 3057 <- 347b
move 2 5 b <- 1 _ _         | refused: SLUICE-EXPR-0005
move 2 5 _ <- 1 3 a         | move 2 5 _ b9f6 <- 347b
move 2 5 _ <- 1 _ _         | refused: SLUICE-EXPR-0005
delete 1 3 a <- 1 3 a       | delete 1 3 a 347b
delete 1 _ _ <- 1 3 a       | delete 1 _ _ 347b
delete 1 null null <- 1 _ _ | refused: SLUICE-EXPR-0005
delete 1 _ _                | refused: SLUICE-EXPR-0005
`,
);

table(
  'hash',
  { columns: ['id'], into: 'digest', key: true },
  `
insert 1 5 b                | insert 1 5 b d6b5
update 1 5 b <- 1 3 a       | update 1 5 b d6b5
update 1 5 b                | update 1 5 b d6b5
update 1 5 _ <- 1 3 a       | update 1 5 _ d6b5
update 1 5 _                | update 1 5 _ d6b5
upsert 1 5 b <- 1 3 a       | upsert 1 5 b d6b5
upsert 1 5 b                | upsert 1 5 b d6b5
upsert 1 5 _                | upsert 1 5 _ d6b5
move 2 5 b <- 1 3 a         | move 2 5 b 673a <- d6b5
move 2 5 b <- 1 _ _         | move 2 5 b 673a <- d6b5
move 2 5 _ <- 1 3 a         | move 2 5 _ 673a <- d6b5
move 2 5 _ <- 1 _ _         | move 2 5 _ 673a <- d6b5
delete 1 3 a <- 1 3 a       | delete 1 3 a d6b5
delete 1 _ _ <- 1 3 a       | delete 1 _ _ d6b5
delete 1 null null <- 1 _ _ | delete 1 null null d6b5
delete 1 _ _                | delete 1 _ _ d6b5
`,
);

table(
  'metadata',
  { columns: { op: 'op', gone: 'deleted' } },
  `
insert 1 5 b                | insert 1 5 b insert false
update 1 5 b <- 1 3 a       | update 1 5 b update false
update 1 5 b                | update 1 5 b update false
update 1 5 _ <- 1 3 a       | update 1 5 _ update false
update 1 5 _                | update 1 5 _ update false
upsert 1 5 b <- 1 3 a       | upsert 1 5 b upsert false
upsert 1 5 b                | upsert 1 5 b upsert false
upsert 1 5 _                | upsert 1 5 _ upsert false
move 2 5 b <- 1 3 a         | move 2 5 b move false <- 1
move 2 5 b <- 1 _ _         | move 2 5 b move false <- 1
move 2 5 _ <- 1 3 a         | move 2 5 _ move false <- 1
move 2 5 _ <- 1 _ _         | move 2 5 _ move false <- 1
delete 1 3 a <- 1 3 a       | delete 1 3 a delete true
delete 1 _ _ <- 1 3 a       | delete 1 _ _ delete true
delete 1 null null <- 1 _ _ | delete 1 null null delete true
delete 1 _ _                | delete 1 _ _ delete true
`,
);

table(
  'js',
  { module: './shout.mjs', handlesUnchanged: true },
  `
insert 1 5 b                | insert 1 5 B
update 1 5 b <- 1 3 a       | update 1 5 B
update 1 5 b                | update 1 5 B
update 1 5 _ <- 1 3 a       | update 1 5 A
update 1 5 _                | refused: SLUICE-TRANSFORM-0010
upsert 1 5 b <- 1 3 a       | upsert 1 5 B
upsert 1 5 b                | upsert 1 5 B
upsert 1 5 _                | refused: SLUICE-TRANSFORM-0010
move 2 5 b <- 1 3 a         | move 2 5 B <- 1
move 2 5 b <- 1 _ _         | move 2 5 B <- 1
move 2 5 _ <- 1 3 a         | move 2 5 A <- 1
move 2 5 _ <- 1 _ _         | refused: SLUICE-TRANSFORM-0010
delete 1 3 a <- 1 3 a       | delete 1 3 A
delete 1 _ _ <- 1 3 a       | delete 1 3 A
delete 1 null null <- 1 _ _ | delete 1 _ _
delete 1 _ _                | delete 1 _ _
`,
);

table(
  'js',
  { module: './big.mjs' },
  `
insert 1 5 b                | insert 1 5 b
update 1 5 b <- 1 3 a       | upsert 1 5 b
update 1 5 b                | update 1 5 b
update 1 5 _ <- 1 3 a       | upsert 1 5 a
update 1 5 _                | update 1 5 _
upsert 1 5 b <- 1 3 a       | upsert 1 5 b
upsert 1 5 b                | upsert 1 5 b
upsert 1 5 _                | upsert 1 5 _
move 2 5 b <- 1 3 a         | upsert 2 5 b
move 2 5 b <- 1 _ _         | move 2 5 b <- 1
move 2 5 _ <- 1 3 a         | upsert 2 5 a
move 2 5 _ <- 1 _ _         | move 2 5 _ <- 1
delete 1 3 a <- 1 3 a       | delete 1 _ _
delete 1 _ _ <- 1 3 a       | delete 1 _ _
delete 1 null null <- 1 _ _ | delete 1 _ _
delete 1 _ _                | delete 1 _ _
`,
);

table(
  'js',
  { module: './rekeyed.mjs' },
  `
insert 1 5 b                | insert 15 5 b
update 1 5 b <- 1 3 a       | move 15 5 b <- 13
update 1 5 b                | refused: SLUICE-TRANSFORM-0013
update 1 5 _ <- 1 3 a       | move 15 5 a <- 13
update 1 5 _                | refused: SLUICE-TRANSFORM-0013
upsert 1 5 b <- 1 3 a       | move 15 5 b <- 13
upsert 1 5 b                | upsert 15 5 b
upsert 1 5 _                | upsert 15 5 _
move 2 5 b <- 1 3 a         | move 25 5 b <- 13
move 2 5 b <- 1 _ _         | refused: SLUICE-TRANSFORM-0013
move 2 5 _ <- 1 3 a         | move 25 5 a <- 13
move 2 5 _ <- 1 _ _         | refused: SLUICE-TRANSFORM-0013
delete 1 3 a <- 1 3 a       | delete 13 3 a
delete 1 _ _ <- 1 3 a       | delete 13 3 a
delete 1 null null <- 1 _ _ | delete 1 _ _
delete 1 _ _                | delete 1 _ _
`,
);

table(
  'js',
  { module: './each.mjs' },
  `
insert 1 5 b                | insert 10 5 b; insert 11 5 b; insert 12 5 b
update 1 5 b <- 1 3 a       | delete 10 3 a; upsert 10 5 b; upsert 11 5 b; upsert 12 5 b
update 1 5 b                | refused: SLUICE-TRANSFORM-0011
update 1 5 _ <- 1 3 a       | delete 10 3 a; upsert 10 5 a; upsert 11 5 a; upsert 12 5 a
update 1 5 _                | refused: SLUICE-TRANSFORM-0011
upsert 1 5 b <- 1 3 a       | delete 10 3 a; upsert 10 5 b; upsert 11 5 b; upsert 12 5 b
upsert 1 5 b                | upsert 10 5 b; upsert 11 5 b; upsert 12 5 b
upsert 1 5 _                | upsert 10 5 _; upsert 11 5 _; upsert 12 5 _
move 2 5 b <- 1 3 a         | delete 10 3 a; upsert 20 5 b; upsert 21 5 b; upsert 22 5 b
move 2 5 b <- 1 _ _         | refused: SLUICE-TRANSFORM-0011
move 2 5 _ <- 1 3 a         | delete 10 3 a; upsert 20 5 a; upsert 21 5 a; upsert 22 5 a
move 2 5 _ <- 1 _ _         | refused: SLUICE-TRANSFORM-0011
delete 1 3 a <- 1 3 a       | delete 10 3 a
delete 1 _ _ <- 1 3 a       | delete 10 3 a
delete 1 null null <- 1 _ _ | delete 1 _ _
delete 1 _ _                | delete 1 _ _
`,
);

table(
  'route',
  { to: 'all' },
  `
insert 1 5 b                | all: insert 1 5 b
update 1 5 b <- 1 3 a       | all: update 1 5 b
update 1 5 b                | all: update 1 5 b
update 1 5 _ <- 1 3 a       | all: update 1 5 _
update 1 5 _                | all: update 1 5 _
upsert 1 5 b <- 1 3 a       | all: upsert 1 5 b
upsert 1 5 b                | all: upsert 1 5 b
upsert 1 5 _                | all: upsert 1 5 _
move 2 5 b <- 1 3 a         | all: move 2 5 b <- 1
move 2 5 b <- 1 _ _         | all: move 2 5 b <- 1
move 2 5 _ <- 1 3 a         | all: move 2 5 _ <- 1
move 2 5 _ <- 1 _ _         | all: move 2 5 _ <- 1
delete 1 3 a <- 1 3 a       | all: delete 1 3 a
delete 1 _ _ <- 1 3 a       | all: delete 1 _ _
delete 1 null null <- 1 _ _ | all: delete 1 null null
delete 1 _ _                | all: delete 1 _ _
`,
);

// big now, small before
table(
  'route',
  { by: [{ where: 'n > 4', to: 'big' }], else: 'small' },
  `
insert 1 5 b                | big: insert 1 5 b
update 1 5 b <- 1 3 a       | big: upsert 1 5 b; small: delete 1 3 a
update 1 5 b                | big: update 1 5 b; small: delete 1 _ _
update 1 5 _ <- 1 3 a       | big: upsert 1 5 a; small: delete 1 3 a
update 1 5 _                | big: update 1 5 _; small: delete 1 _ _
upsert 1 5 b <- 1 3 a       | big: upsert 1 5 b; small: delete 1 3 a
upsert 1 5 b                | big: upsert 1 5 b; small: delete 1 _ _
upsert 1 5 _                | big: upsert 1 5 _; small: delete 1 _ _
move 2 5 b <- 1 3 a         | big: upsert 2 5 b; small: delete 1 3 a
move 2 5 b <- 1 _ _         | big: move 2 5 b <- 1; small: delete 1 _ _
move 2 5 _ <- 1 3 a         | big: upsert 2 5 a; small: delete 1 3 a
move 2 5 _ <- 1 _ _         | big: move 2 5 _ <- 1; small: delete 1 _ _
delete 1 3 a <- 1 3 a       | small: delete 1 3 a
delete 1 _ _ <- 1 3 a       | small: delete 1 _ _
delete 1 null null <- 1 _ _ | big: delete 1 null null; small: delete 1 null null
delete 1 _ _                | big: delete 1 _ _; small: delete 1 _ _
`,
);

table(
  'route',
  {
    by: [
      { where: 'n > 9', to: 'big' },
      { where: 'n > 4', to: 'mid' },
    ],
    else: null,
  },
  `
insert 1 5 b                | mid: insert 1 5 b
update 1 5 b <- 1 3 a       | mid: upsert 1 5 b
update 1 5 b                | big: delete 1 _ _; mid: update 1 5 b
update 1 5 _ <- 1 3 a       | mid: upsert 1 5 a
update 1 5 _                | big: delete 1 _ _; mid: update 1 5 _
upsert 1 5 b <- 1 3 a       | mid: upsert 1 5 b
upsert 1 5 b                | big: delete 1 _ _; mid: upsert 1 5 b
upsert 1 5 _                | big: delete 1 _ _; mid: upsert 1 5 _
move 2 5 b <- 1 3 a         | mid: upsert 2 5 b
move 2 5 b <- 1 _ _         | big: delete 1 _ _; mid: move 2 5 b <- 1
move 2 5 _ <- 1 3 a         | mid: upsert 2 5 a
move 2 5 _ <- 1 _ _         | big: delete 1 _ _; mid: move 2 5 _ <- 1
delete 1 3 a <- 1 3 a       | nothing
delete 1 _ _ <- 1 3 a       | nothing
delete 1 null null <- 1 _ _ | big: delete 1 null null; mid: delete 1 null null
delete 1 _ _                | big: delete 1 _ _; mid: delete 1 _ _
`,
);

table(
  'route',
  { by: [{ where: 'note == "b"', to: 'b' }], else: 'other' },
  `
insert 1 5 b                | b: insert 1 5 b
update 1 5 b <- 1 3 a       | b: upsert 1 5 b; other: delete 1 3 a
update 1 5 b                | b: update 1 5 b; other: delete 1 _ _
update 1 5 _ <- 1 3 a       | other: update 1 5 _
update 1 5 _                | refused: SLUICE-EXPR-0005
upsert 1 5 b <- 1 3 a       | b: upsert 1 5 b; other: delete 1 3 a
upsert 1 5 b                | b: upsert 1 5 b; other: delete 1 _ _
upsert 1 5 _                | refused: SLUICE-EXPR-0005
move 2 5 b <- 1 3 a         | b: upsert 2 5 b; other: delete 1 3 a
move 2 5 b <- 1 _ _         | b: move 2 5 b <- 1; other: delete 1 _ _
move 2 5 _ <- 1 3 a         | other: move 2 5 _ <- 1
move 2 5 _ <- 1 _ _         | refused: SLUICE-EXPR-0005
delete 1 3 a <- 1 3 a       | other: delete 1 3 a
delete 1 _ _ <- 1 3 a       | other: delete 1 _ _
delete 1 null null <- 1 _ _ | b: delete 1 null null; other: delete 1 null null
delete 1 _ _                | b: delete 1 _ _; other: delete 1 _ _
`,
);

// by the key
table(
  'route',
  { by: [{ where: 'id > 1', to: 'new' }], else: 'old' },
  `
insert 1 5 b                | old: insert 1 5 b
update 1 5 b <- 1 3 a       | old: update 1 5 b
update 1 5 b                | old: update 1 5 b
update 1 5 _ <- 1 3 a       | old: update 1 5 _
update 1 5 _                | old: update 1 5 _
upsert 1 5 b <- 1 3 a       | old: upsert 1 5 b
upsert 1 5 b                | old: upsert 1 5 b
upsert 1 5 _                | old: upsert 1 5 _
move 2 5 b <- 1 3 a         | new: upsert 2 5 b; old: delete 1 3 a
move 2 5 b <- 1 _ _         | new: upsert 2 5 b; old: delete 1 _ _
move 2 5 _ <- 1 3 a         | new: upsert 2 5 a; old: delete 1 3 a
move 2 5 _ <- 1 _ _         | new: upsert 2 5 _; old: delete 1 _ _
delete 1 3 a <- 1 3 a       | old: delete 1 3 a
delete 1 _ _ <- 1 3 a       | old: delete 1 _ _
delete 1 null null <- 1 _ _ | old: delete 1 null null
delete 1 _ _                | old: delete 1 _ _
`,
);

describe('js, where changes bring of the row before its key alone', () => {
  const partly = {
    ...schema,
    fields: schema.fields.map((f) => (f.name === 'id' ? f : { ...f, unsent: 'before' as const })),
  };
  const made = async (module: string, change: string) =>
    outcome(await bindTransform('js', partly, { module }, folder), [changeOf(change)]);

  it('is for functions that keep the key, and says so with the first row', async () => {
    expect(await made('./big.mjs', 'insert 1 5 b')).toBe('insert 1 5 b');
    for (const change of ['insert 1 5 b', 'upsert 1 5 b', 'update 1 5 b']) {
      expect(await made('./rekeyed.mjs', change)).toBe('refused: SLUICE-TRANSFORM-0013');
    }
    expect(await made('./each.mjs', 'insert 1 5 b')).toBe('refused: SLUICE-TRANSFORM-0011');
  });
});

/** A stream of which changes bring the key, n in updates, and note when it has changed. */
const partial = {
  ...schema,
  fields: schema.fields.map((f) => {
    if (f.name === 'id') return f;
    return { ...f, unsent: f.name === 'n' ? ('before' as const) : ('both' as const) };
  }),
};

describe('what a transform needs of changes, and what changes may come without behind it', () => {
  it.each<[string, object, NeededValues | undefined, string]>([
    ['select', { columns: ['id', 'note'] }, undefined, 'note both'],
    ['rename', { columns: { n: 'm' } }, undefined, 'm before, note both'],
    ['cast', { columns: { n: 'string' } }, undefined, 'n before, note both'],
    ['default', { columns: { n: 1 } }, undefined, 'n before, note both'],
    ['filter', { where: 'n > 0 && note != ""' }, { after: ['n', 'note'] }, 'n before, note both'],
    ['compute', { columns: { n: '7', note: 'upper(note)' } }, { after: [], before: [] }, 'note both'],
    ['compute', { columns: { m: 'n + 1' } }, { after: [], before: [] }, 'n before, note both, m before'],
    [
      'compute',
      { columns: { m: 'n + size(note)' } },
      { after: ['n', 'note'], before: [] },
      'n before, note both, m both',
    ],
    [
      'compute',
      { columns: { id: 'id + n' } },
      { after: ['id', 'n'], before: ['id', 'n'] },
      'id before, n before, note both',
    ],
    ['mask', { columns: { note: 'redact' } }, undefined, 'n before, note both'],
    ['hash', { columns: ['n'], into: 'h' }, { after: [], before: [] }, 'n before, note both, h before'],
    [
      'hash',
      { columns: ['id'], into: 'h', key: true },
      { after: ['id'], before: ['id'] },
      'n before, note both',
    ],
    [
      'hash',
      { columns: ['n'], into: 'h', key: true },
      { after: ['n'], before: ['n'] },
      'n before, note both, h before',
    ],
    ['metadata', {}, undefined, 'n before, note both'],
    ['js', { module: './big.mjs' }, { after: ['id', 'n', 'note'], before: [] }, 'n both, note both'],
    [
      'js',
      { module: './big.mjs', key: ['n'] },
      { after: ['id', 'n', 'note'], before: ['id', 'n', 'note'] },
      'id both, note both',
    ],
    ['js', { module: './big.mjs', handlesUnchanged: true }, { after: [], before: [] }, 'n both, note both'],
  ])('%s %j', async (name, options, needs, unsent) => {
    const bound = await bindTransform(name, partial, options, folder);
    expect(bound.needs).toEqual(needs);
    const left = bound.out.fields.filter((f) => f.unsent).map((f) => `${f.name} ${f.unsent}`);
    expect(left.join(', ')).toBe(unsent);
  });
});

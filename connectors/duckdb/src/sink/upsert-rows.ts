/** Rows of a batch as an upsert stages them: in order, each written or deleted, with what they leave out. */
import { type Batch, type Column, fieldIndex, getBit, type StreamSchema, take } from '@sluice/sdk';
import { duckdbErrors } from '../errors.js';
import { hasAbsent, placedColumns } from '../vectors/feed-columns.js';
import type { FeedRows } from '../vectors/row-feeds.js';

/** A part of a batch that is applied in one go. */
export type UpsertPart =
  | { readonly kind: 'rows'; readonly rows: FeedRows; readonly partial: boolean }
  /** New keys beside old ones, for moves that leave columns out: the target's row must move first. */
  | { readonly kind: 'moves'; readonly rows: FeedRows };

/** Each row takes two numbers: a move deletes its old key just before it writes. */
const STEP = 2;

/** Splits a batch into parts; `first` is the order number of its first row. */
export function upsertParts(batch: Batch, first: number): { parts: UpsertPart[]; next: number } {
  const { schema, rowCount } = batch;
  const columns = placedColumns(batch);
  const partial = columns.some(hasAbsent);
  requireKeys(schema, columns);
  const next = first + rowCount * STEP;
  const moves = rowsWithOp(batch, 'move');
  if (moves.length === 0) return { parts: [rowsPart(batch, columns, first, partial)], next };
  const old = oldKeys(batch, moves);
  if (!partial) {
    const deletes = deletesOf(schema, old, moves, first);
    return {
      parts: [{ kind: 'rows', rows: deletes, partial: false }, rowsPart(batch, columns, first, false)],
      next,
    };
  }
  return { parts: inOrder(batch, columns, moves, old, first), next };
}

/** Moves one by one, between the rows before and after them: the second may move what the first has moved. */
function inOrder(
  batch: Batch,
  columns: readonly Column[],
  moves: Uint32Array,
  old: readonly (Column | undefined)[],
  first: number,
): UpsertPart[] {
  const parts: UpsertPart[] = [];
  const range = (from: number, to: number) => {
    if (from === to) return;
    const rows = Uint32Array.from({ length: to - from }, (_, i) => from + i);
    const taken = columns.map((column) => take(column, rows));
    parts.push(rowsPart(batch.select(rows), taken, first + from * STEP, true));
  };
  let from = 0;
  for (const [i, row] of moves.entries()) {
    range(from, row);
    parts.push({ kind: 'moves', rows: moveRow(batch.schema, columns, old, row, i) });
    from = row;
  }
  range(from, batch.rowCount);
  return parts;
}

function moveRow(
  schema: StreamSchema,
  columns: readonly Column[],
  old: readonly (Column | undefined)[],
  row: number,
  at: number,
): FeedRows {
  const keys = keyIndexes(schema);
  const pairs = keys.flatMap((k) => [
    take(columns[k]!, Uint32Array.of(row)),
    take(old[k]!, Uint32Array.of(at)),
  ]);
  return { columns: pairs, rowCount: 1 };
}

function rowsPart(batch: Batch, columns: readonly Column[], first: number, partial: boolean): UpsertPart {
  const { rowCount } = batch;
  const own = [
    sequence(rowCount, (i) => first + i * STEP + 1),
    deletions(batch),
    partial ? absences(columns, rowCount) : undefined,
  ];
  return { kind: 'rows', rows: { columns: [...columns, ...own], rowCount }, partial };
}

function rowsWithOp(batch: Batch, op: 'move'): Uint32Array {
  if (typeof batch.op === 'string' && batch.op !== op) return new Uint32Array(0);
  const rows: number[] = [];
  for (let i = 0; i < batch.rowCount; i++) if (batch.opAt(i) === op) rows.push(i);
  return Uint32Array.from(rows);
}

/** The key columns of moved rows as they were, in the places of the schema's columns. */
function oldKeys(batch: Batch, moves: Uint32Array): (Column | undefined)[] {
  const { before, schema } = batch;
  if (before === undefined) {
    throw duckdbErrors.rowMissing(`${schema.stream}: a key changed, and the source does not say from what`);
  }
  const placed = placedColumns(before);
  const old: (Column | undefined)[] = new Array(schema.fields.length).fill(undefined);
  for (const k of keyIndexes(schema))
    old[k] = take(placed[fieldIndex(before.schema, schema.fields[k]!.name)]!, moves);
  return old;
}

function deletesOf(
  schema: StreamSchema,
  old: readonly (Column | undefined)[],
  moves: Uint32Array,
  first: number,
): FeedRows {
  requireKeys(schema, old);
  const all: Column = {
    length: moves.length,
    data: { layout: 'fixed', values: new Uint8Array(moves.length).fill(1) },
  };
  const own = [sequence(moves.length, (i) => first + moves[i]! * STEP), all, undefined];
  return { columns: [...old, ...own], rowCount: moves.length };
}

function keyIndexes(schema: StreamSchema): number[] {
  return schema.key.map((name) => fieldIndex(schema, name));
}

/** A row without a key cannot be found again. */
function requireKeys(schema: StreamSchema, columns: readonly (Column | undefined)[]): void {
  for (const k of keyIndexes(schema)) {
    const { validity, length } = columns[k]!;
    if (validity === undefined) continue;
    for (let row = 0; row < length; row++) {
      if (getBit(validity, row)) continue;
      const column = schema.fields[k]!.name;
      throw duckdbErrors.rowRefused(`${schema.stream}: key column ${column} has no value`, {
        details: { column, row },
      });
    }
  }
}

function sequence(rowCount: number, at: (i: number) => number): Column {
  const values = new BigInt64Array(rowCount);
  const halves = new Int32Array(values.buffer);
  for (let i = 0; i < rowCount; i++) {
    const number = at(i);
    halves[i * 2] = number | 0;
    halves[i * 2 + 1] = Math.floor(number / 4_294_967_296);
  }
  return { length: rowCount, data: { layout: 'fixed', values } };
}

function deletions(batch: Batch): Column {
  const values = new Uint8Array(batch.rowCount);
  if (batch.op !== 'insert')
    for (let i = 0; i < values.length; i++) if (batch.opAt(i) === 'delete') values[i] = 1;
  return { length: batch.rowCount, data: { layout: 'fixed', values } };
}

/** `0010`: the third column was left out. */
function absences(columns: readonly Column[], rowCount: number): Column {
  const width = columns.length;
  const data = new Uint8Array(rowCount * width).fill(0x30);
  for (const [c, { absent }] of columns.entries()) {
    if (absent === undefined) continue;
    for (let i = 0; i < rowCount; i++) if (getBit(absent, i)) data[i * width + c] = 0x31;
  }
  const offsets = Int32Array.from({ length: rowCount + 1 }, (_, i) => i * width);
  return { length: rowCount, data: { layout: 'varlen', offsets, data } };
}

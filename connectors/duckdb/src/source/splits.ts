/**
 * Parts of a table. Row numbers are cheap to range over, but a checkpoint of a changed table may renumber them: such
 * splits live as long as the run that holds the file. A table with a primary key can also be read in its order, and
 * then be resumed whenever; everything else is one part with one checkpoint, at its end.
 */
import type { Json, LogicalType, Split, StreamRead } from '@sluice/sdk';
import { fieldIndex } from '@sluice/sdk';
import type { SourceTable } from './catalog.js';

export type SplitSpec =
  | { readonly by: 'row'; readonly to: number | null }
  | { readonly by: 'key'; readonly key: readonly string[] }
  | { readonly by: 'cursor'; readonly column: string; readonly key: readonly string[] }
  | { readonly by: 'whole' };

/** The columns in whose order a split is read, so that each row is a place to resume from; none: in no order. */
export function placeColumns(spec: SplitSpec): readonly string[] {
  if (spec.by === 'key') return spec.key;
  if (spec.by !== 'cursor' || spec.key.length === 0) return [];
  return [spec.column, ...spec.key.filter((name) => name !== spec.column)];
}

/** Where a split without inner positions ends. */
export const END = 'end';

/** Row groups are 122,880 rows; a range is forty of them. */
const RANGE_ROWS = 122_880 * 40;

export function planSplits(read: StreamRead, table: SourceTable): Split[] {
  const { stream, schema } = read;
  if (read.resumable && schema.key.length > 0 && schema.key.every((name) => isOrdered(typeOf(read, name)))) {
    return [split(stream, stream, null, { by: 'key', key: schema.key }, table.size, false)];
  }
  if (read.resumable || table.view) return [split(stream, stream, null, { by: 'whole' }, table.size, true)];
  const splits: Split[] = [];
  for (let from = 0; from === 0 || from < table.size; from += RANGE_ROWS) {
    const last = from + RANGE_ROWS >= table.size;
    // Rows that the catalog's size does not know of lie behind the last range's start.
    const to = last ? null : from + RANGE_ROWS;
    const rows = Math.min(RANGE_ROWS, table.size - from);
    splits.push(split(`${stream}:${from}`, stream, from, { by: 'row', to }, rows, true));
  }
  return splits;
}

/** One for all runs; each takes it up where the last one ended. `key` is one under which rows are unique. */
export function cursorSplit({ stream, cursor }: StreamRead, key: readonly string[]): Split {
  const spec: SplitSpec = { by: 'cursor', column: cursor!.column, key };
  return { id: stream, streams: [stream], phase: 'poll', start: null, spec: spec as unknown as Json };
}

function split(
  id: string,
  stream: string,
  start: Json,
  spec: SplitSpec,
  rows: number,
  volatile: boolean,
): Split {
  return {
    id,
    streams: [stream],
    phase: 'bulk',
    start,
    spec: spec as unknown as Json,
    ...(volatile && { volatile }),
    ...(rows > 0 && { estimatedRows: rows }),
  };
}

function typeOf(read: StreamRead, column: string): LogicalType | undefined {
  return read.schema.fields[fieldIndex(read.schema, column)]?.type;
}

/** Types whose text names a value exactly, so that a position of it can be compared. */
function isOrdered(type: LogicalType | undefined): boolean {
  return type !== undefined && ORDERED.has(type.kind);
}
const ORDERED: ReadonlySet<LogicalType['kind']> = new Set([
  'bool',
  'int',
  'decimal',
  'string',
  'uuid',
  'date',
  'time',
  'timestamp',
]);

/** The column that an incremental read goes by, and what its values are. */
import { type Cursor, nearestName, type StreamRead } from '@sluice/sdk';
import { pgErrors } from '../../errors.js';
import type { RelationColumn } from '../relation.js';

/** Moments; moments as the clocks of one time zone show them; numbers of a sequence. */
export type CursorKind = 'instant' | 'local' | 'number';

export interface CursorColumn extends Cursor {
  readonly kind: CursorKind;
  /** The column's own type. */
  readonly type: string;
  readonly nullable: boolean;
}

const INTEGER = /^(smallint|integer|bigint)$/;

/** The cursor that a stream is to be read by. Throws `SLUICE-PG-0042` where there is none, or an unfit one. */
export function cursorColumn(
  { stream, cursor }: StreamRead,
  columns: readonly RelationColumn[],
): CursorColumn {
  if (cursor === undefined) {
    throw pgErrors.cursorUnfit(
      `${stream} is to be read incrementally, and no cursor is set for it: "cursor": { "column": … }`,
      { details: { stream } },
    );
  }
  const column = columns.find(({ name }) => name === cursor.column);
  if (column === undefined) {
    const near = nearestName(
      cursor.column,
      columns.map(({ name }) => name),
    );
    throw pgErrors.cursorUnfit(
      `${stream} has no column ${cursor.column} to go by${near === undefined ? '' : `; did you mean ${near}?`}`,
      { details: { stream, column: cursor.column } },
    );
  }
  const { type, nullable } = column;
  const kind = kindOf(column);
  if (kind === undefined) {
    throw pgErrors.cursorUnfit(
      `${stream} cannot be read by ${cursor.column}, which is ${type.name}: a cursor is a timestamp, a date or an integer`,
      { details: { stream, column: cursor.column } },
    );
  }
  if (kind === 'local' && cursor.zone === undefined) {
    throw pgErrors.cursorUnfit(
      `${stream}: ${cursor.column} is ${type.name}, whose values mean nothing without a time zone; add "zone" to the cursor, say "UTC"`,
      { details: { stream, column: cursor.column } },
    );
  }
  return { ...cursor, kind, type: type.name, nullable };
}

function kindOf({ type: { logical, name } }: RelationColumn): CursorKind | undefined {
  if (INTEGER.test(name)) return 'number';
  if (logical.kind === 'date') return 'local';
  if (logical.kind !== 'timestamp') return undefined;
  return logical.zone === 'utc' ? 'instant' : 'local';
}

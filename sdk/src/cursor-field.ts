/** The column that an incremental read goes by, as every connector checks it. */
import type { SluiceError } from './errors.js';
import { nearestName } from './nearest.js';
import { fieldIndex } from './schema.js';
import type { Cursor, StreamRead } from './source.js';
import type { LogicalType } from './types.js';

/** Moments; moments as the clocks of one time zone show them; whole numbers. */
export type CursorKind = 'instant' | 'local' | 'number';

export interface CursorField extends Cursor {
  readonly kind: CursorKind;
  readonly nullable: boolean;
}

/** The cursor of a read. Throws what `refuse` makes of the reason where there is none, or one that cannot be used. */
export function cursorField(
  { stream, schema, cursor }: StreamRead,
  refuse: (reason: string, parts: { readonly details: { readonly stream: string } }) => SluiceError,
): CursorField {
  const because = (reason: string) => refuse(`${stream} ${reason}`, { details: { stream } });
  if (cursor === undefined) {
    throw because('is to be read incrementally, and no cursor is set for it: "cursor": { "column": … }');
  }
  const { column, zone } = cursor;
  const f = schema.fields[fieldIndex(schema, column)];
  if (f === undefined) {
    const names = schema.fields.map(({ name }) => name);
    const near = nearestName(column, names);
    throw because(`has no column ${column} to go by${near === undefined ? '' : `; did you mean ${near}?`}`);
  }
  const { type, nullable } = f;
  const kind = kindOf(type);
  const name = f.native ?? type.kind;
  if (kind === undefined) {
    throw because(
      `cannot be read by ${column}, which is ${name}: a cursor is a timestamp, a date or an integer`,
    );
  }
  if (kind === 'local' && zone === undefined) {
    throw because(
      `cannot be read by ${column} without its time zone: it is ${name}; add "zone" to the cursor, say "UTC"`,
    );
  }
  return { ...cursor, kind, nullable };
}

function kindOf(type: LogicalType): CursorKind | undefined {
  if (type.kind === 'int') return 'number';
  if (type.kind === 'date') return 'local';
  if (type.kind !== 'timestamp' || type.zone === 'offset') return undefined;
  return type.zone === 'utc' ? 'instant' : 'local';
}

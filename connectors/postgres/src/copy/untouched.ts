/**
 * Columns of a COPY that nobody has looked at: they are decoded when they are, and until then they say which fields
 * they stand for, so that a COPY into a column of the same wire takes the bytes as they are.
 */
import { type Column, take } from '@sluice/sdk';
import { takesWire, type Wire } from '../types/wire.js';
import type { FieldIndex } from './field-index.js';

/** The fields of a column, in all rows of an index or in some. */
export interface Fields {
  readonly index: FieldIndex;
  readonly column: number;
  /** Name of the wire, as in the format of encoded batches. */
  readonly wire: string;
  /** Undefined: all rows, in order. */
  readonly rows: Uint32Array | undefined;
}

/** On the column itself, where nothing that goes over its properties meets it: a weak map would keep batches longer. */
const FIELDS = Symbol('fields');

/** A column that `decode` makes at the first look at it. */
export function untouchedColumn(length: number, decode: () => Column, fields: Fields): Column {
  let made: Column | undefined;
  const touched = () => {
    made ??= decode();
    return made;
  };
  // Spread and destructured like any other; what is not there reads as undefined, which the type cannot say.
  const column = {
    length,
    get data() {
      return touched().data;
    },
    get validity() {
      return touched().validity;
    },
    get special() {
      return touched().special;
    },
    select: (rows: Uint32Array) => {
      const { rows: all, ...same } = fields;
      const chosen = all === undefined ? rows : rows.map((row) => all[row]!);
      const selected = () => take(touched(), rows);
      return untouchedColumn(rows.length, selected, { ...same, rows: chosen });
    },
  } as Column;
  return Object.defineProperty(column, FIELDS, { value: fields });
}

/** The fields of a column that a target column of this wire takes as they are. */
export function passingFields(column: Column, target: Wire | undefined): Fields | undefined {
  const fields = (column as { readonly [FIELDS]?: Fields })[FIELDS];
  return fields !== undefined && target !== undefined && takesWire(fields.wire, target) ? fields : undefined;
}

/** Masks that replace text: all of it, or all but its ends. */
import { type Column, columnBuilder, getBit, type LogicalType, types } from '@sluice/sdk';
import { vectorOf } from './kernels/from-column.js';
import { isAscii, stringsOf, textOfStrings } from './kernels/text-build.js';
import { columnFrom } from './kernels/to-column.js';
import { toText } from './kernels/to-text.js';
import { expectKind, hasValue } from './kernels/vector.js';

export type MaskColumn = (column: Column) => Column;

const WITH_TEXT = [
  'string',
  'enum',
  'native',
  'json',
  'uuid',
  'int',
  'decimal',
  'bool',
  'float',
  'date',
  'time',
  'bytes',
];

/** Whether a type's values have a text that can be masked. */
export function hasText(type: LogicalType): boolean {
  return WITH_TEXT.includes(type.kind) || (type.kind === 'timestamp' && type.zone !== 'offset');
}

/** One text, or null, in every row, so that not even nulls show; UNCHANGED stays. */
export function replaceAll(type: LogicalType, value: string | null): MaskColumn {
  return ({ length, absent }) => {
    const builder = columnBuilder({ name: 'redacted', type, nullable: true }, length);
    for (let i = 0; i < length; i++) builder.append(absent && getBit(absent, i) ? null : value);
    const made = builder.finish();
    return absent ? { ...made, absent } : made;
  };
}

/** The first and last characters of a value's text, with a fill between them. */
export function keepEnds(type: LogicalType, first: number, last: number, fill: string): MaskColumn {
  const text = toText(type);
  return (column) => {
    const { absent, ...present } = column;
    const read = text([vectorOf(type, present)], column.length);
    const values = expectKind(read, 'text');
    // Characters of ASCII text are its code units; other text is taken apart into code points.
    const cut = isAscii(values) ? asciiEnds : ends;
    const masked = stringsOf(values).map((value, i) =>
      hasValue(read, i) ? cut(value, first, last, fill) : '',
    );
    const { validity } = read;
    const made = columnFrom(types.string, {
      length: column.length,
      data: textOfStrings(masked),
      ...(validity && { validity }),
    });
    return absent ? { ...made, absent } : made;
  };
}

function ends(value: string, first: number, last: number, fill: string): string {
  const points = [...value];
  if (points.length <= first + last) return fill;
  return points.slice(0, first).join('') + fill + (last > 0 ? points.slice(-last).join('') : '');
}

function asciiEnds(value: string, first: number, last: number, fill: string): string {
  if (value.length <= first + last) return fill;
  return value.slice(0, first) + fill + value.slice(value.length - last);
}

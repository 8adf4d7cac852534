/** One set of columns for files that each say what theirs are. */
import {
  type Column,
  columnOf,
  columnValues,
  type Field,
  formatType,
  type LogicalType,
  sameType,
  types,
} from '@sluice/sdk';
import { fileErrors } from './errors.js';

export interface FileFields {
  readonly path: string;
  readonly fields: readonly Field[];
}

/**
 * The columns of all files, in the order in which they are met; one that a file lacks allows nulls. Columns of one
 * name have one type, or the wider of two where every value of one is a value of the other. Throws `SLUICE-FILE-0004`.
 */
export function unifyFields(stream: string, files: readonly FileFields[]): Field[] {
  const unified = new Map<string, { readonly field: Field; readonly path: string; readonly files: number }>();
  for (const { path, fields } of files) {
    for (const f of fields) {
      const known = unified.get(f.name);
      if (known === undefined) {
        unified.set(f.name, { field: f, path, files: 1 });
        continue;
      }
      const type = widerType(known.field.type, f.type);
      if (type === undefined) {
        const [a, b] = [formatType(known.field.type), formatType(f.type)];
        throw fileErrors.schemasDiffer(
          `stream ${stream}: column ${f.name} is ${a} in ${known.path} and ${b} in ${path}`,
          {
            details: { stream, column: f.name, files: [known.path, path] },
          },
        );
      }
      const nullable = known.field.nullable || f.nullable;
      unified.set(f.name, {
        field: { ...known.field, type, nullable },
        path: known.path,
        files: known.files + 1,
      });
    }
  }
  return [...unified.values()].map(({ field, files: count }) =>
    count < files.length ? { ...field, nullable: true } : field,
  );
}

/** The type that holds every value of both; undefined where there is none among simple ones. */
export function widerType(a: LogicalType, b: LogicalType): LogicalType | undefined {
  if (sameType(a, b)) return a;
  return widening(a, b) ?? widening(b, a);
}

function widening(a: LogicalType, b: LogicalType): LogicalType | undefined {
  if (a.kind === 'null') return b;
  if (a.kind === 'int') {
    if (b.kind === 'int' && b.bits > a.bits && (b.signed || !a.signed)) return b;
    if (b.kind === 'float' && b.bits === 64 && a.bits <= 32) return b;
    if (b.kind === 'decimal') return widening(types.decimal(DIGITS[a.bits], 0), b);
    if (b.kind === 'int' && a.signed && !b.signed && b.bits < 64) return a.bits > b.bits ? a : signed(b.bits);
  }
  if (a.kind === 'float' && b.kind === 'float') return types.float64;
  if (a.kind === 'enum' && (b.kind === 'string' || b.kind === 'enum')) return types.string;
  if (a.kind === 'decimal' && b.kind === 'decimal') {
    if (a.precision === undefined || b.precision === undefined) return types.decimal();
    const scale = Math.max(a.scale ?? 0, b.scale ?? 0);
    const whole = Math.max(a.precision - (a.scale ?? 0), b.precision - (b.scale ?? 0));
    return whole + scale <= 38 ? types.decimal(whole + scale, scale) : types.decimal();
  }
  return undefined;
}

/** Digits of the largest integers, signed or not. */
const DIGITS = { 8: 3, 16: 5, 32: 10, 64: 20 } as const;

/** The signed integer that holds every unsigned one of so many bits. */
function signed(bits: number): LogicalType {
  return bits === 8 ? types.int16 : bits === 16 ? types.int32 : types.int64;
}

/** A column as one of a wider type. Value by value: files of one stream seldom differ. */
export function widened(column: Column, from: LogicalType, to: Field): Column {
  if (sameType(from, to.type)) return column;
  const values = columnValues(from, column);
  const isTexts = from.kind === 'int' && to.type.kind === 'decimal';
  return columnOf(to, isTexts ? values.map((value) => (value === null ? null : String(value))) : values);
}

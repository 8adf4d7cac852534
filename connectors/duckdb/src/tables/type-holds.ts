/** Whether a column of one DuckDB type can hold all values of another, so that inserting bends nothing. */

interface Int {
  readonly bits: number;
  readonly signed: boolean;
}

const INTS: { readonly [name: string]: Int } = Object.fromEntries(
  Object.entries({ TINYINT: 8, SMALLINT: 16, INTEGER: 32, BIGINT: 64, HUGEINT: 128 }).flatMap(
    ([name, bits]) => [
      [name, { bits, signed: true }],
      [`U${name}`, { bits, signed: false }],
    ],
  ),
);

/** Types whose text form is their value, so that a VARCHAR keeps it. */
const TEXTUAL =
  /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BOOLEAN|FLOAT|DOUBLE|DECIMAL\(.*\)|UUID|DATE|TIME.*|INTERVAL|JSON|ENUM\(.*\))$/;

/** Types are texts as DuckDB prints them. */
export function holds(column: string, values: string): boolean {
  if (column === values) return true;
  if (column === 'VARCHAR') return TEXTUAL.test(values);
  // A label that the enumeration does not have is refused, not bent.
  if (column.startsWith('ENUM(')) return values === 'VARCHAR';
  const into = INTS[column];
  const from = INTS[values];
  if (from !== undefined) {
    if (into !== undefined) return holdsInt(into, from);
    if (column === 'DOUBLE') return from.bits <= 32;
    const decimal = decimalOf(column);
    return decimal !== undefined && decimal.precision - decimal.scale >= digitsOf(from);
  }
  if (values === 'FLOAT') return column === 'DOUBLE';
  const [wide, narrow] = [decimalOf(column), decimalOf(values)];
  if (wide === undefined || narrow === undefined) return false;
  return wide.scale >= narrow.scale && wide.precision - wide.scale >= narrow.precision - narrow.scale;
}

function holdsInt(into: Int, from: Int): boolean {
  if (into.signed === from.signed) return into.bits >= from.bits;
  return into.signed && into.bits > from.bits;
}

function digitsOf({ bits, signed }: Int): number {
  return (2n ** BigInt(signed ? bits - 1 : bits)).toString().length;
}

function decimalOf(type: string): { precision: number; scale: number } | undefined {
  const match = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type);
  return match ? { precision: Number(match[1]), scale: Number(match[2]) } : undefined;
}

/** Three-valued logic, tests for null, and choices between values. */
import {
  type Bitmap,
  bitmapBytes,
  type Column,
  columnBuilder,
  filledBitmap,
  getBit,
  type LogicalType,
  setBit,
  valueReader,
} from '@sluice/sdk';
import { vectorOf } from './from-column.js';
import { aligned, type Scaled, scaleAt, toIntegers } from './scales.js';
import { columnFrom } from './to-column.js';
import {
  comparedStatus,
  expectKind,
  hasValue,
  type Kernel,
  status,
  type Text,
  type Vector,
} from './vector.js';

/** `a && b`, `a || b`: decided by one side where it can be, also when the other has no result or is in error. */
export function logical(op: 'and' | 'or'): Kernel {
  return (args, rows) => {
    const [a, b] = args as [Vector, Vector];
    const x = expectKind(a, 'bits').values;
    const y = expectKind(b, 'bits').values;
    const bytes = bitmapBytes(rows);
    const values = new Uint8Array(bytes);
    const validity = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) {
      const knownA = a.validity ? a.validity[i]! : 0xff;
      const knownB = b.validity ? b.validity[i]! : 0xff;
      const trueA = x[i]! & knownA;
      const trueB = y[i]! & knownB;
      const falseA = ~x[i]! & knownA;
      const falseB = ~y[i]! & knownB;
      const holds = op === 'and' ? trueA & trueB : trueA | trueB;
      values[i] = holds;
      validity[i] = holds | (op === 'and' ? falseA | falseB : falseA & falseB);
    }
    const known = a.validity === undefined && b.validity === undefined ? undefined : validity;
    return { length: rows, data: { kind: 'bits', values }, ...status(known, undecided(args, validity)) };
  };
}

/** Errors of the operands in rows that have no result. */
function undecided(args: readonly Vector[], validity: Bitmap): Map<number, string> | undefined {
  let errors: Map<number, string> | undefined;
  for (const arg of args) {
    if (arg.errors === undefined) continue;
    for (const [row, reason] of arg.errors) {
      if (getBit(validity, row)) continue;
      errors ??= new Map();
      errors.set(row, reason);
    }
  }
  return errors;
}

export function not(): Kernel {
  return (args, rows) => {
    const { values } = expectKind(args[0]!, 'bits');
    const bits = new Uint8Array(bitmapBytes(rows));
    for (let i = 0; i < bits.length; i++) bits[i] = ~values[i]!;
    return { length: rows, data: { kind: 'bits', values: bits }, ...comparedStatus(args, rows) };
  };
}

/** Whether a value is null. A special value is none: there is something, outside the type. */
export function isNull(): Kernel {
  return ([vector], rows) => {
    const { validity, special, errors } = vector!;
    const bits = new Uint8Array(bitmapBytes(rows));
    if (validity) for (let i = 0; i < bits.length; i++) bits[i] = ~validity[i]!;
    if (special) for (const row of special.keys()) bits[row >> 3]! &= ~(1 << (row & 7));
    return { length: rows, data: { kind: 'bits', values: bits }, ...failing(errors, rows) };
  };
}

export function isSpecial(): Kernel {
  return ([vector], rows) => {
    const { validity, special, errors } = vector!;
    const bits = new Uint8Array(bitmapBytes(rows));
    if (special) for (const row of special.keys()) setBit(bits, row);
    if (validity === undefined) return { length: rows, data: { kind: 'bits', values: bits } };
    const known = validity.slice(0, bits.length);
    for (let i = 0; i < bits.length; i++) known[i]! |= bits[i]!;
    return { length: rows, data: { kind: 'bits', values: bits }, ...status(known, errors) };
  };
}

/** Valid everywhere but in the rows that are in error. */
function failing(errors: ReadonlyMap<number, string> | undefined, rows: number) {
  if (errors === undefined || errors.size === 0) return {};
  const validity = filledBitmap(rows);
  for (const row of errors.keys()) validity[row >> 3]! &= ~(1 << (row & 7));
  return status(validity, errors);
}

/** `condition ? a : b`; where the condition has no result, `b`, as a null never matches. */
export function conditional(type: LogicalType): Kernel {
  return (args, rows) => {
    const [condition, ...branches] = args as [Vector, Vector, Vector];
    const { values } = expectKind(condition, 'bits');
    const pick = new Uint8Array(rows);
    for (let i = 0; i < rows; i++) pick[i] = hasValue(condition, i) && getBit(values, i) ? 0 : 1;
    return choose(type, branches, pick, rows, condition.errors);
  };
}

/** The first argument that is not null; a special value counts as one that is there. */
export function coalesce(type: LogicalType): Kernel {
  return (args, rows) => {
    const pick = new Uint8Array(rows);
    const last = args.length - 1;
    for (let i = 0; i < rows; i++) {
      let at = 0;
      while (at < last && isMissing(args[at]!, i)) at++;
      pick[i] = at;
    }
    return choose(type, args, pick, rows, undefined);
  };
}

function isMissing(vector: Vector, row: number): boolean {
  return !hasValue(vector, row) && !vector.special?.has(row) && !vector.errors?.has(row);
}

/** Row i of the vector that `pick[i]` names, all of one type. `failed` rows stay in error. */
function choose(
  type: LogicalType,
  from: readonly Vector[],
  pick: Uint8Array,
  rows: number,
  failed: ReadonlyMap<number, string> | undefined,
): Vector {
  const validity = new Uint8Array(bitmapBytes(rows));
  for (let i = 0; i < rows; i++) if (hasValue(from[pick[i]!]!, i)) setBit(validity, i);
  const errors = new Map<number, string>();
  const special = new Map<number, string>();
  for (let at = 0; at < from.length; at++) {
    for (const [row, reason] of from[at]!.errors ?? []) if (pick[row] === at) errors.set(row, reason);
    for (const [row, text] of from[at]!.special ?? []) if (pick[row] === at) special.set(row, text);
  }
  for (const [row, reason] of failed ?? []) {
    validity[row >> 3]! &= ~(1 << (row & 7));
    special.delete(row);
    errors.set(row, reason);
  }
  return { length: rows, data: chooseData(type, from, pick, rows), ...status(validity, errors, special) };
}

function chooseData(
  type: LogicalType,
  from: readonly Vector[],
  pick: Uint8Array,
  rows: number,
): Vector['data'] {
  const kinds = new Set(from.map((vector) => vector.data.kind));
  if (kinds.size === 1 && kinds.has('bits')) {
    const values = new Uint8Array(bitmapBytes(rows));
    const sources = from.map((vector) => expectKind(vector, 'bits').values);
    for (let i = 0; i < rows; i++) if (getBit(sources[pick[i]!]!, i)) setBit(values, i);
    return { kind: 'bits', values };
  }
  if (kinds.size === 1 && kinds.has('text')) {
    return chooseText(
      from.map((vector) => expectKind(vector, 'text')),
      pick,
      rows,
    );
  }
  if (kinds.has('numbers') || kinds.has('integers')) {
    if (type.kind === 'float') return chooseDoubles(from, pick, rows);
    return from
      .map((vector) => vector.data as Scaled)
      .reduce((a, b, at) => chooseScaled(a, b, pick, at, rows));
  }
  return vectorOf(type, chooseColumn(type, from, pick, rows)).data;
}

function chooseDoubles(from: readonly Vector[], pick: Uint8Array, rows: number): Vector['data'] {
  const sources = from.map((vector) => expectKind(vector, 'numbers').values);
  const values = new Float64Array(rows);
  for (let i = 0; i < rows; i++) values[i] = sources[pick[i]!]![i]!;
  return { kind: 'numbers', values, scale: 0 };
}

/** `a` where an earlier vector is picked, `b` where `at` is. */
function chooseScaled(left: Scaled, right: Scaled, pick: Uint8Array, at: number, rows: number): Scaled {
  const { a, b } = aligned(left, right);
  if (a.kind === 'numbers' && b.kind === 'numbers') {
    const values = new Float64Array(rows);
    for (let i = 0; i < rows; i++) values[i] = pick[i] === at ? b.values[i]! : a.values[i]!;
    return { kind: 'numbers', values, scale: a.scale };
  }
  const x = toIntegers(a);
  const y = toIntegers(b);
  const values = x.values.map((n, i) => (pick[i] === at ? y.values[i]! : n));
  if (typeof x.scale === 'number' && typeof y.scale === 'number')
    return { kind: 'integers', values, scale: x.scale };
  const scale = Int32Array.from(values, (_, i) => scaleAt(pick[i] === at ? y : x, i));
  return { kind: 'integers', values, scale };
}

function chooseText(from: readonly Text[], pick: Uint8Array, rows: number): Text {
  const bytes = Buffer.concat(from.map((text) => text.bytes));
  const shift = new Int32Array(from.length);
  for (let at = 1; at < from.length; at++) shift[at] = shift[at - 1]! + from[at - 1]!.bytes.length;
  const start = new Int32Array(rows);
  const end = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    const at = pick[i]!;
    start[i] = from[at]!.start[i]! + shift[at]!;
    end[i] = from[at]!.end[i]! + shift[at]!;
  }
  return { kind: 'text', bytes, start, end };
}

/** Nested values have no faster way than value by value. */
function chooseColumn(type: LogicalType, from: readonly Vector[], pick: Uint8Array, rows: number): Column {
  const readers = from.map((vector) => valueReader(type, columnFrom(type, withoutErrors(vector))));
  const builder = columnBuilder({ name: 'chosen', type, nullable: true }, rows);
  for (let i = 0; i < rows; i++) {
    builder.append(hasValue(from[pick[i]!]!, i) ? readers[pick[i]!]!(i) : null);
  }
  return builder.finish();
}

function withoutErrors({ errors: _, ...vector }: Vector): Vector {
  return vector;
}

/** From values to columns: a builder per column, for code that makes rows rather than buffers. */
import { unitsPerSecond } from './calendar.js';
import { fitsPrecision, formatDecimal, parseDecimal, writeInt128 } from './decimal.js';
import { sdkErrors } from './errors.js';
import {
  type Bitmap,
  bitmapBytes,
  type Column,
  clearBit,
  type FixedArray,
  filledBitmap,
  type Layout,
  setBit,
} from './layout.js';
import { type Field, formatType, type LogicalType } from './types.js';
import { parseUuid } from './uuid.js';
import {
  type Interval,
  layoutOf,
  type OffsetTimestamp,
  Special,
  UNCHANGED,
  type UnionValue,
  type Value,
} from './values.js';

/** Collects values of one field, as `rows()` shows them, into a column. A builder is used once. */
export interface ColumnBuilder {
  readonly length: number;
  /** Appends a value; throws `SLUICE-SDK-0001` when it does not fit the type. */
  append(value: Value | undefined): void;
  finish(): Column;
}

/** The part of a builder that depends on the layout. `put` writes row `at`; rows that are skipped stay empty. */
interface Store {
  grow(capacity: number): void;
  /** False when the value does not fit the type. */
  put(at: number, value: Exclude<Value, null | typeof UNCHANGED | Special>): boolean;
  /** Called for rows without a value, in order with `put`. */
  skip(at: number): void;
  finish(length: number): Layout;
}

/** A builder for a field; `capacity` is a hint. */
export function columnBuilder(field: Field, capacity = 1024): ColumnBuilder {
  return new Builder(field, Math.max(capacity, 8));
}

/** A column of values. */
export function columnOf(field: Field, values: readonly Value[]): Column {
  const builder = columnBuilder(field, values.length);
  for (const value of values) builder.append(value);
  return builder.finish();
}

class Builder implements ColumnBuilder {
  length = 0;
  private readonly store: Store;
  private validity: Bitmap | undefined;
  private absent: Bitmap | undefined;
  private special: Map<number, string> | undefined;

  constructor(
    private readonly field: Field,
    private capacity: number,
  ) {
    this.store = storeFor(field.type);
    this.store.grow(capacity);
  }

  append(value: Value | undefined): void {
    if (this.length === this.capacity) this.grow();
    const at = this.length++;
    if (value === null || value === undefined) {
      this.markNull(at);
    } else if (value === UNCHANGED) {
      this.markNull(at);
      this.absent ??= new Uint8Array(bitmapBytes(this.capacity));
      setBit(this.absent, at);
    } else if (value instanceof Special) {
      this.markNull(at);
      this.special ??= new Map();
      this.special.set(at, value.text);
    } else if (!this.store.put(at, value)) {
      throw refused(this.field, value);
    }
  }

  finish(): Column {
    const bytes = bitmapBytes(this.length);
    return {
      length: this.length,
      data: this.store.finish(this.length),
      ...(this.validity && { validity: this.validity.subarray(0, bytes) }),
      ...(this.absent && { absent: this.absent.subarray(0, bytes) }),
      ...(this.special && { special: this.special }),
    };
  }

  private markNull(at: number): void {
    this.validity ??= filledBitmap(this.capacity);
    clearBit(this.validity, at);
    this.store.skip(at);
  }

  private grow(): void {
    const grown = this.capacity * 2;
    this.store.grow(grown);
    if (this.validity) {
      const validity = filledBitmap(grown);
      validity.set(this.validity.subarray(0, this.capacity >> 3));
      for (let i = this.capacity & ~7; i < this.capacity; i++) {
        if (!((this.validity[i >> 3]! >> (i & 7)) & 1)) clearBit(validity, i);
      }
      this.validity = validity;
    }
    if (this.absent) {
      const absent = new Uint8Array(bitmapBytes(grown));
      absent.set(this.absent);
      this.absent = absent;
    }
    this.capacity = grown;
  }
}

function refused(field: Field, value: Value) {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : `a ${typeof value}`;
  return sdkErrors.valueRefused(`column ${field.name}: ${shown} is no ${formatType(field.type)}`, {
    details: { column: field.name },
  });
}

function storeFor(type: LogicalType): Store {
  const layout = layoutOf(type);
  switch (layout) {
    case 'none':
      return { grow() {}, put: () => false, skip() {}, finish: () => ({ layout: 'none' }) };
    case 'bits':
      return new BitStore();
    case 'bytes16':
      return new Bytes16Store(type);
    case 'varlen':
      return new VarlenStore(type);
    case 'list':
      return new ListStore(type);
    case 'struct':
      return new StructStore(type);
    case 'union':
      return new UnionStore(type);
    default:
      return new FixedStore(type, layout);
  }
}

class BitStore implements Store {
  private values = new Uint8Array(0);
  grow(capacity: number): void {
    const grown = new Uint8Array(bitmapBytes(capacity));
    grown.set(this.values);
    this.values = grown;
  }
  put(at: number, value: Value): boolean {
    if (typeof value !== 'boolean') return false;
    if (value) setBit(this.values, at);
    return true;
  }
  skip(): void {}
  finish(length: number): Layout {
    return { layout: 'bits', values: this.values.subarray(0, bitmapBytes(length)) };
  }
}

const FIXED = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

class FixedStore implements Store {
  private values: FixedArray;
  private readonly convert: (value: Value) => number | bigint | undefined;

  constructor(
    type: LogicalType,
    private readonly layout: keyof typeof FIXED,
  ) {
    this.values = new FIXED[layout](0);
    this.convert = fixedConverter(type);
  }
  grow(capacity: number): void {
    const grown = new FIXED[this.layout](capacity);
    (grown as BigInt64Array).set(this.values as BigInt64Array);
    this.values = grown;
  }
  put(at: number, value: Value): boolean {
    const converted = this.convert(value);
    if (converted === undefined) return false;
    this.values[at] = converted;
    return true;
  }
  skip(): void {}
  finish(length: number): Layout {
    return { layout: 'fixed', values: this.values.subarray(0, length) };
  }
}

function fixedConverter(type: LogicalType): (value: Value) => number | bigint | undefined {
  if (type.kind === 'float') {
    return (value) => (typeof value === 'number' ? value : undefined);
  }
  if (type.kind === 'decimal') {
    return (value) => decimalOf(type.precision ?? 0, type.scale ?? 0, value);
  }
  if (type.kind === 'int' && type.bits < 64) {
    const low = type.signed ? -(2 ** (type.bits - 1)) : 0;
    const high = type.signed ? 2 ** (type.bits - 1) - 1 : 2 ** type.bits - 1;
    return (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high
        ? value
        : undefined;
  }
  if (type.kind === 'date') {
    return (value) =>
      typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : undefined;
  }
  const [low, high] = wideRange(type);
  return (value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value)) value = BigInt(value);
    return typeof value === 'bigint' && value >= low && value <= high ? value : undefined;
  };
}

/** The least and the greatest value of a type in 64 bits. */
function wideRange(type: LogicalType): readonly [bigint, bigint] {
  if (type.kind === 'time') return [0n, 86_400n * unitsPerSecond(type.unit)];
  if (type.kind === 'int' && !type.signed) return [0n, 2n ** 64n - 1n];
  return [-(2n ** 63n), 2n ** 63n - 1n];
}

function decimalOf(precision: number, scale: number, value: Value): bigint | undefined {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  if (typeof text !== 'string') return undefined;
  const unscaled = parseDecimal(text, scale);
  return unscaled !== undefined && fitsPrecision(unscaled, precision) ? unscaled : undefined;
}

class Bytes16Store implements Store {
  private values = new Uint8Array(0);
  private view = new DataView(this.values.buffer);
  constructor(private readonly type: LogicalType) {}
  grow(capacity: number): void {
    const grown = new Uint8Array(capacity * 16);
    grown.set(this.values);
    this.values = grown;
    this.view = new DataView(grown.buffer);
  }
  put(at: number, value: Value): boolean {
    if (this.type.kind === 'uuid') return typeof value === 'string' && parseUuid(value, this.values, at * 16);
    if (this.type.kind === 'decimal') {
      const unscaled = decimalOf(this.type.precision ?? 0, this.type.scale ?? 0, value);
      if (unscaled === undefined) return false;
      writeInt128(this.values, at * 16, unscaled);
      return true;
    }
    const { months, days, nanos } = value as Interval;
    if (!isInt32(months) || !isInt32(days) || typeof nanos !== 'bigint') return false;
    if (BigInt.asIntN(64, nanos) !== nanos) return false;
    this.view.setInt32(at * 16, months, true);
    this.view.setInt32(at * 16 + 4, days, true);
    this.view.setBigInt64(at * 16 + 8, nanos, true);
    return true;
  }
  skip(): void {}
  finish(length: number): Layout {
    return { layout: 'bytes', width: 16, values: this.values.subarray(0, length * 16) };
  }
}

function isInt32(n: number): boolean {
  return (n | 0) === n;
}

class VarlenStore implements Store {
  private offsets = new Int32Array(1);
  private data = Buffer.allocUnsafe(1024);
  private end = 0;
  private readonly labels: ReadonlySet<string> | undefined;
  constructor(private readonly type: LogicalType) {
    this.labels = type.kind === 'enum' ? new Set(type.values) : undefined;
  }
  grow(capacity: number): void {
    const grown = new Int32Array(capacity + 1);
    grown.set(this.offsets);
    this.offsets = grown;
  }
  put(at: number, value: Value): boolean {
    if (this.type.kind === 'bytes') {
      if (!(value instanceof Uint8Array)) return false;
      this.reserve(value.byteLength);
      this.data.set(value, this.end);
      this.end += value.byteLength;
    } else {
      const text = this.type.kind === 'decimal' ? unboundedDecimal(this.type, value) : value;
      if (typeof text !== 'string' || (this.labels && !this.labels.has(text))) return false;
      // Half a surrogate pair has no UTF-8; writing it would put another character in its place.
      if (!(text as WellFormed).isWellFormed()) return false;
      this.reserve(text.length * 3);
      this.end += this.data.write(text, this.end);
    }
    this.offsets[at + 1] = this.end;
    return true;
  }
  skip(at: number): void {
    this.offsets[at + 1] = this.end;
  }
  finish(length: number): Layout {
    return {
      layout: 'varlen',
      offsets: this.offsets.subarray(0, length + 1),
      data: this.data.subarray(0, this.end),
    };
  }
  private reserve(bytes: number): void {
    if (this.end + bytes <= this.data.byteLength) return;
    const grown = Buffer.allocUnsafe(Math.max(this.data.byteLength * 2, this.end + bytes));
    this.data.copy(grown, 0, 0, this.end);
    this.data = grown;
  }
}

/** ES2024, which Node has, but not the library that this is compiled with. */
type WellFormed = string & { isWellFormed(): boolean };

/** Plain notation of a decimal, without an exponent; with a scale, exactly that many digits behind the point. */
function unboundedDecimal(type: { scale?: number; precision?: number }, value: Value): string | undefined {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  if (typeof text !== 'string') return undefined;
  if (type.precision !== undefined) {
    const unscaled = decimalOf(type.precision, type.scale ?? 0, text);
    return unscaled === undefined ? undefined : formatDecimal(unscaled, type.scale ?? 0);
  }
  if (/^-?\d+(\.\d+)?$/.test(text)) return text;
  const exponent = /[eE]([+-]?\d+)$/.exec(text);
  const behind = /\.(\d*)/.exec(text)?.[1]?.length ?? 0;
  const scale = Math.max(0, behind - Number(exponent?.[1] ?? 0));
  const unscaled = scale > 20_000 ? undefined : parseDecimal(text, scale);
  return unscaled === undefined ? undefined : formatDecimal(unscaled, scale);
}

class ListStore implements Store {
  private offsets = new Int32Array(1);
  private readonly child: ColumnBuilder;
  private readonly isMap: boolean;
  constructor(type: LogicalType) {
    this.isMap = type.kind === 'map';
    if (type.kind === 'map') {
      const entry: LogicalType = { kind: 'struct', fields: [type.key, type.value] };
      this.child = columnBuilder({ name: 'entries', type: entry, nullable: false });
    } else if (type.kind === 'list') {
      this.child = columnBuilder(type.item);
    } else {
      throw new TypeError(`a ${type.kind} has no list column`);
    }
  }
  grow(capacity: number): void {
    const grown = new Int32Array(capacity + 1);
    grown.set(this.offsets);
    this.offsets = grown;
  }
  put(at: number, value: Value): boolean {
    if (!Array.isArray(value)) return false;
    for (const item of value as readonly Value[]) {
      if (this.isMap) {
        if (!Array.isArray(item) || item.length !== 2) return false;
        this.child.append({ key: item[0] as Value, value: item[1] as Value });
      } else {
        this.child.append(item);
      }
    }
    this.offsets[at + 1] = this.child.length;
    return true;
  }
  skip(at: number): void {
    this.offsets[at + 1] = this.child.length;
  }
  finish(length: number): Layout {
    return { layout: 'list', offsets: this.offsets.subarray(0, length + 1), child: this.child.finish() };
  }
}

class StructStore implements Store {
  private readonly fields: readonly Field[];
  private readonly children: readonly ColumnBuilder[];
  constructor(private readonly type: LogicalType) {
    this.fields = structFields(type);
    this.children = this.fields.map((f) => columnBuilder(f));
  }
  grow(): void {}
  put(_at: number, value: Value): boolean {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    if (this.type.kind === 'timestamp' && typeof (value as OffsetTimestamp).at !== 'bigint') return false;
    const members = value as { readonly [name: string]: Value };
    for (let i = 0; i < this.fields.length; i++) this.children[i]!.append(members[this.fields[i]!.name]);
    return true;
  }
  skip(): void {
    for (const child of this.children) child.append(null);
  }
  finish(): Layout {
    return { layout: 'struct', children: this.children.map((child) => child.finish()) };
  }
}

/** The members that a struct layout has: of a struct its fields, of a timestamp with offset instant and minutes. */
export function structFields(type: LogicalType): readonly Field[] {
  if (type.kind === 'struct') return type.fields;
  if (type.kind === 'timestamp') {
    return [
      { name: 'at', type: { kind: 'timestamp', unit: type.unit, zone: 'utc' }, nullable: false },
      { name: 'offset', type: { kind: 'int', bits: 16, signed: true }, nullable: false },
    ];
  }
  throw new TypeError(`a ${type.kind} has no struct column`);
}

class UnionStore implements Store {
  private typeIds = new Int8Array(0);
  private readonly variants: readonly Field[];
  private readonly children: readonly ColumnBuilder[];
  constructor(type: LogicalType) {
    if (type.kind !== 'union') throw new TypeError(`a ${type.kind} has no union column`);
    this.variants = type.variants;
    this.children = type.variants.map((variant) => columnBuilder(variant));
  }
  grow(capacity: number): void {
    const grown = new Int8Array(capacity);
    grown.set(this.typeIds);
    this.typeIds = grown;
  }
  put(at: number, value: Value): boolean {
    const { tag, value: held } = value as UnionValue;
    const chosen = this.variants.findIndex((variant) => variant.name === tag);
    if (chosen < 0) return false;
    this.typeIds[at] = chosen;
    for (let i = 0; i < this.children.length; i++) this.children[i]!.append(i === chosen ? held : null);
    return true;
  }
  skip(): void {
    for (const child of this.children) child.append(null);
  }
  finish(length: number): Layout {
    return {
      layout: 'union',
      typeIds: this.typeIds.subarray(0, length),
      children: this.children.map((child) => child.finish()),
    };
  }
}

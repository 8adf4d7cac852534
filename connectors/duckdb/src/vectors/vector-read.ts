/**
 * From DuckDB's vectors to columns: a reader per column gathers the chunks of a batch. Layouts of vectors:
 * https://duckdb.org/docs/stable/clients/c/vector
 */
import type { Vector } from '@duckdb/node-bindings';
import {
  type Bitmap,
  bitmapBytes,
  type Column,
  clearBit,
  filledBitmap,
  getBit,
  type LogicalType,
  layoutOf,
  setBit,
} from '@sluice/sdk';
import type { Bindings } from '../database/driver.js';
import {
  Bools,
  Fixed,
  Intervals,
  infiniteDays,
  infiniteInstants,
  Narrow,
  Sixteens,
  turnUuid,
} from './fixed-read.js';
import { Listed, Structs, Unions } from './nested-read.js';
import type { Pick, Values } from './read-values.js';
import { Strings } from './string-read.js';

/** Gathers one column of a batch. */
export class ColumnReader {
  length = 0;
  private validity: Bitmap | undefined;
  private readonly values: Values;

  constructor(
    private readonly bindings: Bindings,
    type: LogicalType,
  ) {
    this.values = valuesOf(bindings, type);
  }

  append(vector: Vector, size: number, pick?: Pick): void {
    const valid = this.bindings.vector_get_validity(vector, bitmapBytes(size)) as Uint8Array | null;
    const count = pick?.length ?? size;
    this.values.append(vector, size, pick, this.length, valid);
    this.appendValidity(valid, count, pick);
    this.length += count;
  }

  /** Bytes that the rows so far take. */
  get bytes(): number {
    return this.values.bytes(this.length) + (this.validity === undefined ? 0 : bitmapBytes(this.length));
  }

  /** The rows so far as a column; the reader then begins another one. */
  finish(): Column {
    const { length } = this;
    let { validity } = this;
    const { special } = this.values;
    const data = this.values.finish(length);
    this.length = 0;
    this.validity = undefined;
    const hasSpecial = special !== undefined && special.size > 0;
    if (hasSpecial) {
      validity ??= filledBitmap(length);
      for (const row of special.keys()) clearBit(validity, row);
    }
    return {
      length,
      data,
      ...(validity && { validity: validity.subarray(0, bitmapBytes(length)) }),
      ...(hasSpecial && { special }),
    };
  }

  private appendValidity(valid: Bitmap | null, count: number, pick: Pick): void {
    if (valid === null && this.validity === undefined) return;
    const { length } = this;
    const needed = bitmapBytes(length + count);
    if (this.validity === undefined || this.validity.length < needed) this.growValidity(needed);
    const bits = this.validity!;
    if (pick === undefined && (length & 7) === 0) {
      if (valid === null) bits.fill(0xff, length >> 3, needed);
      else bits.set(valid.subarray(0, bitmapBytes(count)), length >> 3);
      // Bits behind the end stay clear, so that what comes next can be set bit by bit.
      if ((length + count) & 7) bits[needed - 1]! &= (1 << ((length + count) & 7)) - 1;
      return;
    }
    for (let i = 0; i < count; i++) {
      if (valid === null || getBit(valid, pick === undefined ? i : pick[i]!)) setBit(bits, length + i);
    }
  }

  private growValidity(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, (this.validity?.length ?? 128) * 2));
    grown.set(this.validity ?? filledBitmap(this.length));
    this.validity = grown;
  }
}

function valuesOf(bindings: Bindings, type: LogicalType): Values {
  switch (type.kind) {
    case 'null':
      return { append() {}, finish: () => ({ layout: 'none' }), bytes: () => 0 };
    case 'bool':
      return new Bools(bindings);
    case 'uuid':
      return new Sixteens(bindings, turnUuid);
    case 'interval':
      return new Intervals(bindings);
    case 'decimal':
      return decimals(bindings, type);
    case 'list':
      return new Listed(bindings, new ColumnReader(bindings, type.item.type));
    case 'map': {
      const entry: LogicalType = { kind: 'struct', fields: [type.key, type.value] };
      return new Listed(bindings, new ColumnReader(bindings, entry));
    }
    case 'struct':
      return new Structs(
        bindings,
        type.fields.map((f) => new ColumnReader(bindings, f.type)),
      );
    case 'union':
      return new Unions(
        bindings,
        type.variants.map((f) => new ColumnReader(bindings, f.type)),
      );
    case 'date':
      return new Fixed(bindings, Int32Array, infiniteDays);
    case 'timestamp':
      return new Fixed(bindings, BigInt64Array, infiniteInstants);
    default: {
      const layout = layoutOf(type);
      return layout === 'varlen'
        ? new Strings(bindings)
        : new Fixed(bindings, ARRAYS[layout as keyof typeof ARRAYS]);
    }
  }
}

const ARRAYS = {
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

/** Decimals lie in the narrowest integers that hold their digits, or are text. */
function decimals(bindings: Bindings, { precision }: LogicalType & { kind: 'decimal' }): Values {
  if (precision === undefined) return new Strings(bindings);
  if (precision > 18) return new Sixteens(bindings);
  if (precision > 9) return new Fixed(bindings, BigInt64Array);
  return new Narrow(bindings, precision > 4 ? Int32Array : Int16Array);
}

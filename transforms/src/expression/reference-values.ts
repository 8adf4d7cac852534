/** The values that the reference interpreter works with. */
import { type LogicalType, Special, type Value } from '@sluice/sdk';

/** An evaluation that has no result for a row. */
export class RowFailure extends Error {}

/** All integers and time values are bigints here, whatever their width. */
export type Ref = null | boolean | bigint | number | string | Special | ReferenceDecimal;

export class ReferenceDecimal {
  constructor(
    readonly unscaled: bigint,
    readonly scale: number,
  ) {}

  static parse(text: string): ReferenceDecimal | undefined {
    const match = /^\s*([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?\s*$/.exec(text);
    if (!match || match[2]! + match[3]! === '') return undefined;
    const exponent = Number(match[4] ?? 0);
    const digits = BigInt(match[2]! + match[3]!) * (match[1] === '-' ? -1n : 1n);
    const scale = match[3]!.length - exponent;
    return scale >= 0
      ? new ReferenceDecimal(digits, scale)
      : new ReferenceDecimal(digits * 10n ** BigInt(-scale), 0);
  }

  private at(scale: number): bigint {
    return this.unscaled * 10n ** BigInt(scale - this.scale);
  }

  compare(other: ReferenceDecimal): number {
    const scale = Math.max(this.scale, other.scale);
    const difference = this.at(scale) - other.at(scale);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  apply(op: string, other: ReferenceDecimal, quotientScale: number): ReferenceDecimal {
    const scale = Math.max(this.scale, other.scale);
    if (op === 'add') return new ReferenceDecimal(this.at(scale) + other.at(scale), scale);
    if (op === 'sub') return new ReferenceDecimal(this.at(scale) - other.at(scale), scale);
    if (op === 'mul') return new ReferenceDecimal(this.unscaled * other.unscaled, this.scale + other.scale);
    if (other.unscaled === 0n) throw new RowFailure('division by zero');
    if (op === 'mod') return new ReferenceDecimal(this.at(scale) % other.at(scale), scale);
    // Two digits more than wanted never decide a half wrongly when the rest is kept as a sticky digit
    const digits = 10n ** BigInt(quotientScale + 2);
    const numerator = this.at(scale) * digits;
    const exact = numerator / other.at(scale);
    const sticky =
      numerator % other.at(scale) === 0n ? 0n : this.unscaled < 0n !== other.unscaled < 0n ? -1n : 1n;
    return new ReferenceDecimal(exact * 10n + sticky, quotientScale + 3).rounded('round', quotientScale);
  }

  rounded(op: string, digits: number): ReferenceDecimal {
    if (digits >= this.scale) return this;
    const by = 10n ** BigInt(this.scale - digits);
    const size = this.unscaled < 0n ? -this.unscaled : this.unscaled;
    const below = this.unscaled < 0n ? -((size + by - 1n) / by) : size / by;
    if (op === 'floor') return new ReferenceDecimal(below, digits);
    if (op === 'ceil') return new ReferenceDecimal(this.unscaled % by === 0n ? below : below + 1n, digits);
    const half = (size + by / 2n) / by;
    return new ReferenceDecimal(this.unscaled < 0n ? -half : half, digits);
  }

  /** The same value at a scale and within a precision; fails when digits would be lost. */
  exactly(precision: number, scale: number): ReferenceDecimal {
    const kept =
      this.scale <= scale ? new ReferenceDecimal(this.at(scale), scale) : this.rounded('floor', scale);
    const size = kept.unscaled < 0n ? -kept.unscaled : kept.unscaled;
    if (kept.compare(this) !== 0 || size >= 10n ** BigInt(precision)) throw new RowFailure('does not fit');
    return kept;
  }

  toString(): string {
    const digits = (this.unscaled < 0n ? -this.unscaled : this.unscaled)
      .toString()
      .padStart(this.scale + 1, '0');
    const whole = digits.slice(0, digits.length - this.scale);
    const fraction = this.scale > 0 ? `.${digits.slice(-this.scale)}` : '';
    return `${this.unscaled < 0n ? '-' : ''}${whole}${fraction}`;
  }

  /** Without zeros at the end of the fraction. */
  shortest(): string {
    const text = this.toString();
    return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  }
}

/** From a row's value. */
export function refOf(type: LogicalType, value: Value): Ref {
  if (value === null || value instanceof Special) return value;
  if (type.kind === 'decimal') return ReferenceDecimal.parse(value as string)!;
  if (type.kind === 'int' || type.kind === 'date') return BigInt(value as number | bigint);
  return value as Ref;
}

/** As a row holds it. */
export function rowValueOf(type: LogicalType, ref: Ref): Value {
  if (ref instanceof ReferenceDecimal) {
    if (type.kind === 'decimal' && type.scale === undefined) return ref.shortest();
    return ref
      .exactly(type.kind === 'decimal' ? type.precision! : 0, type.kind === 'decimal' ? type.scale! : 0)
      .toString();
  }
  if (typeof ref !== 'bigint') return ref;
  if (type.kind === 'decimal') return rowValueOf(type, new ReferenceDecimal(ref, 0));
  const narrow = (type.kind === 'int' && type.bits < 64) || type.kind === 'date';
  return narrow ? Number(ref) : ref;
}

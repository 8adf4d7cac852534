/** `abs`, `round`, `floor`, `ceil`. */
import { type LogicalType, powerOfTen } from '@sluice/sdk';
import { inRange } from './arithmetic.js';
import { divideRounded, type Scaled, scaleAt, scaled } from './scales.js';
import { integersOf } from './to-number.js';
import { computedStatus, expectKind, type Kernel, Outcome } from './vector.js';

export function absolute(type: LogicalType): Kernel {
  return (args, rows) => {
    const outcome = new Outcome(computedStatus(args, rows), rows);
    const data = scaled(args[0]!);
    const sized: Scaled =
      data.kind === 'numbers'
        ? { ...data, values: data.values.map((n) => Math.abs(n)) }
        : { ...data, values: data.values.map((n) => (n < 0n ? -n : n)) };
    return inRange(type, sized, outcome, rows);
  };
}

export type Rounding = 'round' | 'floor' | 'ceil';

/** Doubles to whole numbers; halves away from zero. */
export function roundDouble(op: Rounding): Kernel {
  const round = op === 'floor' ? Math.floor : op === 'ceil' ? Math.ceil : halfAway;
  return (args, rows) => {
    const { values } = expectKind(args[0]!, 'numbers');
    return {
      length: rows,
      data: { kind: 'numbers', values: values.map((n) => round(n)), scale: 0 },
      ...computedStatus(args, rows),
    };
  };
}

function halfAway(n: number): number {
  const whole = Math.trunc(n);
  return Math.abs(n - whole) >= 0.5 ? whole + Math.sign(n) : whole;
}

/** Decimals to `digits` behind the point; `round` takes halves away from zero. */
export function roundDecimal(op: Rounding, digits: number): Kernel {
  return (args, rows) => ({
    length: rows,
    data: roundScaled(op, scaled(args[0]!), digits),
    ...computedStatus(args, rows),
  });
}

function roundScaled(op: Rounding, data: Scaled, digits: number): Scaled {
  if (typeof data.scale === 'number' && data.scale <= digits) return data;
  if (data.kind === 'numbers' && data.scale - digits <= 15) {
    const by = 10 ** (data.scale - digits);
    const values = new Float64Array(data.values.length);
    for (let i = 0; i < values.length; i++) values[i] = roundNumber(op, data.values[i]!, by);
    return { kind: 'numbers', values, scale: digits };
  }
  const scale = Int32Array.from(data.values as ArrayLike<number>, (_, i) =>
    Math.min(digits, scaleAt(data, i)),
  );
  const values = Array.from(data.values as ArrayLike<number | bigint>, (n, i) => {
    const by = powerOfTen(scaleAt(data, i) - scale[i]!);
    return roundInteger(op, BigInt(n), by);
  });
  if (typeof data.scale !== 'number') return { kind: 'integers', values, scale };
  return { ...integersOf(values), scale: digits } as Scaled;
}

function roundNumber(op: Rounding, n: number, by: number): number {
  const rest = n % by;
  const cut = (n - rest) / by;
  if (op === 'floor') return (rest < 0 ? cut - 1 : cut) + 0;
  if (op === 'ceil') return (rest > 0 ? cut + 1 : cut) + 0;
  return (Math.abs(rest) * 2 >= by ? cut + Math.sign(n) : cut) + 0;
}

function roundInteger(op: Rounding, n: bigint, by: bigint): bigint {
  if (op === 'round') return divideRounded(n, by);
  const cut = n / by;
  const rest = n % by;
  if (op === 'floor') return rest < 0n ? cut - 1n : cut;
  return rest > 0n ? cut + 1n : cut;
}

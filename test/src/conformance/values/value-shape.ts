/** What a value in `rows()` has to be, by the SDK's table of values. */
import {
  type Field,
  fitsPrecision,
  type LogicalType,
  parseDecimal,
  Special,
  structFields,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';

const INT64 = 1n << 63n;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What is wrong with a value's form for its field; undefined when nothing is. */
export function shapeProblem(field: Field, value: Value | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (value === UNCHANGED || value instanceof Special) return undefined;
  const wrong = problemIn(field.type, value);
  return wrong === undefined ? undefined : `${field.name}: ${wrong}`;
}

function problemIn(type: LogicalType, value: Exclude<Value, null>): string | undefined {
  switch (type.kind) {
    case 'null':
      return 'a column of type null holds nulls only';
    case 'bool':
      return typeof value === 'boolean' ? undefined : not('a boolean', value);
    case 'int':
      return intProblem(type, value);
    case 'float':
      if (typeof value !== 'number') return not('a number', value);
      return type.bits === 64 || Object.is(Math.fround(value), value) ? undefined : `${value} is no float32`;
    case 'decimal':
      return decimalProblem(type, value);
    case 'bytes':
      return value instanceof Uint8Array ? undefined : not('a Uint8Array', value);
    case 'uuid':
      return typeof value === 'string' && UUID.test(value) ? undefined : not('a lower-case uuid', value);
    case 'date':
      return Number.isInteger(value) ? undefined : not('a whole number of days', value);
    case 'time':
    case 'duration':
      return typeof value === 'bigint' ? undefined : not('a bigint', value);
    case 'timestamp':
      if (type.zone === 'offset') return membersProblem(type, value);
      return typeof value === 'bigint' ? undefined : not('a bigint', value);
    case 'interval': {
      const { months, days, nanos } = value as { [name: string]: unknown };
      const fits = Number.isInteger(months) && Number.isInteger(days) && typeof nanos === 'bigint';
      return fits ? undefined : not('{ months, days, nanos }', value);
    }
    case 'list':
      if (!Array.isArray(value)) return not('an array', value);
      return firstOf(value as readonly Value[], (item) => shapeProblem(type.item, item));
    case 'struct':
      return membersProblem(type, value);
    case 'map':
      if (!Array.isArray(value)) return not('an array of [key, value]', value);
      return firstOf(value as readonly Value[], (entry) => {
        if (!Array.isArray(entry) || entry.length !== 2) return not('[key, value]', entry);
        return shapeProblem(type.key, entry[0] as Value) ?? shapeProblem(type.value, entry[1] as Value);
      });
    case 'union': {
      const { tag, value: held } = value as { tag?: unknown; value?: Value };
      const variant = type.variants.find(({ name }) => name === tag);
      return variant === undefined ? not('{ tag, value } of a variant', value) : shapeProblem(variant, held);
    }
    case 'enum':
      if (typeof value !== 'string') return not('a string', value);
      return type.values.includes(value) ? undefined : `${JSON.stringify(value)} is no label of the enum`;
    default:
      return typeof value === 'string' ? undefined : not('a string', value);
  }
}

function intProblem(
  type: { readonly bits: number; readonly signed: boolean },
  value: Value,
): string | undefined {
  if (type.bits === 64) {
    if (typeof value !== 'bigint') return not('a bigint', value);
    const fits = type.signed ? value >= -INT64 && value < INT64 : value >= 0n && value < 2n * INT64;
    return fits ? undefined : `${value} is out of range`;
  }
  if (!Number.isInteger(value)) return not('a whole number', value);
  const low = type.signed ? -(2 ** (type.bits - 1)) : 0;
  const high = type.signed ? 2 ** (type.bits - 1) - 1 : 2 ** type.bits - 1;
  return (value as number) >= low && (value as number) <= high
    ? undefined
    : `${String(value)} is out of range`;
}

function decimalProblem(
  type: { readonly precision?: number; readonly scale?: number },
  value: Value,
): string | undefined {
  const { precision, scale = 0 } = type;
  const form =
    precision === undefined
      ? /^-?\d+(\.\d+)?$/
      : new RegExp(`^-?\\d+${scale > 0 ? `\\.\\d{${scale}}` : ''}$`);
  if (typeof value !== 'string' || !form.test(value)) {
    return not(
      precision === undefined
        ? 'a decimal in plain notation'
        : `a decimal with ${scale} digits behind the point`,
      value,
    );
  }
  return precision === undefined || fitsPrecision(parseDecimal(value, scale)!, precision)
    ? undefined
    : `${value} has more than ${precision} digits`;
}

function membersProblem(type: LogicalType, value: Value): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return not('an object', value);
  return firstOf(structFields(type), (f) => shapeProblem(f, (value as { [name: string]: Value })[f.name]));
}

function firstOf<T>(items: readonly T[], problem: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = problem(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function not(wanted: string, value: Value): string {
  const shown =
    typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : `${typeof value} ${String(value)}`;
  return `${shown} is not ${wanted}`;
}

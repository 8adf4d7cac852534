/** What a generated column holds, as the configuration says it: one schema per kind of value. */
import { parseDate, parseDecimal, parseTimestamp } from '@sluice/sdk';
import { z } from 'zod';

const share = z.number().min(0).max(1);
const length = z.number().int().min(0).max(1_000_000);
const wholeText = z.string().regex(/^-?\d+$/, 'a whole number as text');
const whole = z.union([z.number().int(), wholeText]);
const isoDate = z.string().refine((text) => parseDate(text) !== undefined, 'a date like 2024-02-29');
const isoInstant = z
  .string()
  .refine((text) => parseTimestamp(text, 'ns', 'utc') !== undefined, 'an instant like 2024-02-29T13:45:00Z');
const plainDecimal = z.string().refine((text) => parseDecimal(text, 400) !== undefined, 'a decimal as text');

const common = {
  nulls: share.optional().describe('Share of rows that are null; a column without it is declared not null'),
  special: z
    .object({
      share: share.describe('Share of rows that hold one of the values'),
      values: z.array(z.string()).min(1).describe('Texts outside the type: NaN, infinity, 0044-03-15 BC'),
    })
    .strict()
    .optional()
    .describe('Values outside the logical type, for testing how a sink treats them'),
};

const unit = z.enum(['us', 'ns']).default('us').describe('Resolution');
const sizes = (what: string, low: number, high: number) => ({
  min: length.default(low).describe(`Fewest ${what}`),
  max: length.default(high).describe(`Most ${what}`),
});

const sequence = z.strictObject({
  type: z.literal('sequence'),
  start: z.number().int().default(1).describe('Value of the first row'),
  step: z.number().int().default(1).describe('Distance from row to row'),
});
const int = z.strictObject({
  type: z.literal('int'),
  bits: z.union([z.literal(8), z.literal(16), z.literal(32), z.literal(64)]).default(32),
  signed: z.boolean().default(true),
  min: whole.optional().describe('Smallest value; the type’s own by default'),
  max: whole.optional().describe('Greatest value; the type’s own by default'),
  ...common,
});
const float = z.strictObject({
  type: z.literal('float'),
  bits: z.union([z.literal(32), z.literal(64)]).default(64),
  min: z.number().default(0),
  max: z.number().default(1),
  ...common,
});
const decimal = z.strictObject({
  type: z.literal('decimal'),
  precision: z.number().int().min(1).max(1000).optional().describe('Without it the decimal is unbounded'),
  scale: z.number().int().min(0).max(1000).default(0),
  min: plainDecimal.optional(),
  max: plainDecimal.optional(),
  ...common,
});
const text = z.strictObject({
  type: z.literal('text'),
  ...sizes('characters', 5, 25),
  alphabet: z
    .string()
    .min(1)
    .default('abcdefghijklmnopqrstuvwxyz0123456789')
    .describe('Characters to draw from'),
  ...common,
});
const words = z.strictObject({ type: z.literal('words'), ...sizes('words', 2, 6), ...common });
const pick = z.strictObject({
  type: z.literal('pick'),
  values: z.array(z.string()).min(1).describe('Texts to choose from'),
  weights: z.array(z.number().min(0)).optional().describe('How often each is chosen, relative to the others'),
  as: z.enum(['string', 'enum']).default('string').describe('The logical type'),
  ...common,
});
const bytes = z.strictObject({ type: z.literal('bytes'), ...sizes('bytes', 0, 32), ...common });
const uuid = z.strictObject({ type: z.literal('uuid'), ...common });
const bool = z.strictObject({
  type: z.literal('bool'),
  share: share.default(0.5).describe('Share of true'),
  ...common,
});
const date = z.strictObject({
  type: z.literal('date'),
  from: isoDate.default('2000-01-01'),
  to: isoDate.default('2030-12-31').describe('Last day'),
  ...common,
});
const time = z.strictObject({ type: z.literal('time'), unit, ...common });
const timestamp = z.strictObject({
  type: z.literal('timestamp'),
  from: isoInstant.default('2000-01-01T00:00:00Z'),
  to: isoInstant.default('2030-12-31T23:59:59Z'),
  zone: z.enum(['utc', 'none', 'offset']).default('utc'),
  unit,
  ...common,
});
const interval = z.strictObject({ type: z.literal('interval'), unit, ...common });
const duration = z.strictObject({ type: z.literal('duration'), unit, ...common });
const native = z.strictObject({
  type: z.literal('native'),
  name: z.string().min(1).describe('The system’s own type name'),
  values: z.array(z.string()).min(1).describe('Texts to choose from'),
  ...common,
});
const nothing = z.strictObject({ type: z.literal('null') });

const json = z.strictObject({
  type: z.literal('json'),
  fields: z.lazy(() => z.record(z.string(), valueSpec)).describe('Members of each object, in order'),
  ...common,
});
const list = z.strictObject({
  type: z.literal('list'),
  item: z.lazy(() => valueSpec).describe('What an item holds'),
  ...sizes('items', 0, 4),
  ...common,
});
const struct = z.strictObject({
  type: z.literal('struct'),
  fields: z.lazy(() => z.record(z.string(), valueSpec)).describe('Members in order'),
  ...common,
});
const map = z.strictObject({
  type: z.literal('map'),
  key: z.lazy(() => valueSpec).describe('What a key holds'),
  value: z.lazy(() => valueSpec).describe('What a value holds'),
  ...sizes('entries', 0, 3),
  ...common,
});
const union = z.strictObject({
  type: z.literal('union'),
  variants: z.lazy(() => z.record(z.string(), valueSpec)).describe('One of these, chosen evenly'),
  ...common,
});

export type ScalarSpec = z.output<
  | typeof int
  | typeof float
  | typeof decimal
  | typeof text
  | typeof words
  | typeof pick
  | typeof bytes
  | typeof uuid
  | typeof bool
  | typeof date
  | typeof time
  | typeof timestamp
  | typeof interval
  | typeof duration
  | typeof native
  | typeof nothing
>;

interface Common {
  nulls?: number | undefined;
  special?: { share: number; values: string[] } | undefined;
}
export type NestedSpec = Common &
  (
    | { type: 'json' | 'struct'; fields: { [name: string]: ValueSpec } }
    | { type: 'list'; item: ValueSpec; min: number; max: number }
    | { type: 'map'; key: ValueSpec; value: ValueSpec; min: number; max: number }
    | { type: 'union'; variants: { [name: string]: ValueSpec } }
  );

/** A value that may stand anywhere. */
export type ValueSpec = ScalarSpec | NestedSpec;

/** A column: a value, or a sequence, which counts rows and so cannot stand inside another value. */
export type ColumnSpec = ValueSpec | z.output<typeof sequence>;

const scalars = [
  int,
  float,
  decimal,
  text,
  words,
  pick,
  bytes,
  uuid,
  bool,
  date,
  time,
  timestamp,
  interval,
] as const;
const others = [duration, native, nothing, json, list, struct, map, union] as const;

const valueSpec: z.ZodType<ValueSpec> = z
  .lazy(() => z.discriminatedUnion('type', [...scalars, ...others]))
  .superRefine((spec, issue) => {
    const wrong = contradiction(spec as ValueSpec);
    if (wrong !== undefined) issue.addIssue({ code: 'custom', message: wrong });
  }) as z.ZodType<ValueSpec>;

/** The schema of a column. */
export const columnSpec: z.ZodType<ColumnSpec> = z.union([sequence, valueSpec]);

/** What is wrong with bounds that are each fine by themselves. */
function contradiction(spec: ValueSpec): string | undefined {
  switch (spec.type) {
    case 'int': {
      const { low, high } = intBounds(spec);
      const own = intBounds({ ...spec, min: undefined, max: undefined });
      if (low < own.low || high > own.high)
        return `min and max must fit ${spec.signed ? '' : 'u'}int${spec.bits}`;
      return low > high ? 'min is above max' : undefined;
    }
    case 'decimal': {
      if (spec.precision !== undefined && spec.scale > spec.precision) return 'scale is above precision';
      const { low, high } = decimalBounds(spec);
      if (low === undefined || high === undefined) return 'min and max must fit precision and scale';
      return low > high ? 'min is above max' : undefined;
    }
    case 'pick':
      if (spec.weights === undefined) return undefined;
      if (spec.weights.length !== spec.values.length) return 'as many weights as values are needed';
      return spec.weights.every((weight) => weight === 0) ? 'one weight must be above 0' : undefined;
    case 'date':
      return parseDate(spec.from)! > parseDate(spec.to)! ? 'from is after to' : undefined;
    case 'timestamp':
      return parseTimestamp(spec.from, 'ns', 'utc')! > parseTimestamp(spec.to, 'ns', 'utc')!
        ? 'from is after to'
        : undefined;
    case 'map':
      if ('nulls' in spec.key || 'special' in spec.key || spec.key.type === 'null')
        return 'keys cannot be null';
      return spec.min > spec.max ? 'min is above max' : undefined;
    default:
      return 'min' in spec && spec.min > spec.max ? 'min is above max' : undefined;
  }
}

/** Smallest and greatest value of an integer column. */
export function intBounds(spec: Extract<ScalarSpec, { type: 'int' }>): { low: bigint; high: bigint } {
  const bits = BigInt(spec.bits);
  const low = spec.signed ? -(1n << (bits - 1n)) : 0n;
  const high = (1n << (spec.signed ? bits - 1n : bits)) - 1n;
  return {
    low: spec.min === undefined ? low : BigInt(spec.min),
    high: spec.max === undefined ? high : BigInt(spec.max),
  };
}

/** Smallest and greatest unscaled value of a decimal column; undefined where a bound does not fit. */
export function decimalBounds(spec: Extract<ScalarSpec, { type: 'decimal' }>): {
  low?: bigint;
  high?: bigint;
} {
  const { precision = 20, scale } = spec;
  const limit = 10n ** BigInt(precision) - 1n;
  const bound = (value: string | undefined, otherwise: bigint) => {
    const unscaled = value === undefined ? otherwise : parseDecimal(value, scale);
    if (unscaled === undefined || unscaled > limit || unscaled < -limit) return undefined;
    return unscaled;
  };
  const low = bound(spec.min, 0n);
  const high = bound(spec.max, limit);
  return { ...(low !== undefined && { low }), ...(high !== undefined && { high }) };
}

/** Random typed rows and random well-typed expressions over them, for property tests. */
import { field, Special, streamSchema, types, UNCHANGED, type Value } from '@sluice/sdk';
import fc from 'fast-check';

export const randomSchema = streamSchema('random', [
  field('i', types.int64),
  field('small', types.int32),
  field('plain', types.int64, { nullable: false }),
  field('u', types.uint64),
  field('x', types.float64),
  field('money', types.decimal(12, 2)),
  field('rate', types.decimal(18, 6)),
  field('wide', types.decimal(38, 4)),
  field('free', types.decimal()),
  field('s', types.string),
  field('label', types.enumOf('new', 'old', 'Ünï')),
  field('yes', types.bool),
  field('at', types.timestamp),
  field('day', types.date),
]);

function withGaps(values: fc.Arbitrary<Value>, special?: string): fc.Arbitrary<Value> {
  return fc.oneof(
    { weight: 12, arbitrary: values },
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant(special === undefined ? null : new Special(special)) },
    { weight: 1, arbitrary: fc.constantFrom<Value>(UNCHANGED, null) },
  );
}

const smallInt = fc.bigInt({ min: -100n, max: 100n });
const anyInt64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const int64 = fc.oneof({ weight: 4, arbitrary: smallInt }, { weight: 1, arbitrary: anyInt64 });
const uint64 = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 0n, max: 100n }) },
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

function decimal(digits: number, scale: number): fc.Arbitrary<string> {
  const limit = 10n ** BigInt(digits) - 1n;
  const unscaled = fc.oneof(
    { weight: 3, arbitrary: fc.bigInt({ min: -99999n, max: 99999n }) },
    fc.bigInt({ min: -limit, max: limit }),
  );
  return unscaled.map((n) => {
    const text = (n < 0n ? -n : n).toString().padStart(scale + 1, '0');
    return `${n < 0n ? '-' : ''}${text.slice(0, text.length - scale)}${scale ? `.${text.slice(-scale)}` : ''}`;
  });
}

const words = fc.constantFrom(
  '',
  'a',
  'ab',
  'Abc',
  ' x ',
  'new',
  '12',
  '-7',
  '1.50',
  'Ünï',
  '𝄞clef',
  'ǅ',
  '\u00a0z',
  'true',
);
const text = fc.oneof(
  { weight: 3, arbitrary: words },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }) },
);
const free = fc
  .tuple(fc.integer({ min: 0, max: 22 }), fc.integer({ min: 0, max: 8 }))
  .chain(([digits, scale]) => decimal(digits + scale || 1, scale));
const micros = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });

export const randomRow = fc.record<{ [column: string]: Value }>({
  i: withGaps(int64),
  small: withGaps(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  plain: int64,
  u: withGaps(uint64),
  x: withGaps(fc.oneof(fc.double(), fc.constantFrom(0, 0.5, -1.5, 2, 1e300))),
  money: withGaps(decimal(12, 2), 'NaN'),
  rate: withGaps(decimal(18, 6), 'NaN'),
  wide: withGaps(decimal(38, 4), 'Infinity'),
  free: withGaps(free, '-Infinity'),
  s: withGaps(text),
  label: withGaps(fc.constantFrom('new', 'old', 'Ünï')),
  yes: withGaps(fc.boolean()),
  at: withGaps(micros, 'infinity'),
  day: withGaps(fc.integer({ min: -700_000, max: 2_900_000 }), '0044-03-15 BC'),
});

export type Family = 'bool' | 'int' | 'uint' | 'double' | 'decimal' | 'string' | 'timestamp' | 'date';

const LEAVES: { readonly [F in Family]: readonly string[] } = {
  bool: ['yes', 'true', 'false', 'i == null', 's != null'],
  int: ['i', 'small', 'plain', '0', '1', '7', '-3', '9223372036854775807'],
  uint: ['u', '0u', '3u'],
  double: ['x', '0.5', '-2.0', '1e10', '0.0'],
  decimal: [
    'money',
    'rate',
    'wide',
    'free',
    'decimal("1.20")',
    'decimal("-0.005")',
    'decimal("0")',
    'decimal(i)',
  ],
  string: ['s', 'label', '"a"', '"b"', '"ab"', '""', '"Ü𝄞"'],
  timestamp: ['at', 'timestamp("2020-02-29T12:00:00.5Z")'],
  date: ['day', 'date("1999-12-31")'],
};

const FAMILIES = Object.keys(LEAVES) as Family[];

/** An expression of a family, as text. Parts are in brackets, so that every tree can be written. */
export function randomExpression(family: Family, depth: number): fc.Arbitrary<string> {
  const leaf = fc.constantFrom(...LEAVES[family]);
  if (depth === 0) return leaf;
  const sub = (other: Family) => randomExpression(other, depth - 1);
  const either = fc.oneof(
    fc.tuple(sub('bool'), sub(family), sub(family)).map(([test, a, b]) => `(${test} ? ${a} : ${b})`),
    fc.tuple(sub(family), sub(family)).map(([a, b]) => `coalesce(${a}, ${b})`),
  );
  return fc.oneof(
    { weight: 1, arbitrary: leaf },
    { weight: 1, arbitrary: either },
    { weight: 4, arbitrary: operations(family, sub) },
  );
}

type Sub = (family: Family) => fc.Arbitrary<string>;

function binary(
  symbols: readonly string[],
  left: fc.Arbitrary<string>,
  right: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  return fc.tuple(left, fc.constantFrom(...symbols), right).map(([a, symbol, b]) => `(${a} ${symbol} ${b})`);
}
function calls(forms: readonly string[], ...args: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...forms), fc.tuple(...args))
    .map(([form, parts]) =>
      parts.reduce((done, part, at) => done.replaceAll(`$${at + 1}`, () => part), form),
    );
}

function operations(family: Family, sub: Sub): fc.Arbitrary<string> {
  const arithmetic = binary(['+', '-', '*', '/', '%'], sub(family), sub(family));
  switch (family) {
    case 'bool':
      return booleans(sub);
    case 'int':
      return fc.oneof(
        arithmetic,
        calls(['-($1)', 'abs($1)', 'round($1)'], sub('int')),
        calls(['size($1)', 'int($1)'], sub('string')),
        calls(['int($1)'], fc.oneof(sub('double'), sub('decimal'), sub('uint'), sub('timestamp'))),
        calls(
          ['$1.getFullYear()', '$1.getMonth()', '$1.getDate()', '$1.getDayOfWeek()', '$1.getDayOfYear()'],
          fc.oneof(sub('date'), sub('timestamp')),
        ),
        calls(
          ['$1.getHours()', '$1.getMinutes()', '$1.getSeconds()', '$1.getMilliseconds()'],
          sub('timestamp'),
        ),
        calls(['($1 - $2)'], sub('date'), sub('date')),
      );
    case 'uint':
      return fc.oneof(arithmetic, calls(['uint($1)'], fc.oneof(sub('int'), sub('string'))));
    case 'double':
      return fc.oneof(
        binary(['+', '-', '*', '/'], sub('double'), sub('double')),
        calls(['-($1)', 'round($1)', 'floor($1)', 'ceil($1)', 'abs($1)'], sub('double')),
        calls(['double($1)'], fc.oneof(sub('int'), sub('decimal'), sub('string'))),
      );
    case 'decimal':
      return fc.oneof(
        arithmetic,
        binary(['+', '-', '*', '/'], sub('decimal'), sub('int')),
        calls(
          ['-($1)', 'round($1, 1)', 'round($1)', 'floor($1)', 'ceil($1)', 'abs($1)', 'decimal($1, 12, 3)'],
          sub('decimal'),
        ),
        calls(['divide($1, $2, 3)', 'divide($1, $2, 0)'], sub('decimal'), sub('decimal')),
        calls(['decimal($1)'], fc.oneof(sub('int'), sub('double'), sub('string'))),
      );
    case 'string':
      return fc.oneof(
        binary(['+'], sub('string'), sub('string')),
        calls(['lower($1)', 'upper($1)', 'trim($1)'], sub('string')),
        calls(['substring($1, $2)'], sub('string'), fc.constantFrom('0', '1', '3', '-1', 'small')),
        calls(
          ['substring($1, $2, $3)'],
          sub('string'),
          fc.constantFrom('0', '1'),
          fc.constantFrom('1', '2', '5'),
        ),
        calls(['replace($1, $2, $3)'], sub('string'), sub('string'), sub('string')),
        calls(['string($1)'], fc.oneof(...FAMILIES.filter((f) => f !== 'double').map(sub))),
      );
    case 'timestamp':
      return calls(['timestamp($1)'], sub('date')).map((made) => made);
    case 'date':
      return fc.oneof(
        calls(['date($1)'], sub('timestamp')),
        calls(['($1 + $2)'], sub('date'), fc.constantFrom('1', '-40', '(small % 100000)')),
      );
  }
}

function booleans(sub: Sub): fc.Arbitrary<string> {
  const ordered = ['==', '!=', '<', '<=', '>', '>='];
  const number = fc.oneof(sub('int'), sub('decimal'), sub('uint'));
  return fc.oneof(
    { weight: 3, arbitrary: binary(['&&', '||'], sub('bool'), sub('bool')) },
    calls(['!($1)'], sub('bool')),
    { weight: 2, arbitrary: binary(ordered, number, number) },
    binary(ordered, fc.oneof(sub('double'), sub('int')), sub('double')),
    binary(ordered, sub('string'), fc.oneof(sub('string'))),
    binary(ordered, sub('timestamp'), sub('timestamp')),
    binary(ordered, sub('date'), sub('date')),
    binary(['==', '!='], sub('bool'), sub('bool')),
    calls(['$1.contains($2)', '$1.startsWith($2)', '$1.endsWith($2)'], sub('string'), sub('string')),
    calls(['$1.matches("^[a-z]*$")', '$1.matches("b|[^x]{2}")'], sub('string')),
    calls(
      ['($1 in ["a", "ab", "", "new"])', '($1 in ["a", "b", "c", "d", "ab", "", "Ünï"])'],
      calls(['($1 + "")'], sub('string')),
    ),
    calls(['($1 in [1, 2, 3, 4, 5, 6, 7])', '($1 in [0, 1, small])'], sub('int')),
    ...FAMILIES.map((family) => calls(['isSpecial($1)', '($1 == null)', '($1 != null)'], sub(family))),
  );
}

import {
  Batch,
  columnValues,
  type Field,
  field,
  formatType,
  isSluiceError,
  type Row,
  Special,
  streamSchema,
  types,
  UNCHANGED,
  type Value,
} from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { inputsOf } from '../inputs.js';
import { compileCondition, compileExpression } from './expression.js';

const fields: Field[] = [
  field('id', types.int64, { nullable: false }),
  field('small', types.int32),
  field('u', types.uint64),
  field('x', types.float64),
  field('amount', types.decimal(12, 2)),
  field('free', types.decimal()),
  field('name', types.string),
  field('active', types.bool),
  field('status', types.enumOf('open', 'paid')),
  field('uid', types.uuid),
  field('raw', types.bytes),
  field('day', types.date),
  field('clock', types.time),
  field('at', types.timestamp),
  field('local', types.timestampLocal),
  field('nanos', { kind: 'timestamp', unit: 'ns', zone: 'utc' }),
  field('zoned', { kind: 'timestamp', unit: 'us', zone: 'offset' }),
  field('took', types.duration),
  field('doc', types.json),
  field('tags', types.list(types.string)),
  field('scores', types.list(types.int32)),
  field('point', types.struct([field('x', types.int32), field('label', types.string)])),
  field('attributes', types.map(types.string, types.string)),
  field('gap', types.interval),
  field('the name', types.string),
];
const schema = streamSchema('shop.orders', fields, ['id']);

/** Values of an expression for rows in which everything else is null. */
function values(text: string, ...rows: Row[]): Value[] {
  const expression = compileExpression(text, schema);
  const batch = Batch.ofRows(
    schema,
    rows.map((row) => ({ id: 1n, ...row })),
  );
  const vector = expression.evaluate(inputsOf(batch));
  const made = columnValues(expression.type, expression.toColumn(vector));
  return made.map((value, i) => vector.errors?.get(i) ?? value);
}

function value(text: string, row: Row = {}): Value {
  return values(text, row)[0]!;
}

function typeOf(text: string): string {
  return formatType(compileExpression(text, schema).type);
}

function problem(text: string): { code: string; message: string; help: string } {
  try {
    compileExpression(text, schema);
  } catch (error) {
    if (isSluiceError(error)) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('numbers', () => {
  it('are exact', () => {
    expect(value('amount * 1.1', { amount: '0.30' })).toBe('0.330');
    expect(value('amount + free', { amount: '0.10', free: '0.2000000000000000000000000001' })).toBe(
      '0.3000000000000000000000000001',
    );
    expect(value('id + 1', { id: 9007199254740993n })).toBe(9007199254740994n);
    expect(value('id * id', { id: 3037000499n })).toBe(9223372030926249001n);
    expect(value('x + 0.1', { x: 0.2 })).toBe(0.2 + 0.1);
  });

  it('that leave 64 bits fail, and so does division by zero', () => {
    expect(value('id + 1', { id: 2n ** 63n - 1n })).toMatch(/9223372036854775808 does not fit int64/);
    expect(value('-id', { id: -(2n ** 63n) })).toMatch(/does not fit int64/);
    expect(value('u - 1u', { u: 0n })).toMatch(/does not fit uint64/);
    expect(value('id / small', { small: 0 })).toBe('division by zero');
    expect(value('amount / (small - small)', { amount: '1.00', small: 1 })).toBe('division by zero');
    expect(value('x / 0.0', { x: 1 })).toBe(Infinity);
  });

  it('divide as their types do: integers are cut, decimals rounded half away from zero', () => {
    expect(value('small / 2', { small: -7 })).toBe(-3n);
    expect(value('small % 4', { small: -7 })).toBe(-3n);
    expect(value('amount / 3', { amount: '10.00' })).toBe('3.333333');
    expect(value('divide(amount, 8, 2)', { amount: '-0.36' })).toBe('-0.05');
    expect(value('free / 3', { free: '1' })).toBe('0.33333333333333333333');
  });

  it('round half away from zero', () => {
    const rounded = (amount: string) => value('round(amount, 1)', { amount });
    expect([rounded('0.25'), rounded('-0.25'), rounded('0.24'), rounded('-0.05')]).toEqual([
      '0.3',
      '-0.3',
      '0.2',
      '-0.1',
    ]);
    expect([value('floor(amount)', { amount: '-0.01' }), value('ceil(amount)', { amount: '-0.99' })]).toEqual(
      ['-1', '0'],
    );
    expect([value('round(x)', { x: 2.5 }), value('round(x)', { x: -2.5 })]).toEqual([3, -3]);
  });

  it('have the types that hold every result', () => {
    expect(typeOf('amount + amount')).toBe('decimal(13,2)');
    expect(typeOf('amount * amount')).toBe('decimal(24,4)');
    expect(typeOf('amount * 2')).toBe('decimal(13,2)');
    expect(typeOf('small + 1')).toBe('int64');
    expect(typeOf('decimal(id) * decimal(id) * 1.5')).toBe('decimal');
    expect(typeOf('round(amount * 1.19, 2)')).toBe('decimal(14,2)');
  });

  it('of different kinds compare by value but do not compute without being converted', () => {
    expect(value('id > 0.5 && x < 2', { id: 1n, x: 1 })).toBe(true);
    expect(value('id == x', { id: 2n ** 53n + 1n, x: 2 ** 53 })).toBe(false);
    expect(value('u > -1', { u: 2n ** 64n - 1n })).toBe(true);
    expect(value('amount == free', { amount: '1.50', free: '1.5' })).toBe(true);
    expect(problem('x * amount')).toMatchObject({
      code: 'SLUICE-EXPR-0003',
      help: expect.stringContaining('not exact'),
    });
    expect(problem('x > amount')).toMatchObject({ code: 'SLUICE-EXPR-0003' });
    expect(problem('x + id')).toMatchObject({ code: 'SLUICE-EXPR-0003' });
  });
});

describe('null', () => {
  it('never matches and makes what is computed from it null', () => {
    expect(value('small > 1')).toBeNull();
    expect(value('!(small > 1)')).toBeNull();
    expect(value('small + 1')).toBeNull();
    expect(value('name == "a" ? "yes" : "no"')).toBe('no');
    expect(value('small in [1, 2]')).toBeNull();
  });

  it('leaves decided what the other side decides', () => {
    expect(value('active && id == 2')).toBe(false);
    expect(value('active || id == 1')).toBe(true);
    expect(value('id / small == 1 || id == 1', { small: 0 })).toBe(true);
    expect(value('id == 1 && id / small == 1', { small: 0 })).toBe('division by zero');
  });

  it('is tested and replaced', () => {
    expect(value('small == null && id != null')).toBe(true);
    expect(value('coalesce(small, id, 7)')).toBe(1n);
    expect(problem('small < null')).toMatchObject({ help: expect.stringContaining('== null') });
  });
});

describe('values outside their type', () => {
  const odd = { amount: new Special('NaN'), at: new Special('infinity') };

  it('match nothing, are not null, and cannot be computed with', () => {
    expect(value('amount > 0', odd)).toBeNull();
    expect(value('at == at', odd)).toBeNull();
    expect(value('amount == null', odd)).toBe(false);
    expect(value('isSpecial(amount)', odd)).toBe(true);
    expect(value('amount + 1', odd)).toMatch(/^NaN is outside its type/);
    expect(value('at.getFullYear()', odd)).toMatch(/^infinity is outside its type/);
  });

  it('are passed on as they are, and have their text', () => {
    expect(value('amount', odd)).toEqual(new Special('NaN'));
    expect(value('coalesce(amount, 0)', odd)).toEqual(new Special('NaN'));
    expect(value('string(at) + "!"', odd)).toBe('infinity!');
  });
});

describe('values that were not sent', () => {
  it('have no result, unless another part decides', () => {
    expect(value('name + "!"', { name: UNCHANGED })).toBe('the source did not send this value');
    expect(value('name == null', { name: UNCHANGED })).toBe('the source did not send this value');
    expect(value('id == 1 || name == "a"', { name: UNCHANGED })).toBe(true);
  });

  it('are taken from the row as it was before', () => {
    const before = Batch.ofRows(schema, [{ id: 1n, name: 'old' }]);
    const batch = Batch.ofRows(schema, [{ id: 1n, name: UNCHANGED }], { op: 'update', before });
    const vector = compileExpression('upper(name)', schema).evaluate(inputsOf(batch));
    expect(columnValues(types.string, compileExpression('upper(name)', schema).toColumn(vector))).toEqual([
      'OLD',
    ]);
  });
});

describe('text', () => {
  it('counts code points', () => {
    expect(value('size(name)', { name: 'a𝄞ü' })).toBe(3n);
    expect(value('substring(name, 1, 2)', { name: 'a𝄞ü' })).toBe('𝄞');
    expect(value('substring(name, 5)', { name: 'a𝄞ü' })).toBe('');
    expect(value('size(raw)', { raw: new Uint8Array(5) })).toBe(5n);
  });

  it('is ordered by code points, not by UTF-16', () => {
    expect(value('name > "\\uFF5E"', { name: '𝄞' })).toBe(true);
  });

  it('matches RE2 patterns anywhere in it, in linear time', () => {
    expect(value('name.matches("^a+$")', { name: 'aaa' })).toBe(true);
    expect(value('name.matches("b")', { name: 'abc' })).toBe(true);
    const began = performance.now();
    expect(value('name.matches("^(a+)+$")', { name: `${'a'.repeat(50_000)}!` })).toBe(false);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(problem('name.matches("(?=a)")')).toMatchObject({ help: expect.stringContaining('look-around') });
    expect(problem('name.matches("(")').code).toBe('SLUICE-EXPR-0003');
    expect(problem('name.matches(name)').message).toContain('written out');
  });

  it('is cut, replaced and joined', () => {
    expect(value('lower(trim(name)) + "/" + string(id)', { name: ' ÄB ' })).toBe('äb/1');
    expect(value('replace(name, "$&", "$1")', { name: 'a$&b$&' })).toBe('a$1b$1');
    expect(value('split(name, ",")', { name: 'a,,b' })).toEqual(['a', '', 'b']);
    expect(value('split(name, "")', { name: 'a𝄞' })).toEqual(['a', '𝄞']);
    expect(value('split(name, "@")[1]', { name: 'x@y.org' })).toBe('y.org');
    expect(value('split(name, "@")[7]', { name: 'x' })).toBeNull();
    expect(value('"x" in split(name, ",")', { name: 'a,x' })).toBe(true);
  });

  it('can be written before or behind its functions', () => {
    expect(
      value('name.upper().startsWith("A") && endsWith(name, "c") && name.contains("b")', { name: 'abc' }),
    ).toBe(true);
  });
});

describe('dates and times', () => {
  const at = 1_709_214_300_250_000n; // 2024-02-29T13:45:00.25Z

  it('compare with what is written beside them', () => {
    expect(value('at > "2024-02-29" && at < "2024-02-29T13:45:01Z"', { at })).toBe(true);
    expect(value('day == "2024-02-29"', { day: 19_782 })).toBe(true);
    expect(value('clock >= "13:45"', { clock: 49_500_000_000n })).toBe(true);
    expect(value('local == "2024-02-29 13:45:00.25"', { local: at })).toBe(true);
    expect(value('nanos == at', { nanos: at * 1000n, at })).toBe(true);
    expect(value('zoned == at', { zoned: { at, offset: 60 }, at })).toBe(true);
    expect(value('took < "1h30m"', { took: 5_399_999_999n })).toBe(true);
  });

  it('do not mix instants and wall clocks', () => {
    expect(problem('at == local').help).toContain('without a zone');
    expect(problem('at > "2024-02-29T13:45"').message).toContain('offset');
    expect(problem('day > at').help).toContain('date(x)');
  });

  it('have parts', () => {
    const parts = [
      'getFullYear',
      'getMonth',
      'getDate',
      'getDayOfMonth',
      'getDayOfWeek',
      'getDayOfYear',
      'getHours',
      'getMinutes',
      'getSeconds',
      'getMilliseconds',
    ];
    expect(parts.map((part) => value(`at.${part}()`, { at }))).toEqual([
      2024n,
      1n,
      29n,
      28n,
      4n,
      59n,
      13n,
      45n,
      0n,
      250n,
    ]);
    expect(value('took.getMinutes()', { took: 5_400_000_000n })).toBe(90n);
    expect(problem('day.getHours()').code).toBe('SLUICE-EXPR-0003');
  });

  it('are computed with', () => {
    expect(value('at - at', { at })).toBe(0n);
    expect(value('at + "1h"', { at })).toBe(at + 3_600_000_000n);
    expect(value('at - duration("1d")', { at })).toBe(at - 86_400_000_000n);
    expect(value('at - "2024-02-29"', { at })).toBe(49_500_250_000n);
    expect(value('day + 1', { day: 19_782 })).toBe(19_783);
    expect(value('day - date(at)', { day: 19_783, at })).toBe(1n);
    expect(value('nanos - "1us"', { nanos: 1000n })).toBe(0n);
    expect(typeOf('nanos - "1us"')).toBe('timestamp(ns, utc)');
  });

  it('are converted', () => {
    expect(value('string(at)', { at })).toBe('2024-02-29T13:45:00.25Z');
    expect(value('timestamp(name)', { name: '2024-02-29T14:45:00.25+01:00' })).toBe(at);
    expect(value('timestamp(name)', { name: '2024-02-29T14:45' })).toBe('"2024-02-29T14:45" is no timestamp');
    expect(value('timestamp(id)', { id: 60n })).toBe(60_000_000n);
    expect(value('int(at)', { at: -1n })).toBe(-1n);
    expect(value('date(local)', { local: -1n })).toBe(-1);
    expect(value('time(at)', { at })).toBe(49_500_250_000n);
    expect(value('timestamp(day)', { day: 1 })).toBe(86_400_000_000n);
    expect(value('string(duration("-1h30m0.5s"))')).toBe('-5400.5s');
  });
});

describe('nested values', () => {
  const doc =
    '{"kind": "a\\u0062c", "n": 10, "big": 12345678901234567890.5, "on": true, "day": "2024-02-29", "items": [{"p": "1.50"}], "s": "x"}';

  it('JSON compares by the type beside it, and other types match nothing', () => {
    expect(value('doc.kind == "abc"', { doc })).toBe(true);
    expect(value('doc.n == 10 && doc.n > 9.5 && doc.big == decimal("12345678901234567890.5")', { doc })).toBe(
      true,
    );
    expect(
      value('doc.on == true && doc.day > date("2024-01-01") && doc["s"] == name', { doc, name: 'x' }),
    ).toBe(true);
    expect(value('doc.s > 1', { doc })).toBeNull();
    expect(value('doc.missing.deep == "x"', { doc })).toBeNull();
    expect(value('doc.n == 10', { doc: null })).toBeNull();
  });

  it('JSON is converted, strictly', () => {
    expect(value('decimal(doc.items[0].p) * 2', { doc })).toBe('3');
    expect(value('int(doc.n) + 1', { doc })).toBe(11n);
    expect(value('int(doc.s)', { doc })).toMatch(/is no decimal/);
    expect(value('string(doc.items)', { doc })).toBe('[{"p": "1.50"}]');
    expect(value('date(doc.day)', { doc })).toBe(19_782);
    expect(value('double(doc.n) / 4.0', { doc })).toBe(2.5);
    expect(value('bool(doc.on)', { doc })).toBe(true);
    expect(value('int(doc.nothing)', { doc })).toBeNull();
    expect(problem('doc.n + 1').help).toContain('int()');
    expect(problem('lower(doc.s)').help).toContain('string()');
  });

  it('JSON parts are JSON, and has() tells null from missing', () => {
    expect(typeOf('doc.items')).toBe('json');
    expect(value('has(doc.n) && !has(doc.items[3])', { doc })).toBe(true);
    expect(value('has(doc.x)', { doc: '{"x": null}' })).toBe(true);
  });

  it('lists, structs and maps are looked into', () => {
    expect(value('"b" in tags', { tags: ['a', 'b'] })).toBe(true);
    expect(value('"c" in tags', { tags: ['a', null] })).toBeNull();
    expect(value('2 in scores && size(scores) == 2', { scores: [1, 2] })).toBe(true);
    expect(value('scores[1]', { scores: [1, 2] })).toBe(2);
    expect(value('scores[0]', { scores: [] })).toBeNull();
    expect(value('point.x + 1', { point: { x: 4, label: null } })).toBe(5n);
    expect(value('point.label == null', { point: { x: 4, label: null } })).toBe(true);
    expect(
      value('attributes["k"] + attributes.l', {
        attributes: [
          ['k', '1'],
          ['l', '2'],
          ['k', '3'],
        ],
      }),
    ).toBe('32');
    expect(value('has(attributes.z)', { attributes: [['k', '1']] })).toBe(false);
    expect(value('active ? tags : split("x", ",")', { active: true, tags: ['a', null] })).toEqual([
      'a',
      null,
    ]);
    expect(problem('point.lable').message).toContain('did you mean "label"?');
  });
});

describe('other types', () => {
  it('read literals beside them', () => {
    expect(value('status == "paid"', { status: 'paid' })).toBe(true);
    expect(
      value('uid == "01234567-89AB-cdef-0123-456789abcdef"', { uid: '01234567-89ab-cdef-0123-456789abcdef' }),
    ).toBe(true);
    expect(value('string(uid)', { uid: '01234567-89ab-cdef-0123-456789abcdef' })).toBe(
      '01234567-89ab-cdef-0123-456789abcdef',
    );
    expect(
      value('uid < uuid(name)', {
        uid: '00000000-0000-0000-0000-000000000000',
        name: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
      }),
    ).toBe(true);
    expect(problem('status == "piad"').message).toContain('did you mean "paid"?');
    expect(problem('uid == "x"').code).toBe('SLUICE-EXPR-0006');
  });

  it('bytes are text only when they are', () => {
    expect(value('string(raw)', { raw: Buffer.from('ü') })).toBe('ü');
    expect(value('string(raw)', { raw: Uint8Array.of(0xff) })).toBe('the bytes are no UTF-8 text');
    expect(value('bytes(name) + b"!"', { name: 'ü' })).toEqual(new Uint8Array(Buffer.from('ü!')));
  });

  it('columns with any name are written col("…")', () => {
    expect(value('col("the name") + "!"', { 'the name': 'x' })).toBe('x!');
  });

  it('are passed on whole', () => {
    const gap = { months: 1, days: 2, nanos: 3n };
    expect(value('gap', { gap })).toEqual(gap);
    expect(value('coalesce(gap, gap)', { gap })).toEqual(gap);
    expect(value('id == 1 ? zoned : null', { zoned: { at: 5n, offset: -60 } })).toEqual({
      at: 5n,
      offset: -60,
    });
  });
});

describe('problems are found when the expression is read', () => {
  it('and mark their place', () => {
    expect(problem('id > 1 &&\n  nmae == "x"')).toMatchObject({
      code: 'SLUICE-EXPR-0002',
      message: 'the stream shop.orders has no column "nmae", did you mean "name"?\n    nmae == "x"\n    ^^^^',
    });
    expect(problem('lwoer(name)').message).toContain('did you mean lower(text)?');
    expect(problem('id >').code).toBe('SLUICE-EXPR-0001');
    expect(problem('name + id').help).toContain('string()');
    expect(problem('name ? 1 : 2').message).toContain('expected a condition');
    expect(problem('true ? name : id').message).toContain('no common type');
    expect(problem('tags.exists(t, t == "x")').code).toBe('SLUICE-EXPR-0003');
    expect(problem('lower(name, name)').message).toContain('does not take 2 arguments');
    expect(problem('null').message).toContain('always null');
    expect(problem('1 / 0 > id').code).toBe('SLUICE-EXPR-0006');
    expect(problem('9223372036854775808 > id').message).toContain('does not fit int64');
    expect(problem('[1] == 1').code).toBe('SLUICE-EXPR-0003');
  });

  it('a filter must be a condition', () => {
    expect(() => compileCondition('name', schema)).toThrow(/expected a condition, found string/);
    expect(compileCondition('active', schema).reads).toEqual([7]);
  });

  it('an expression in an expression is bounded in depth', () => {
    expect(problem(`${'('.repeat(5000)}id${')'.repeat(5000)} > 1`).code).toBe('SLUICE-EXPR-0001');
  });

  it('long conditions and long lists are fine', () => {
    const chain = (length: number) => Array.from({ length }, (_, i) => `id == ${i + 10}`).join(' || ');
    expect(value(`${chain(900)} || id == 1`)).toBe(true);
    expect(problem(chain(3000))).toMatchObject({
      code: 'SLUICE-EXPR-0001',
      help: expect.stringContaining('in [a, b'),
    });
    const amounts = Array.from({ length: 5000 }, (_, i) => `${i}.5`).join(', ');
    expect(value(`amount in [${amounts}]`, { amount: '4999.50' })).toBe(true);
    const list = Array.from({ length: 20_000 }, (_, i) => i + 10).join(', ');
    expect([value(`id in [${list}]`), value(`id in [${list}, 1]`)]).toEqual([false, true]);
  });
});

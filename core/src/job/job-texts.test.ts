import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JobText, TextError } from './job-text.js';
import { parseJsonText } from './json-text.js';
import type { Path } from './path-text.js';
import { parseYamlText } from './yaml-text.js';

function failure(parse: (text: string) => JobText, text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof TextError) return `${error.at.line}:${error.at.column} ${error.message}`;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

/** Every path of a value. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value);
  return [path, ...keys.flatMap((key) => pathsOf((value as never)[key], [...path, key]))];
}

describe('JSON with places', () => {
  it('reads what JSON.parse reads', () => {
    // -0 is no value that `toStrictEqual` and JSON agree on; integers beyond 2^53 are refused.
    const json = fc.json().filter((text) => !/-0|\d{16}/.test(text));
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const value: unknown = JSON.parse(text);
        expect(parseJsonText(JSON.stringify(value, null, indent)).value).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what JSON.parse refuses', () => {
    const characters = fc.constantFrom(...'{}[]",:.-+0123456789eE \n\\untrfalse\u0001/');
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(() => parseJsonText(text)).toThrow(TextError);
          return;
        }
        if (/\d{16}|-0/.test(text) || (text.match(/"/g)?.length ?? 0) > 3) return;
        expect(parseJsonText(text).value).toStrictEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('knows the place of every key and entry', () => {
    const text = '{\n  "name": "shop",\n  "list": [1,\n    {"a.b": true}],\n  "😀": "x", "after": 1\n}';
    const { place, value } = parseJsonText(text);
    expect(place(['name'])).toEqual({ line: 2, column: 3 });
    expect(place(['list', 0])).toEqual({ line: 3, column: 12 });
    expect(place(['list', 1, 'a.b'])).toEqual({ line: 4, column: 6 });
    expect(place(['after'])).toEqual({ line: 5, column: 14 });
    expect(place([])).toEqual({ line: 1, column: 1 });
    expect(place(['nothing'])).toBeUndefined();
    for (const path of pathsOf(value)) expect(place(path), JSON.stringify(path)).toBeDefined();
  });

  it('says what is wrong and where', () => {
    const fail = (text: string) => failure(parseJsonText, text);
    expect(fail('')).toBe('1:1 the file is empty');
    expect(fail('{"a": 1,\n "b": 2,\n "a": 3}')).toBe('3:2 the key "a" appears twice, first in line 1');
    expect(fail('{\n "a": 1,\n}')).toBe('2:8 JSON has no comma before "}"');
    expect(fail('[1 2]')).toBe('1:4 there is "2" where "," or "]" should be (opened in line 1)');
    expect(fail('{"a": 1')).toBe('1:8 the file ends where "," or "}" should be (opened in line 1)');
    expect(fail('{a: 1}')).toBe('1:2 there is "a" where a key in double quotes should be');
    expect(fail('{"a" 1}')).toBe('1:6 there is "1" where ":" should be');
    expect(fail('{"a": // x\n 1}')).toBe('1:7 JSON has no comments; YAML job files have');
    expect(fail('{"a": tru}')).toBe('1:7 "tru" is no value of JSON');
    expect(fail('{"a": "x\n"}')).toBe('1:7 this string does not end');
    expect(fail('{"a": "\\x"}')).toContain('1:7 this string holds');
    expect(fail('{} {}')).toBe('1:4 there is "{" after the end of the job');
    expect(fail('{"n": 9007199254740993}')).toBe(
      '1:7 9007199254740993 is too large for a number here; write it as a string',
    );
    expect(fail('['.repeat(5000))).toContain('nested more than 200 deep');
  });

  it('takes __proto__ for a key like any other', () => {
    const { value } = parseJsonText('{"__proto__": {"polluted": true}}');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect((value as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('YAML with places', () => {
  it('reads the same values as the same job in JSON', () => {
    fc.assert(
      fc.property(
        fc.json().filter((text) => !/-0|\d{16}/.test(text)),
        (text) => {
          const value: unknown = JSON.parse(text);
          expect(parseYamlText(JSON.stringify(value, null, 1)).value).toStrictEqual(value);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('reads what people write', () => {
    const { value, place } = parseYamlText(
      'name: shop # the shop\nsource: &pg\n  connector: postgres\n  on: yes\nsink:\n  <<: *pg\n  n: 0x10\nstreams:\n  - public.*\n  - "2024"\n',
    );
    expect(value).toEqual({
      name: 'shop',
      source: { connector: 'postgres', on: 'yes' },
      sink: { connector: 'postgres', on: 'yes', n: 16 },
      streams: ['public.*', '2024'],
    });
    expect(place(['source', 'connector'])).toEqual({ line: 3, column: 3 });
    expect(place(['streams', 1])).toEqual({ line: 10, column: 5 });
    expect(place(['sink', 'connector'])).toBeUndefined();
  });

  it('says what is wrong and where', () => {
    const fail = (text: string) => failure(parseYamlText, text);
    expect(fail('a: 1\nb: 2\na: 3\n')).toBe('3:1 this key appears twice');
    expect(fail('a: [1, 2\nb: 1\n')).toMatch(/^2:\d+ /);
    expect(fail('a: !!python/object x')).toMatch(/^1:4 Unresolved tag/);
    expect(fail('a: 1\n---\nb: 1\n')).toMatch(/^2:1 /);
    expect(fail('? {a: 1}\n: 2\n')).toBe('1:3 a key must be a plain name');
    expect(fail('n: 12345678901234567890')).toContain('1:4 12345678901234567890 is too large');
    expect(
      fail(`a: &a [x]\nb: &b [${'*a,'.repeat(60)}]\nc: &c [${'*b,'.repeat(60)}]\nd: [${'*c,'.repeat(60)}]`),
    ).toContain('alias');
  });
});

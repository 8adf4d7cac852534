import { columnOf, columnValues, field, types } from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vectorOf } from './from-column.js';
import { jsonHas, jsonPath } from './json.js';
import { JsonSeeker, type JsonStep, MalformedJson } from './json-seek.js';
import { columnFrom } from './to-column.js';

function seek(document: string, path: readonly JsonStep[]): string | undefined {
  const seeker = new JsonSeeker(path);
  const bytes = Buffer.from(document);
  return seeker.seek(bytes, 0, bytes.length) ? bytes.toString('utf8', seeker.start, seeker.end) : undefined;
}

function byParsing(document: string, path: readonly JsonStep[]): unknown {
  let value: unknown = JSON.parse(document);
  for (const step of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) !== (typeof step === 'number'))
      return undefined;
    if (!Object.hasOwn(value, step)) return undefined;
    value = (value as { [step: string]: unknown })[step];
  }
  return value;
}

const key = fc.constantFrom('a', 'b', 'ü', 'x"y', 'tab\t', '');
const document = fc
  .jsonValue({ maxDepth: 3 })
  .chain((value) =>
    fc.tuple(
      fc.dictionary(key, fc.oneof(fc.constant(value), fc.array(fc.jsonValue({ maxDepth: 1 })))),
      fc.constantFrom(0, 1, '\t'),
    ),
  );
const step: fc.Arbitrary<JsonStep> = fc.oneof(key, fc.nat(3));

describe('a path into a document', () => {
  it('finds what parsing the whole document finds', () => {
    fc.assert(
      fc.property(document, fc.array(step, { maxLength: 3 }), ([value, indent], path) => {
        const text = JSON.stringify(value, undefined, indent);
        const found = seek(text, path);
        expect(found === undefined ? undefined : JSON.parse(found)).toEqual(byParsing(text, path));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes the last of members with the same name, and names with escapes', () => {
    expect(seek('{"a": 1, "a": [2] }', ['a'])).toBe('[2]');
    expect(seek('{"\\u0061b": "x", "c": {"a\\"b": 3}}', ['ab'])).toBe('"x"');
    expect(seek('{"\\u0061b": "x", "c": {"a\\"b": 3}}', ['c', 'a"b'])).toBe('3');
  });

  it('keeps numbers as they are written', () => {
    expect(seek('{"n": 12345678901234567890.10}', ['n'])).toBe('12345678901234567890.10');
  });

  it.each(['', '{', '{"a"', '{"a":', '{"a": "x', '{"b": [1, 2', '{"b" 1, "a": 2}', '{"a": }'])(
    'is an error in %j, not an endless loop',
    (text) => {
      expect(() => seek(text, ['a'])).toThrow(MalformedJson);
      expect(() => new JsonSeeker([3]).seek(Buffer.from(`[${text}`), 0, text.length + 1)).toThrow(
        MalformedJson,
      );
    },
  );

  it('does not read beyond its row', () => {
    const bytes = Buffer.from('{"a": 1}{"b": 2}');
    expect(new JsonSeeker(['b']).seek(bytes, 0, 8)).toBe(false);
    expect(() => new JsonSeeker(['b']).seek(bytes, 0, 7)).toThrow(MalformedJson);
  });

  it('goes through deep nesting without recursion', () => {
    const deep = `{"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}, "b": 1}`;
    expect(seek(deep, ['b'])).toBe('1');
  });
});

describe('a column of documents', () => {
  const column = columnOf(field('doc', types.json), [
    '{"a": null}',
    '{}',
    null,
    '{"a": {"b": 1}}',
    '{"a"',
    'null',
  ]);
  const vector = vectorOf(types.json, column);

  it('gives null for what is missing or null, and fails only malformed rows', () => {
    const found = jsonPath(['a'])([vector], 6);
    expect(columnValues(types.json, columnFrom(types.json, found))).toEqual([
      null,
      null,
      null,
      '{"b": 1}',
      null,
      null,
    ]);
    expect([...(found.errors?.keys() ?? [])]).toEqual([4]);
  });

  it('tells a null member from a missing one', () => {
    const found = jsonHas(['a'])([vector], 6);
    expect(columnValues(types.bool, columnFrom(types.bool, found))).toEqual([
      true,
      false,
      null,
      true,
      null,
      false,
    ]);
  });
});

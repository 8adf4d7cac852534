import { describe, expect, it } from 'vitest';
import { configTable } from './config-table.mjs';
import { duplicateCodes, errorIndex } from './error-index.mjs';
import { replacePart } from './generated-part.mjs';

describe('the generated part of a page', () => {
  it('is added to a page that has none, and replaced where it is, and the rest stays', () => {
    const made = replacePart('# Title\n\nBy hand.\n', 'x', 'one');
    expect(made).toMatch(
      /^# Title\n\nBy hand\.\n\n<!-- generated: x .*-->\n\none\n\n<!-- end of generated: x -->\n$/,
    );
    const grown = `${made}\nMore by hand.\n`;
    const renewed = replacePart(grown, 'x', 'two');
    expect(renewed).toBe(grown.replace('one', 'two'));
    expect(replacePart(renewed, 'x', 'two')).toBe(renewed);
    expect(replacePart(renewed, 'y', 'other')).toContain('two');
  });
});

describe('a table of configuration keys', () => {
  it('has types, defaults, secrets and nested keys', () => {
    const schema = {
      type: 'object',
      required: ['url', 'mode'],
      properties: {
        url: { type: 'string', writeOnly: true, description: 'Where it is | really' },
        mode: { enum: ['a', 'b'], default: 'a' },
        rows: { type: ['integer', 'null'] },
        csv: { type: 'object', properties: { header: { type: 'boolean', description: 'A `<b>` and <i>' } } },
        types: {
          type: 'object',
          additionalProperties: {
            type: 'object',
            properties: { of: { type: 'array', items: { type: 'string' } } },
          },
        },
      },
    };
    expect(configTable(schema).split('\n').slice(2)).toEqual([
      '| `url` | text, **secret** | **required** | Where it is \\| really |',
      '| `mode` | `"a"` or `"b"` | `"a"` |  |',
      '| `rows` | whole number or null |  |  |',
      '| `csv` | object |  |  |',
      '| `csv.header` | true or false |  | A `<b>` and &lt;i> |',
      '| `types` | object by name |  |  |',
      '| `types.<name>.of` | list of text |  |  |',
    ]);
  });

  it('lists the variants of a union once, also when it contains itself', () => {
    const value = {
      oneOf: [
        {
          type: 'object',
          required: ['kind'],
          properties: { kind: { const: 'leaf' }, size: { type: 'number', default: 1 } },
        },
        {
          type: 'object',
          required: ['kind', 'item'],
          properties: { kind: { const: 'list' }, item: { $ref: '#/$defs/value' } },
        },
      ],
    };
    const schema = {
      type: 'object',
      properties: { first: { $ref: '#/$defs/value' }, second: { $ref: '#/$defs/value' } },
      $defs: { value },
    };
    const text = configTable(schema);
    expect(text).toContain('`first`, `second`: one of these, by `kind`:');
    expect(text).toContain('| `leaf` | `size` (number, default `1`) |');
    expect(text).toContain('| `list` | `item` (object, required) |');
  });
});

describe('the error index', () => {
  const entry = (code) => ({ code, name: 'x', class: 'data', title: 'It <broke>', help: 'Mend `<it>`.' });
  const families = [
    { family: 'A', package: 'a', entries: [entry('SLUICE-A-0002'), entry('SLUICE-A-0001')] },
    { family: 'A', package: 'b', entries: [entry('SLUICE-A-0001')] },
  ];

  it('finds codes that two packages declare', () => {
    expect(duplicateCodes(families)).toEqual(['SLUICE-A-0001 (It <broke>) is declared by a and by b']);
    expect(duplicateCodes(families.slice(0, 1))).toEqual([]);
  });

  it('has an anchor for every code, in order, with class and exit code', () => {
    const text = errorIndex(families.slice(0, 1), () => 5, { data: 'a row cannot be kept' });
    expect(text.indexOf('### SLUICE-A-0001')).toBeLessThan(text.indexOf('### SLUICE-A-0002'));
    expect(text).toContain('**It &lt;broke>.** Class `data`, exit code 5.\n\nWhat to do: Mend `<it>`.');
    expect(text).toContain('| `data` | a row cannot be kept | 5 |');
  });
});

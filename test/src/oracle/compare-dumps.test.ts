import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareDumps, expectSameRows } from './compare-dumps.js';
import { type Dump, parseDump } from './dump.js';

const dump = (...rows: string[]): Dump => ({ heading: 'a', rows });

describe('parsing a dump', () => {
  it('keeps null and the empty string apart, and line breaks inside values', () => {
    expect(parseDump('a,"b,c"\n,""\n"x\ny","say ""hi"""\n')).toEqual({
      heading: 'a,"b,c"',
      rows: [',""', '"x\ny","say ""hi"""'],
    });
  });

  it('reads a column of nulls, whose rows are empty', () => {
    expect(parseDump('"a"\n\n\n').rows).toEqual(['', '']);
  });

  it('takes any values apart as they were put together', () => {
    const value = fc.option(fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value)), (rows) => {
        const quote = (text: string | null): string =>
          text === null ? '' : `"${text.replaceAll('"', '""')}"`;
        const lines = rows.map((row) => row.map(quote).join(','));
        const csv = ['"a","b"', ...lines].map((line) => `${line}\n`).join('');
        expect(parseDump(csv).rows).toEqual(lines);
      }),
    );
  });
});

describe('comparing dumps', () => {
  it('finds no difference whatever the order', () => {
    expect(compareDumps(dump('"1"', '"2"', '"2"'), dump('"2"', '"1"', '"2"'))).toBe('');
  });

  it('shows what only one side has, and how often', () => {
    const text = compareDumps(dump('"1"', '"2"', '"2"'), dump('"3"', '"2"'), {
      expected: 'shop',
      actual: 'lake',
    });
    expect(text).toBe(
      [
        'shop has 3 rows, lake has 2',
        'columns: a',
        'only in shop (2):',
        '- "1"',
        '- "2"',
        'only in lake (1):',
        '+ "3"',
      ].join('\n'),
    );
  });

  it('tells null from the empty string', () => {
    expect(compareDumps(dump(''), dump('""'))).toContain('only in expected (1):');
  });

  it('shows a few rows of many', () => {
    const rows = Array.from({ length: 100 }, (_, i) => `"${i}"`);
    const text = compareDumps(dump(...rows), dump(), { show: 3 });
    expect(text).toContain('- … and 97 more');
    expect(text.split('\n').filter((line) => line.startsWith('- "'))).toHaveLength(3);
  });

  it('says when the columns differ', () => {
    expect(compareDumps(dump(), { heading: 'b', rows: [] })).toMatch(/columns differ\n {2}expected: a/);
  });

  it('fails a test with that text', () => {
    expect(() => expectSameRows(dump('"1"'), dump())).toThrow(/only in expected \(1\):\n- "1"/);
    expect(() => expectSameRows(dump('"1"'), dump('"1"'))).not.toThrow();
  });
});

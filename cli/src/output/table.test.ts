import { expect, it } from 'vitest';
import { cellWidth } from './cells.js';
import { colours } from './colours.js';
import { table } from './table.js';

const columns = [{ title: 'stream' }, { title: 'rows', align: 'right' }, { title: 'note' }] as const;

it('is as wide as its text where there is no terminal', () => {
  const rows = [
    ['public.orders', '1,204,000', 'a long remark that is not cut'],
    ['x', '7', ''],
  ];
  expect(table(columns, rows, colours(false))).toEqual([
    'stream              rows  note',
    'public.orders  1,204,000  a long remark that is not cut',
    'x                      7',
  ]);
});

it('takes room from the widest columns in a narrow terminal', () => {
  const rows = [['public.orders', '1,204,000', 'a long remark that has to be cut somewhere']];
  const lines = table(columns, rows, colours(false), 40);
  expect(lines.every((line) => cellWidth(line) <= 40)).toBe(true);
  expect(lines[1]).toContain('1,204,000');
  expect(lines[1]).toMatch(/…$/);
});

it('paints what is left after cutting, and shows control characters', () => {
  const lines = table(
    [{ title: 't' }],
    [[{ text: 'lossy\u001b[0m', paint: colours(true).red }]],
    colours(true),
  );
  expect(lines[1]).toBe('\u001b[31mlossy\\u001b[0m\u001b[39m');
});

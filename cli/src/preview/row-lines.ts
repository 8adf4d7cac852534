/** Rows for people: a table, or one column a line where a table would not fit. */
import type { Row, StreamSchema } from '@sluice/sdk';
import { cellWidth, cut, pad, visible } from '../output/cells.js';
import type { Colours } from '../output/colours.js';
import { type TableColumn, table } from '../output/table.js';
import { cellText } from './printable.js';

/** A column that is narrower shows too little. */
const LEAST_COLUMN = 12;
const MOST_COLUMN = 60;
const NUMBERS = ['int', 'float', 'decimal'];

export function rowLines(
  { fields }: StreamSchema,
  rows: readonly Row[],
  colours: Colours,
  width?: number,
): string[] {
  const cells = rows.map((row) => fields.map(({ name, type }) => cellText(type, row[name])));
  if (width !== undefined && fields.length * LEAST_COLUMN > width) {
    return recordLines(
      fields.map(({ name }) => name),
      cells,
      colours,
      width,
    );
  }
  const columns = fields.map(
    ({ name, type }): TableColumn => ({
      title: visible(name),
      ...(NUMBERS.includes(type.kind) && { align: 'right' }),
    }),
  );
  const texts = cells.map((row) => row.map((text) => cut(visible(text), MOST_COLUMN)));
  return table(columns, texts, colours, width);
}

function recordLines(
  names: readonly string[],
  cells: readonly string[][],
  colours: Colours,
  width: number,
): string[] {
  const shown = names.map(visible);
  const nameWidth = Math.min(30, Math.max(...shown.map(cellWidth)));
  return cells.flatMap((row, i) => [
    colours.dim(`row ${i + 1}`),
    ...row.map((text, c) => {
      const name = pad(cut(shown[c]!, nameWidth), nameWidth);
      return `  ${colours.cyan(name)}  ${cut(visible(text), Math.max(10, width - nameWidth - 4))}`;
    }),
  ]);
}

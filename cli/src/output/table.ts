/** Tables for people: as wide as their text, cut to the terminal where there is one. */
import { cellWidth, cut, pad, visible } from './cells.js';
import type { Colours } from './colours.js';

export interface TableColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A cell's text, and how it is painted once its width is known. */
export type TableCell = string | { readonly text: string; readonly paint: (text: string) => string };

const GAP = '  ';
const NARROWEST = 6;

/** The lines of a table with a head. `width` is the room there is; without it nothing is cut. */
export function table(
  columns: readonly TableColumn[],
  rows: readonly (readonly TableCell[])[],
  colours: Colours,
  width?: number,
): string[] {
  const texts = rows.map((row) => row.map((cell) => visible(typeof cell === 'string' ? cell : cell.text)));
  const wanted = columns.map(({ title }, i) =>
    texts.reduce((widest, row) => Math.max(widest, cellWidth(row[i]!)), cellWidth(title)),
  );
  const widths = width === undefined ? wanted : fit(wanted, width);
  const line = (cells: readonly string[], paint: (text: string, column: number) => string) =>
    cells
      .map((cell, i) => {
        const last = i === cells.length - 1 && columns[i]!.align !== 'right';
        const text = cut(cell, widths[i]!);
        return paint(last ? text : pad(text, widths[i]!, columns[i]!.align), i);
      })
      .join(GAP)
      .trimEnd();
  const head = line(
    columns.map(({ title }) => title),
    (text) => colours.dim(text),
  );
  const body = rows.map((row, r) =>
    line(texts[r]!, (text, i) => {
      const cell = row[i]!;
      return typeof cell === 'string' ? text : cell.paint(text);
    }),
  );
  return [head, ...body];
}

/** Takes room from the widest columns until all of them fit. */
function fit(wanted: readonly number[], width: number): number[] {
  const widths = [...wanted];
  let over = widths.reduce((sum, w) => sum + w, 0) + GAP.length * (widths.length - 1) - width;
  while (over > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= NARROWEST) break;
    widths[widest]!--;
    over--;
  }
  return widths;
}

/** Texts that mean null. */
import { type CellTable, NULL, PLAIN } from '../text/cells.js';

/** Makes the plain cells of a table null that hold one of the texts. */
export function markNulls(table: CellTable, texts: readonly Uint8Array[]): void {
  if (texts.length === 0) return;
  const { starts, ends, text } = table;
  for (let column = 0; column < table.columns; column++) {
    const base = column * table.capacity;
    for (let at = base; at < base + table.rows; at++) {
      const start = starts[at]!;
      if ((start & 3) !== PLAIN) continue;
      const length = ends[at]! - (start >> 2);
      for (const wanted of texts) {
        if (wanted.byteLength === length && text.compare(wanted, 0, length, start >> 2, ends[at]!) === 0) {
          starts[at] = start | NULL;
        }
      }
    }
  }
}

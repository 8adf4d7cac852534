/** One record as strings: for headers and for messages, where speed does not count. */

import { CellTable, NULL } from '../text/cells.js';
import { CsvCells } from './cells.js';
import type { ResolvedDialect } from './dialect.js';
import { scanRecords } from './scan.js';

export interface TextRecord {
  readonly fields: readonly string[];
  /** Offset behind the record, and the line ends passed on the way, skipped lines included. */
  readonly end: number;
  readonly lines: number;
}

/**
 * Reads the record at `from`, however many fields it has. Undefined when it is not complete or not well formed
 * within the block; `bytes[end]` is a line feed.
 */
export function recordAt(
  bytes: Uint8Array,
  from: number,
  end: number,
  final: boolean,
  dialect: ResolvedDialect,
): TextRecord | undefined {
  const padded: ResolvedDialect = { ...dialect, pad: true, empty: 'text', nulls: [] };
  for (let columns = 64; ; columns *= 8) {
    const table = new CellTable(columns, 1, new CsvCells('', [], padded));
    table.useBlock(bytes);
    const state = { at: from, lines: 0 };
    const result = scanRecords(table, state, end, final, padded);
    if (result === 'ragged' && table.rows === 0) continue;
    if (table.rows === 0) return undefined;
    const fields: string[] = [];
    for (let column = 0; column < columns && table.kindOf(0, column) !== NULL; column++) {
      fields.push(table.textOf(0, column));
    }
    return { fields, end: state.at, lines: state.lines };
  }
}

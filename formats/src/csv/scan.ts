/**
 * The CSV scanner: finds the fields of the records in a block of bytes. RFC 4180 with the usual liberties: records
 * end with LF, CRLF or CR, a quote that does not open a field is an ordinary character, blank lines are skipped when
 * there is more than one column.
 *
 * This is the hottest loop of reading CSV. It touches every byte once, in a local variable; a sentinel line end behind
 * the block spares the loop a bounds check, and whatever runs into it is an incomplete record that is scanned again
 * when more bytes are there.
 */
import { type CellTable, ESCAPED, NULL, PLAIN, QUOTED } from '../text/cells.js';
import type { ScanState } from '../text/table-reader.js';
import type { ResolvedDialect } from './dialect.js';

const LF = 0x0a;
const CR = 0x0d;
const BACKSLASH = 0x5c;

/** How the CSV scan of a block ended. */
export type CsvScanEnd =
  /** The table has no room for another record. */
  | 'full'
  /** The block's end; what lies behind the last record is incomplete. */
  | 'end'
  /** A record has not as many fields as there are columns; it begins at the state's offset. */
  | 'ragged'
  /** Text stands behind a closing quote in the record that begins at the state's offset. */
  | 'text-after-quote';

/**
 * Scans records from `state.at` on into the table. `bytes[end]` must be a line feed (the sentinel); with `final` it
 * also ends the last record. An unclosed quote shows as `end` with bytes left over, also when `final`.
 */
export function scanRecords(
  table: CellTable,
  state: ScanState,
  end: number,
  final: boolean,
  dialect: ResolvedDialect,
): CsvScanEnd {
  const { bytes, starts, ends, capacity, columns } = table;
  const { delimiter, quote, backslash, comment, pad } = dialect;
  const limit = final ? end + 1 : end;
  const emptyKind = dialect.empty === 'text' ? PLAIN : NULL;
  const emptyQuoted = dialect.empty === 'null' ? NULL : QUOTED;
  let row = table.rows;
  let p = state.at;
  let lines = state.lines;
  let result: CsvScanEnd = 'end';

  while (p < end) {
    if (row === capacity) {
      result = 'full';
      break;
    }
    let byte = bytes[p]!;
    if (byte === comment || (columns > 1 && (byte === LF || byte === CR))) {
      const next = lineEnd(bytes, p);
      if (next > limit) break;
      p = next;
      lines++;
      state.at = p;
      state.lines = lines;
      continue;
    }
    const firstLine = lines;
    let cell = row;
    let column = 0;
    for (;;) {
      if (byte === quote) {
        const start = ++p;
        let kind = QUOTED;
        for (;;) {
          byte = bytes[p]!;
          if (byte === quote) {
            if (backslash || bytes[p + 1] !== quote) break;
            kind = ESCAPED;
            p += 2;
          } else if (byte === BACKSLASH && backslash) {
            kind = ESCAPED;
            if (bytes[p + 1] === LF) lines++;
            p += 2;
          } else {
            if (byte === LF || (byte === CR && bytes[p + 1] !== LF)) lines++;
            p++;
          }
          if (p >= end) return stop(table, row, 'end');
        }
        starts[cell] = (start << 2) | (p === start ? emptyQuoted : kind);
        ends[cell] = p;
        if (kind === ESCAPED) table.escaped[column] = 1;
        byte = bytes[++p]!;
        if (byte !== delimiter && byte !== LF && byte !== CR) return stop(table, row, 'text-after-quote');
      } else {
        const start = p;
        for (;;) {
          while (byte !== delimiter && byte > CR) byte = bytes[++p]!;
          if (byte === delimiter || byte === LF || byte === CR) break;
          byte = bytes[++p]!;
        }
        starts[cell] = (start << 2) | (p === start ? emptyKind : PLAIN);
        ends[cell] = p;
      }
      column++;
      if (byte !== delimiter || column === columns) break;
      cell += capacity;
      byte = bytes[++p]!;
    }
    if (byte === delimiter) return stop(table, row, p < end ? 'ragged' : 'end');
    p += byte === CR && bytes[p + 1] === LF ? 2 : 1;
    if (p > limit) break;
    if (column < columns) {
      if (!pad) return stop(table, row, 'ragged');
      for (; column < columns; column++) starts[column * capacity + row] = NULL;
    }
    lines++;
    table.rowLines[row] = firstLine;
    table.rowEnds[row] = p;
    row++;
    state.at = p;
    state.lines = lines;
  }
  return stop(table, row, result);
}

function stop(table: CellTable, rows: number, end: CsvScanEnd): CsvScanEnd {
  table.rows = rows;
  return end;
}

/** The offset behind the line end that follows `p`. The sentinel guarantees that there is one. */
export function lineEnd(bytes: Uint8Array, p: number): number {
  while (bytes[p] !== LF && bytes[p] !== CR) p++;
  return bytes[p] === CR && bytes[p + 1] === LF ? p + 2 : p + 1;
}

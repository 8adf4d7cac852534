/** CSV records for the table reader, and what is wrong with broken ones. */
import type { CellTable } from '../text/cells.js';
import { LINE_PASSER, type RecordPasser } from '../text/pass-record.js';
import type { TextPosition } from '../text/position.js';
import type { RecordScanner, ScanEnd, ScanState } from '../text/table-reader.js';
import type { ResolvedDialect } from './dialect.js';
import { csvErrors } from './errors.js';
import { markNulls } from './null-texts.js';
import { recordAt } from './record.js';
import { type CsvScanEnd, lineEnd, scanRecords } from './scan.js';

export class CsvScanner implements RecordScanner {
  private readonly nulls: readonly Uint8Array[];
  private last: CsvScanEnd = 'end';

  constructor(
    private readonly file: string,
    private readonly dialect: ResolvedDialect,
  ) {
    this.nulls = dialect.nulls.filter((text) => text !== '').map((text) => Buffer.from(text));
  }

  scan(table: CellTable, state: ScanState, end: number, final: boolean): ScanEnd {
    this.last = scanRecords(table, state, end, final, this.dialect);
    markNulls(table, this.nulls);
    return this.last === 'full' || this.last === 'end' ? this.last : 'broken';
  }

  broken(table: CellTable, state: ScanState, end: number, final: boolean, line: number): Error {
    const { file } = this;
    const where = `${file}, line ${line}`;
    const details = { file, line };
    if (this.last === 'text-after-quote') {
      return csvErrors.textAfterQuote(`${where}: a field goes on behind its closing quote`, { details });
    }
    if (this.last === 'ragged') {
      const expected = table.columns;
      const record = recordAt(table.bytes, state.at, end, final, this.dialect);
      const actual = record === undefined ? `more than ${expected}` : record.fields.length;
      const message = `${where}: the record has ${actual} fields where ${expected} are expected`;
      return csvErrors.raggedRow(message, { details: { ...details, expected, actual } });
    }
    return csvErrors.openQuote(`${where}: a quoted field begins in this record and is never closed`, {
      details,
    });
  }

  /** Behind the record where that can be told, else behind its first line. */
  behindBroken(
    { bytes }: CellTable,
    state: ScanState,
    end: number,
    final: boolean,
  ): ScanState | 'more' | undefined {
    if (this.last === 'ragged') {
      const record = recordAt(bytes, state.at, end, final, this.dialect);
      if (record !== undefined) return { at: record.end, lines: state.lines + record.lines };
    }
    const next = lineEnd(bytes, state.at);
    if (next > end && !final) return 'more';
    return { at: Math.min(next, end), lines: state.lines + 1 };
  }

  tooLarge({ offset, line }: TextPosition): Error {
    const { file } = this;
    const most = this.dialect.maxRecordBytes;
    const message = `${file}, line ${line}: the record at byte ${offset} is larger than ${most} bytes`;
    return csvErrors.fieldTooLarge(message, { details: { file, line, offset } });
  }

  /** By its line: where a quote is open, that is all that can be told. */
  passer(): RecordPasser {
    return LINE_PASSER;
  }

  notUtf8(line: number): Error {
    const message = `${this.file}, line ${line}: the record holds bytes that are no UTF-8`;
    return csvErrors.notUtf8(message, { details: { file: this.file, line } });
  }
}

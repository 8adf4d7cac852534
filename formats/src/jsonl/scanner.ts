/** JSON records for the table reader, and what is wrong with broken ones. */
import type { CellTable } from '../text/cells.js';
import { LINE_PASSER, type RecordPasser } from '../text/pass-record.js';
import type { TextPosition } from '../text/position.js';
import { shortened } from '../text/shortened.js';
import type { RecordScanner, ScanEnd, ScanState } from '../text/table-reader.js';
import { jsonErrors } from './errors.js';
import { ItemPasser } from './pass-item.js';
import type { JsonScan } from './scan.js';

const LF = 0x0a;

export class JsonScanner implements RecordScanner {
  constructor(
    private readonly file: string,
    private readonly records: JsonScan,
    private readonly maxRecordBytes: number,
  ) {}

  scan(table: CellTable, state: ScanState, end: number, final: boolean): ScanEnd {
    return this.records.scan(table, state, end, final);
  }

  broken(table: CellTable, _state: ScanState, end: number, _final: boolean, line: number): Error {
    const { problem, problemAt, member } = this.records;
    const where = `${this.file}, line ${line}`;
    const details = { file: this.file, line };
    if (problem === 'unknown-member') {
      const message = `${where}: the record has a member ${JSON.stringify(member)}, which is no column`;
      return jsonErrors.unknownMember(message, { details: { ...details, column: member } });
    }
    const found = problemAt >= end ? 'it ends too early' : `at ${near(table, problemAt, end)}`;
    if (problem === 'not-an-object')
      return jsonErrors.notAnObject(`${where}: the record is no object, ${found}`, { details });
    return jsonErrors.broken(`${where}: the record is no JSON, ${found}`, { details });
  }

  /** The next line; between the items of an array there is no telling where the next begins. */
  behindBroken(
    { text }: CellTable,
    state: ScanState,
    end: number,
    final: boolean,
  ): ScanState | 'more' | undefined {
    if (this.records.inOneArray) return undefined;
    const next = text.indexOf(LF, state.at) + 1;
    if (next > end && !final) return 'more';
    return { at: Math.min(next, end), lines: state.lines + 1 };
  }

  tooLarge({ offset, line }: TextPosition): Error {
    const { file, maxRecordBytes: most } = this;
    const message = `${file}, line ${line}: the record at byte ${offset} is larger than ${most} bytes`;
    return jsonErrors.recordTooLarge(message, { details: { file, line, offset } });
  }

  passer(): RecordPasser {
    if (!this.records.inOneArray) return LINE_PASSER;
    return new ItemPasser((comma) => this.records.resume(false, comma));
  }

  notUtf8(line: number): Error {
    const message = `${this.file}, line ${line}: the record holds bytes that are no UTF-8`;
    return jsonErrors.notUtf8(message, { details: { file: this.file, line } });
  }
}

function near(table: CellTable, at: number, end: number): string {
  return shortened(table.text.toString('utf8', at, Math.min(at + 30, end)).split('\n', 1)[0]!);
}

/**
 * Reads the records of a text file block by block: scans a table of cells, decodes its columns, says where reading can
 * be taken up again. What a record is, a {@link RecordScanner} knows.
 */
import { isUtf8 } from 'node:buffer';
import type { Column, Field } from '@sluice/sdk';
import type { BlockFeed } from './block-feed.js';
import { type CellFormats, cellDecoder } from './cell-columns.js';
import type { CellDecoder } from './cell-decoder.js';
import type { CellTable } from './cells.js';
import type { TextPosition } from './position.js';

/** Rows of a text file as columns. */
export interface TextBatch {
  /** One for each of the file's columns, undefined where none was asked for. */
  readonly columns: readonly (Column | undefined)[];
  readonly rowCount: number;
  /** Bytes of text that the rows came from. */
  readonly byteSize: number;
  /** Reading can be taken up from here. */
  readonly position: TextPosition;
}

/** Where a scanner stands in a block. */
export interface ScanState {
  /** Where the next record begins. */
  at: number;
  /** Line ends before `at`, counted from the block's begin. */
  lines: number;
}

/** Why a scan ended: the table has no room, the block has no further whole record, or the record at the state is broken. */
export type ScanEnd = 'full' | 'end' | 'broken';

export interface RecordScanner {
  /** Scans records from `state` on into the table; `bytes[end]` is a line feed; `final`: nothing follows the block. */
  scan(table: CellTable, state: ScanState, end: number, final: boolean): ScanEnd;
  /** The error for the record at the state, which is broken or, at the file's end, incomplete. */
  broken(table: CellTable, state: ScanState, end: number, final: boolean, line: number): Error;
  tooLarge(line: number): Error;
  notUtf8(line: number): Error;
}

export interface TableBounds {
  readonly maxRecordBytes: number;
  /** Positions at which a batch must end, ascending: positions that earlier batches had. */
  readonly cuts: readonly TextPosition[];
}

export class TableReader {
  constructor(
    private readonly feed: BlockFeed,
    private readonly table: CellTable,
    private readonly scanner: RecordScanner,
    private readonly state: ScanState,
    private readonly start: TextPosition,
    private readonly bounds: TableBounds,
  ) {}

  /** The rows as columns. Rows before a broken one are yielded before its error is thrown. */
  async *batches(fields: readonly (Field | undefined)[], formats: CellFormats): AsyncGenerator<TextBatch> {
    const decoders = fields.map((f) => f && cellDecoder(f, formats));
    const cuts = this.bounds.cuts.filter((cut) => cut.offset > this.start.offset);
    for await (const table of this.tables()) {
      let from = 0;
      for (const cut of cuts) {
        const to = rowsBefore(table, cut.offset);
        if (to > from) yield this.batch(decoders, from, to, cut);
        from = Math.max(from, to);
      }
      if (from < table.rows) yield this.batch(decoders, from, table.rows, this.position());
    }
  }

  /** The rows as tables of cells, each valid until the next is asked for. */
  async *tables(): AsyncGenerator<CellTable> {
    const { feed, table, state, scanner } = this;
    table.firstOffset = this.start.offset;
    table.firstLine = this.start.line;
    try {
      for (;;) {
        table.useBlock(feed.bytes);
        table.rows = 0;
        table.begin = state.at;
        const end = scanner.scan(table, state, feed.end, feed.final);
        if (table.rows > 0) {
          this.requireUtf8();
          yield table;
        }
        if (end === 'full') continue;
        if (end === 'broken' || (feed.final && state.at < feed.end)) {
          throw scanner.broken(table, state, feed.end, feed.final, table.firstLine + state.lines);
        }
        if (feed.final) return;
        await this.nextBlock();
      }
    } finally {
      await feed.close();
    }
  }

  /** Frees the source; needed only when the rows were not read to their end. */
  async close(): Promise<void> {
    await this.feed.close();
  }

  private async nextBlock(): Promise<void> {
    const { feed, table, state } = this;
    table.firstOffset += state.at;
    table.firstLine += state.lines;
    if (feed.end - state.at > this.bounds.maxRecordBytes) throw this.scanner.tooLarge(table.firstLine);
    await feed.fill(state.at);
    state.at = 0;
    state.lines = 0;
  }

  private batch(
    decoders: readonly (CellDecoder | undefined)[],
    from: number,
    to: number,
    position: TextPosition,
  ): TextBatch {
    const { table } = this;
    const columns = decoders.map((decode, column) => decode?.(table, column, from, to));
    const begin = from === 0 ? table.begin : table.rowEnds[from - 1]!;
    return { columns, rowCount: to - from, byteSize: table.rowEnds[to - 1]! - begin, position };
  }

  private position(): TextPosition {
    const { table, state, feed } = this;
    return { offset: table.firstOffset + Math.min(state.at, feed.end), line: table.firstLine + state.lines };
  }

  private requireUtf8(): void {
    const { text, begin, rowEnds, rows } = this.table;
    if (isUtf8(text.subarray(begin, rowEnds[rows - 1]!))) return;
    let row = 0;
    while (isUtf8(text.subarray(row === 0 ? begin : rowEnds[row - 1]!, rowEnds[row]!))) row++;
    throw this.scanner.notUtf8(this.table.lineOf(row));
  }
}

/** How many of a table's rows end at or before an offset. */
function rowsBefore(table: CellTable, offset: number): number {
  const within = offset - table.firstOffset;
  if (within <= 0) return 0;
  let rows = 0;
  while (rows < table.rows && table.rowEnds[rows]! <= within) rows++;
  return rows;
}

/** Reads CSV: bytes in, typed columns out, block by block. Only UTF-8 is read, with or without a byte order mark. */
import { isUtf8 } from 'node:buffer';
import type { Column, Field } from '@sluice/sdk';
import { BlockFeed } from '../text/block-feed.js';
import { cellDecoder } from '../text/cell-columns.js';
import type { BytesText, CellDecoder } from '../text/cell-decoder.js';
import { CellTable, NULL, PLAIN } from '../text/cells.js';
import { TEXT_START, type TextPosition } from '../text/position.js';
import { CsvCells } from './cells.js';
import { type CsvDialect, type ResolvedDialect, resolveDialect } from './dialect.js';
import { csvErrors } from './errors.js';
import { skipPreamble } from './preamble.js';
import { recordAt } from './record.js';
import { type ScanEnd, type ScanState, scanRecords } from './scan.js';

export interface CsvReadOptions extends CsvDialect {
  /** What the file is called in errors. */
  readonly file: string;
  /** How bytes stand in text (default base64). */
  readonly bytes?: BytesText;
  /**
   * Where the given bytes begin, when that is not the file's begin: a position that an earlier batch had. The
   * columns' names must then be given in `names`.
   */
  readonly at?: TextPosition;
  /** Upper bounds of a batch (default 65,536 rows, 1 MiB of text). */
  readonly batchRows?: number;
  readonly batchBytes?: number;
  /** Positions at which a batch must end, ascending: positions that earlier batches had. */
  readonly cuts?: readonly TextPosition[];
}

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

/** Cells of one table are bounded, so that a file of thousands of columns does not take memory for 65,536 rows. */
const TABLE_CELLS = 1 << 20;
const LEAST_ROWS = 64;

/**
 * Opens a CSV file and reads its header. Errors: `SLUICE-CSV-0006` (not UTF-8), `SLUICE-CSV-0008` (header),
 * `SLUICE-CSV-0009` (dialect).
 */
export async function openCsv(source: AsyncIterable<Uint8Array>, options: CsvReadOptions): Promise<CsvFile> {
  const dialect = resolveDialect(options);
  const feed = new BlockFeed(source, options.batchBytes ?? 1 << 20);
  try {
    await feed.fill(0);
    const start = options.at ?? TEXT_START;
    const isResumed = start.offset > 0;
    const { names, state } = isResumed
      ? { names: options.names ?? [], state: { at: 0, lines: 0 } }
      : await skipPreamble(feed, dialect, options.file);
    return new CsvFile(feed, dialect, options, names, state, start);
  } catch (error) {
    await feed.close();
    throw error;
  }
}

/** A CSV file whose header has been read. */
export class CsvFile {
  private readonly cells: CsvCells;
  private readonly table: CellTable;

  constructor(
    private readonly feed: BlockFeed,
    private readonly dialect: ResolvedDialect,
    private readonly options: CsvReadOptions,
    /** The columns' names, in the file's order. */
    readonly columns: readonly string[],
    private readonly state: ScanState,
    private readonly start: TextPosition,
  ) {
    this.cells = new CsvCells(options.file, columns, dialect);
    const most = Math.max(Math.floor(TABLE_CELLS / Math.max(columns.length, 1)), LEAST_ROWS);
    this.table = new CellTable(columns.length, Math.min(options.batchRows ?? 65_536, most), this.cells);
  }

  /**
   * The rows as columns: `fields[i]` is what the file's column i is read as, undefined to skip it. Rows before a
   * broken one are yielded first. Errors: `SLUICE-CSV-0001` to `0007`.
   */
  async *batches(fields: readonly (Field | undefined)[]): AsyncGenerator<TextBatch> {
    this.cells.expect(fields);
    const decoders = fields.map((f) => f && cellDecoder(f, this.options));
    const cuts = (this.options.cuts ?? []).filter((cut) => cut.offset > this.start.offset);
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

  /** The rows as tables of cells, each valid until the next is asked for. For inference. */
  async *tables(): AsyncGenerator<CellTable> {
    const { feed, table, state, dialect } = this;
    table.firstOffset = this.start.offset;
    table.firstLine = this.start.line;
    try {
      for (;;) {
        table.useBlock(feed.bytes);
        table.rows = 0;
        table.begin = state.at;
        const end = scanRecords(table, state, feed.end, feed.final, dialect);
        if (table.rows > 0) {
          this.requireUtf8();
          markNulls(table, dialect.nulls);
          yield table;
        }
        if (end === 'full') continue;
        if (end !== 'end') throw this.broken(end);
        if (feed.final) {
          if (state.at < feed.end) throw this.broken('end');
          return;
        }
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
    const kept = feed.end - state.at;
    if (kept > this.dialect.maxRecordBytes) {
      const where = `${this.options.file}, line ${table.firstLine + state.lines}`;
      throw csvErrors.fieldTooLarge(
        `${where}: the record is larger than ${this.dialect.maxRecordBytes} bytes`,
        {
          details: { file: this.options.file, line: table.firstLine + state.lines },
        },
      );
    }
    table.firstOffset += state.at;
    table.firstLine += state.lines;
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
    const { table } = this;
    const { text, begin, rowEnds } = table;
    if (isUtf8(text.subarray(begin, rowEnds[table.rows - 1]!))) return;
    let row = 0;
    while (isUtf8(text.subarray(row === 0 ? begin : rowEnds[row - 1]!, rowEnds[row]!))) row++;
    const line = table.lineOf(row);
    throw csvErrors.notUtf8(`${this.options.file}, line ${line}: the record holds bytes that are no UTF-8`, {
      details: { file: this.options.file, line },
    });
  }

  /** The error for what stands at the scanner's state. */
  private broken(end: ScanEnd): Error {
    const { feed, table, state, dialect, columns } = this;
    const { file } = this.options;
    const line = table.firstLine + state.lines;
    const where = `${file}, line ${line}`;
    const details = { file, line };
    if (end === 'text-after-quote') {
      return csvErrors.textAfterQuote(`${where}: a field goes on behind its closing quote`, { details });
    }
    if (end === 'ragged') {
      const record = recordAt(feed.bytes, state.at, feed.end, feed.final, dialect);
      const actual = record === undefined ? `more than ${columns.length}` : record.fields.length;
      const message = `${where}: the record has ${actual} fields where ${columns.length} are expected`;
      return csvErrors.raggedRow(message, { details: { ...details, expected: columns.length, actual } });
    }
    return csvErrors.openQuote(`${where}: a quoted field begins in this record and is never closed`, {
      details,
    });
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

/** Makes the plain cells that hold one of `texts` null. */
function markNulls(table: CellTable, texts: readonly string[]): void {
  const wanted = texts.filter((text) => text !== '').map((text) => Buffer.from(text));
  if (wanted.length === 0) return;
  const { starts, ends, text } = table;
  for (let column = 0; column < table.columns; column++) {
    const base = column * table.capacity;
    for (let at = base; at < base + table.rows; at++) {
      const start = starts[at]!;
      if ((start & 3) !== PLAIN) continue;
      const length = ends[at]! - (start >> 2);
      for (const null_ of wanted) {
        if (null_.byteLength === length && text.compare(null_, 0, length, start >> 2, ends[at]!) === 0) {
          starts[at] = start | NULL;
        }
      }
    }
  }
}

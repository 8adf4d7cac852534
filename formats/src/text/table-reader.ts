/**
 * Reads the records of a text file block by block: scans a table of cells, decodes its columns, says where reading can
 * be taken up again. What a record is, a {@link RecordScanner} knows.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type Column, type Field, type Json, type RejectedRow, take, toSluiceError } from '@sluice/sdk';
import type { BlockFeed } from './block-feed.js';
import type { CellFormats } from './cell-columns.js';
import type { CellTable } from './cells.js';
import { ColumnDecoders } from './column-decoders.js';
import type { RecordPasser } from './pass-record.js';
import type { TextPosition } from './position.js';

const LF = 0x0a;

/** Rows of a text file as columns. */
export interface TextBatch {
  /** One for each of the file's columns, undefined where none was asked for. */
  readonly columns: readonly (Column | undefined)[];
  readonly rowCount: number;
  /** Records between these rows that could not be read; none unless the reader is tolerant. */
  readonly rejected: readonly RejectedRow[];
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
  /**
   * Where reading can go on behind the broken record at the state: `more` when that takes more bytes, undefined when
   * there is no telling.
   */
  behindBroken(
    table: CellTable,
    state: ScanState,
    end: number,
    final: boolean,
  ): ScanState | 'more' | undefined;
  /** The error for a record that is too large to be held, by where it begins. */
  tooLarge(position: TextPosition): Error;
  /** Passes over the record at the state of the last scan. */
  passer(): RecordPasser;
  notUtf8(line: number): Error;
}

export interface TableBounds {
  readonly maxRecordBytes: number;
  /** Positions at which a batch must end, ascending: positions that earlier batches had. */
  readonly cuts: readonly TextPosition[];
  /** Whether records that cannot be read are passed over and told of; otherwise the first one's error is thrown. */
  readonly tolerant: boolean;
}

export class TableReader {
  /** Records of the present table that are broken, `before` counted in the table's rows. */
  private broken: RejectedRow[] = [];
  /** The error of the first record that was passed over as a whole. */
  problem: Error | undefined;

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
    const decoders = new ColumnDecoders(fields, formats, this.bounds.tolerant);
    const cuts = this.bounds.cuts.filter((cut) => cut.offset > this.start.offset);
    for await (const table of this.tables()) {
      let from = 0;
      for (const cut of cuts) {
        const to = rowsBefore(table, cut.offset);
        if (to > from) yield this.batch(decoders, from, to, cut);
        from = Math.max(from, to);
      }
      if (from < table.rows || this.broken.length > 0) {
        yield this.batch(decoders, from, table.rows, this.position());
      }
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
        let end: ScanEnd | 'passed' = scanner.scan(table, state, feed.end, feed.final);
        let failure: Error | undefined;
        if (end === 'broken' || (end === 'end' && feed.final && state.at < feed.end)) {
          const line = table.firstLine + state.lines;
          const error = scanner.broken(table, state, feed.end, feed.final, line);
          const next = this.bounds.tolerant
            ? scanner.behindBroken(table, state, feed.end, feed.final)
            : undefined;
          if (next === undefined) failure = error;
          else if (next !== 'more') {
            this.reject(table.rows, error, payloadOf(table.text.subarray(state.at, next.at)));
            Object.assign(state, next);
            end = 'passed';
          }
        }
        if (table.rows > 0) this.requireUtf8();
        if (table.rows > 0 || this.broken.length > 0) yield table;
        this.broken = [];
        table.refused.clear();
        if (failure !== undefined) throw failure;
        if (end === 'full' || end === 'passed') continue;
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
    state.lines = 0;
    if (feed.end - state.at > this.bounds.maxRecordBytes) {
      const error = this.scanner.tooLarge({ offset: table.firstOffset, line: table.firstLine });
      if (!this.bounds.tolerant) throw error;
      await this.passRecord(error);
    }
    await feed.fill(state.at);
    state.at = 0;
  }

  /** Passes over a record that is too large to be held; what it was, only a hash tells. */
  private async passRecord(error: Error): Promise<void> {
    const { feed, table, state } = this;
    const passer = this.scanner.passer();
    const hash = createHash('sha256');
    const offset = table.firstOffset;
    let length = 0;
    for (;;) {
      const { end, next } = passer.pass(feed.bytes, state.at, feed.end);
      hash.update(feed.bytes.subarray(state.at, end));
      length += end - state.at;
      const to = next ?? feed.end;
      table.firstOffset += to - state.at;
      table.firstLine += lineEnds(feed.bytes, state.at, to);
      state.at = to;
      if (next !== undefined || feed.final) break;
      await feed.fill(to);
      state.at = 0;
    }
    this.reject(0, error, { offset, length, sha256: hash.digest('hex') });
  }

  private reject(before: number, error: Error, payload: Json): void {
    this.problem ??= error;
    this.broken.push({ before, error: toSluiceError(error), payload });
  }

  private batch(decoders: ColumnDecoders, from: number, to: number, position: TextPosition): TextBatch {
    const { table } = this;
    const { columns, refused } = decoders.decode(table, from, to);
    const begin = from === 0 ? table.begin : table.rowEnds[from - 1]!;
    const byteSize = to === from ? 0 : table.rowEnds[to - 1]! - begin;
    const broken = this.broken.filter(({ before }) => before >= from && (before < to || to === table.rows));
    const rowCount = to - from;
    if (refused.size === 0 && broken.length === 0) {
      return { columns, rowCount, rejected: [], byteSize, position };
    }
    const kept = Uint32Array.from({ length: rowCount }, (_, i) => i).filter((i) => !refused.has(from + i));
    const rows = [...refused].map(([row, error]) => ({
      row,
      error,
      payload: payloadOf(table.recordOf(row)),
    }));
    const all = [...rows, ...broken.map(({ before: row, ...rest }) => ({ row, ...rest }))];
    all.sort((a, b) => a.row - b.row);
    const rejected = all.map(({ row, error, payload }) => {
      const before = row - from - rows.filter((other) => other.row < row).length;
      return { before, error: toSluiceError(error), payload };
    });
    const chosen = columns.map((column) => column && take(column, kept));
    return { columns: chosen, rowCount: kept.length, rejected, byteSize, position };
  }

  private position(): TextPosition {
    const { table, state, feed } = this;
    return { offset: table.firstOffset + Math.min(state.at, feed.end), line: table.firstLine + state.lines };
  }

  private requireUtf8(): void {
    const { table } = this;
    const { text, begin, rowEnds, rows } = table;
    if (isUtf8(text.subarray(begin, rowEnds[rows - 1]!))) return;
    for (let row = 0; row < rows; row++) {
      if (isUtf8(table.recordOf(row))) continue;
      const error = this.scanner.notUtf8(table.lineOf(row));
      if (!this.bounds.tolerant) throw error;
      this.problem ??= error;
      table.refused.set(row, error);
    }
  }
}

/** More of a record than this is not kept when it cannot be read. */
const PAYLOAD_BYTES = 4096;

/** A record that cannot be read, as text; a long one, or one that is no text, as what it takes to find it again. */
function payloadOf(record: Buffer): Json {
  const text = record.toString('utf8').replace(/\r?\n$/, '');
  if (record.byteLength <= PAYLOAD_BYTES && isUtf8(record)) return text;
  return { length: record.byteLength, sha256: createHash('sha256').update(record).digest('hex') };
}

function lineEnds(bytes: Uint8Array, from: number, to: number): number {
  const piece = bytes.subarray(0, to);
  let count = 0;
  for (let at = piece.indexOf(LF, from); at >= 0; at = piece.indexOf(LF, at + 1)) count++;
  return count;
}

/** How many of a table's rows end at or before an offset. */
function rowsBefore(table: CellTable, offset: number): number {
  const within = offset - table.firstOffset;
  if (within <= 0) return 0;
  let rows = 0;
  while (rows < table.rows && table.rowEnds[rows]! <= within) rows++;
  return rows;
}

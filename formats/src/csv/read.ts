/** Reads CSV: bytes in, typed columns out, block by block. Only UTF-8 is read, with or without a byte order mark. */
import type { Field } from '@sluice/sdk';
import { BlockFeed } from '../text/block-feed.js';
import type { BytesText } from '../text/cell-decoder.js';
import { CellTable, tableRows } from '../text/cells.js';
import { TEXT_START, type TextPosition } from '../text/position.js';
import { TableReader, type TextBatch } from '../text/table-reader.js';
import { CsvCells } from './cells.js';
import { type CsvDialect, resolveDialect } from './dialect.js';
import { skipPreamble } from './preamble.js';
import { CsvScanner } from './scanner.js';

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
  /** Whether records that cannot be read are passed over and told of; otherwise the first one's error is thrown. */
  readonly tolerant?: boolean;
}

/**
 * The best size of a block: large enough to spread the cost of a batch, small enough for a block and its offsets to
 * stay in the processor's second-level cache from the scan to the decoding.
 */
const BLOCK = 1 << 20;

/**
 * Opens a CSV file and reads its header. Errors: `SLUICE-CSV-0006` (not UTF-8), `SLUICE-CSV-0008` (header),
 * `SLUICE-CSV-0009` (dialect).
 */
export async function openCsv(source: AsyncIterable<Uint8Array>, options: CsvReadOptions): Promise<CsvFile> {
  const { file, at: start = TEXT_START, cuts = [] } = options;
  const dialect = resolveDialect(options);
  const feed = new BlockFeed(source, Math.min(options.batchBytes ?? BLOCK, BLOCK));
  try {
    await feed.fill(0);
    const isResumed = start.offset > 0;
    const { names, state } = isResumed
      ? { names: options.names ?? [], state: { at: 0, lines: 0 } }
      : await skipPreamble(feed, dialect, file);
    const cells = new CsvCells(file, names, dialect);
    const table = new CellTable(names.length, tableRows(names.length, options.batchRows), cells);
    const { tolerant = false } = options;
    const bounds = { maxRecordBytes: dialect.maxRecordBytes, cuts, tolerant };
    const reader = new TableReader(feed, table, new CsvScanner(file, dialect), state, start, bounds);
    return new CsvFile(names, reader, cells, options.bytes);
  } catch (error) {
    await feed.close();
    throw error;
  }
}

/** A CSV file whose header has been read. */
export class CsvFile {
  constructor(
    /** The columns' names, in the file's order. */
    readonly columns: readonly string[],
    private readonly reader: TableReader,
    private readonly cells: CsvCells,
    private readonly bytes: BytesText = 'base64',
  ) {}

  /**
   * The rows as columns: `fields[i]` is what the file's column i is read as, undefined to skip it. Rows before a
   * broken one are yielded first. Errors: `SLUICE-CSV-0001` to `0007`.
   */
  batches(fields: readonly (Field | undefined)[]): AsyncGenerator<TextBatch> {
    this.cells.expect(fields);
    return this.reader.batches(fields, { bytes: this.bytes });
  }

  /** The rows as tables of cells, each valid until the next is asked for. For inference. */
  tables(): AsyncGenerator<CellTable> {
    return this.reader.tables();
  }

  /** The error of the first record that tables were made without. */
  get problem(): Error | undefined {
    return this.reader.problem;
  }

  /** Frees the source; needed only when the rows were not read to their end. */
  close(): Promise<void> {
    return this.reader.close();
  }
}

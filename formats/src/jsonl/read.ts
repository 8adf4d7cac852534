/**
 * Reads JSON Lines, and files that are one array: bytes in, typed columns out, block by block. Numbers keep all their
 * digits: they are read from the bytes of the file by the tokenizer in `scan.ts`, never through a JavaScript number
 * that could round them.
 */
import { type Field, types } from '@sluice/sdk';
import { BlockFeed } from '../text/block-feed.js';
import { CellTable, tableRows } from '../text/cells.js';
import { TEXT_START, type TextPosition } from '../text/position.js';
import { TableReader, type TextBatch } from '../text/table-reader.js';
import { JsonCells } from './cells.js';
import { jsonErrors } from './errors.js';
import { JsonScan } from './scan.js';
import { JsonScanner } from './scanner.js';

export interface JsonReadOptions {
  /** What the file is called in errors. */
  readonly file: string;
  /** `lines` (default): one document a line. `array`: the file is one array, its items are the records. */
  readonly layout?: 'lines' | 'array';
  /** What to do with members that are no column (default `fail`). */
  readonly extra?: 'fail' | 'ignore';
  /** Where the given bytes begin, when that is not the file's begin: a position that an earlier batch had. */
  readonly at?: TextPosition;
  /** Upper bounds of a batch (default 65,536 rows, 1 MiB of text). */
  readonly batchRows?: number;
  readonly batchBytes?: number;
  /** Positions at which a batch must end, ascending: positions that earlier batches had. */
  readonly cuts?: readonly TextPosition[];
  /** Bound of one record (default 16 MiB). */
  readonly maxRecordBytes?: number;
  /** Whether records that cannot be read are passed over and told of; otherwise the first one's error is thrown. */
  readonly tolerant?: boolean;
}

const BLOCK = 1 << 20;
export const MAX_DOCUMENT_BYTES: number = 16 * 1024 * 1024;

/** The column of documents that are read as they are. */
export const RAW_FIELD: Field = { name: 'document', type: types.json, nullable: false };

/**
 * The records as columns, one for each field; a member that is missing or null is null. Rows before a broken record
 * are yielded first. Strings, numbers and booleans are all read as the text that they are where a column is a string.
 * Errors: `SLUICE-JSON-0001` to `0007`.
 */
export async function* readJson(
  source: AsyncIterable<Uint8Array>,
  fields: readonly Field[],
  options: JsonReadOptions,
): AsyncGenerator<TextBatch> {
  const reader = await tableReader(source, fields, false, options);
  yield* reader.batches(fields, { extra: options.extra ?? 'fail' });
}

/** The documents as they are, of any kind, in one json column ({@link RAW_FIELD}). */
export async function* readRawJson(
  source: AsyncIterable<Uint8Array>,
  options: JsonReadOptions,
): AsyncGenerator<TextBatch> {
  const reader = await tableReader(source, [RAW_FIELD], true, options);
  yield* reader.batches([RAW_FIELD], {});
}

/** A reader whose tables have the documents as cells of one column. */
export function rawTables(source: AsyncIterable<Uint8Array>, options: JsonReadOptions): Promise<TableReader> {
  return tableReader(source, [RAW_FIELD], true, options);
}

async function tableReader(
  source: AsyncIterable<Uint8Array>,
  fields: readonly Field[],
  raw: boolean,
  options: JsonReadOptions,
): Promise<TableReader> {
  const { file, at: start = TEXT_START, cuts = [], maxRecordBytes = MAX_DOCUMENT_BYTES } = options;
  const feed = new BlockFeed(source, Math.min(options.batchBytes ?? BLOCK, BLOCK));
  try {
    await feed.fill(0);
    const array = options.layout === 'array';
    const names = fields.map(({ name }) => name);
    const documents = fields.map(({ type }) => type.kind === 'json');
    const scan = new JsonScan(names, documents, { array, raw, strict: options.extra !== 'ignore' });
    if (start.offset > 0) scan.resume(feed.final && feed.end === 0);
    const table = new CellTable(
      fields.length,
      tableRows(fields.length, options.batchRows),
      new JsonCells(file, fields),
    );
    const state = { at: start.offset > 0 ? 0 : byteOrderMark(feed, file), lines: 0 };
    const scanner = new JsonScanner(file, scan, maxRecordBytes);
    return new TableReader(feed, table, scanner, state, start, {
      maxRecordBytes,
      cuts,
      tolerant: options.tolerant ?? false,
    });
  } catch (error) {
    await feed.close();
    throw error;
  }
}

function byteOrderMark({ bytes, end }: BlockFeed, file: string): number {
  if (end >= 2 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))) {
    throw jsonErrors.notUtf8(`${file} is UTF-16 by its byte order mark`, { details: { file, line: 1 } });
  }
  return end >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

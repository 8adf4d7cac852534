/** How a CSV file is written. */
import { csvErrors } from './errors.js';

export interface CsvDialect {
  /** One ASCII character between fields (default `,`). */
  readonly delimiter?: string;
  /** One ASCII character around fields that need it (default `"`); empty: the file has no quotes. */
  readonly quote?: string;
  /** How a quote stands inside a quoted field: `doubled` (default), or with a backslash before it. */
  readonly escape?: 'doubled' | 'backslash';
  /** Whether the first record names the columns (default true). */
  readonly header?: boolean;
  /** Names of the columns; a header, if there is one, is then skipped. */
  readonly names?: readonly string[];
  /** One ASCII character that starts a line to be skipped (default: none). */
  readonly comment?: string;
  /** Physical lines to skip at the file's begin (default 0). */
  readonly skip?: number;
  /** Whether fields missing at a record's end are null (default: an error). */
  readonly pad?: boolean;
  /**
   * What an empty field means: `null-unless-quoted` (default; `""` is the empty text), `null`, or `text`
   * (never null).
   */
  readonly empty?: 'null-unless-quoted' | 'null' | 'text';
  /** Further texts that mean null where they stand unquoted: `NULL`, `\N`. */
  readonly nulls?: readonly string[];
  /** Bound of one record (default 16 MiB), so that an unclosed quote does not swallow a file. */
  readonly maxRecordBytes?: number;
}

/** A dialect as the scanner wants it. */
export interface ResolvedDialect {
  readonly delimiter: number;
  /** −1: none. */
  readonly quote: number;
  readonly backslash: boolean;
  readonly header: boolean;
  readonly names: readonly string[] | undefined;
  /** −1: none. */
  readonly comment: number;
  readonly skip: number;
  readonly pad: boolean;
  readonly empty: 'null-unless-quoted' | 'null' | 'text';
  readonly nulls: readonly string[];
  readonly maxRecordBytes: number;
}

export const MAX_RECORD_BYTES: number = 16 * 1024 * 1024;
/** Offsets of cells keep two bits for their kind. */
const LARGEST_RECORD = 2 ** 28;

/** Checks a dialect and fills in what is not said. Throws `SLUICE-CSV-0009`. */
export function resolveDialect(dialect: CsvDialect = {}): ResolvedDialect {
  const { empty = 'null-unless-quoted', maxRecordBytes = MAX_RECORD_BYTES, skip = 0 } = dialect;
  const delimiter = character('delimiter', dialect.delimiter ?? ',');
  const quote = character('quote', dialect.quote ?? '"');
  const comment = character('comment', dialect.comment ?? '');
  if (delimiter < 0) throw csvErrors.badDialect('the delimiter is empty');
  const backslash = dialect.escape === 'backslash';
  const taken = [delimiter, quote, comment, ...(backslash ? [0x5c] : [])].filter((byte) => byte >= 0);
  if (new Set(taken).size < taken.length) {
    throw csvErrors.badDialect('delimiter, quote, escape and comment must be different characters');
  }
  if (!(maxRecordBytes > 0 && maxRecordBytes <= LARGEST_RECORD)) {
    throw csvErrors.badDialect(`maxRecordBytes is ${maxRecordBytes}; it may be up to ${LARGEST_RECORD}`);
  }
  return {
    delimiter,
    quote,
    backslash,
    header: dialect.header ?? true,
    names: dialect.names,
    comment,
    skip,
    pad: dialect.pad ?? false,
    empty,
    nulls: dialect.nulls ?? [],
    maxRecordBytes,
  };
}

function character(setting: string, text: string): number {
  if (text === '') return -1;
  const byte = text.charCodeAt(0);
  if (text.length !== 1 || byte > 0x7e || byte === 0x0a || byte === 0x0d || byte === 0) {
    throw csvErrors.badDialect(`${setting} is ${JSON.stringify(text)}, which is not one ASCII character`);
  }
  return byte;
}

/** The keys of a file connection. */
import { z } from 'zod';

const dialect = z
  .strictObject({
    delimiter: z
      .string()
      .optional()
      .describe('The character between fields; a tab for .tsv files, else a comma.'),
    quote: z
      .string()
      .optional()
      .describe('The character around fields that need it; empty for none. Default: ".'),
    escape: z
      .enum(['doubled', 'backslash'])
      .optional()
      .describe('How a quote stands inside a quoted field. Default: doubled.'),
    header: z.boolean().optional().describe('Whether the first record names the columns. Default: true.'),
    names: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('The columns’ names, instead of those in the header.'),
    comment: z.string().optional().describe('A character that starts lines to be skipped. Default: none.'),
    skip: z.int().min(0).optional().describe('Lines to skip at the begin of each file. Default: 0.'),
    pad: z
      .boolean()
      .optional()
      .describe('Whether fields missing at the end of a record are null. Default: false.'),
    empty: z
      .enum(['null-unless-quoted', 'null', 'text'])
      .optional()
      .describe('What an empty field means. Default: null, but the empty text where it stands in quotes.'),
    nulls: z
      .array(z.string())
      .optional()
      .describe('Texts that mean null where they stand unquoted, as NULL or \\N.'),
    maxRecordBytes: z
      .int()
      .min(1)
      .optional()
      .describe('The longest record that is accepted. Default: 16 MiB.'),
  })
  .describe('How CSV files are written.');

export const fileConfig = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      'A file, a folder, or (to read) a pattern like data/flights-*.parquet; relative to the folder of the job. ' +
        'To write: a folder, or one file by its ending.',
    ),
  format: z
    .enum(['auto', 'csv', 'jsonl', 'json', 'parquet'])
    .default('auto')
    .describe('The format; auto goes by the file’s ending. json is one array of objects, and is read only.'),
  compression: z
    .enum(['auto', 'none', 'gzip', 'zstd'])
    .default('auto')
    .describe('To read, auto goes by the first bytes; to write, by the file’s ending.'),
  encoding: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The encoding of CSV and JSON files that are read: windows-1252, shift_jis, utf-16le, … Default: UTF-8, or UTF-16 ' +
        'where a byte order mark says so. What is written is UTF-8.',
    ),
  csv: dialect.optional(),
  json: z
    .strictObject({
      extra: z
        .enum(['fail', 'ignore'])
        .optional()
        .describe('What to do with members that are no column, as later records may have. Default: fail.'),
      raw: z
        .boolean()
        .optional()
        .describe('Whether documents are read as they are, into one json column. Default: false.'),
      maxRecordBytes: z
        .int()
        .min(1)
        .optional()
        .describe('The longest record that is accepted. Default: 16 MiB.'),
    })
    .optional()
    .describe('How JSON files are read.'),
  bytes: z.enum(['base64', 'hex']).default('base64').describe('How bytes stand in CSV files.'),
  types: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'Types by column (or stream.column) instead of the guessed ones: { "total": "decimal(12,2)" }.',
    ),
  stream: z.string().min(1).optional().describe('Reads all files as one stream of this name.'),
  streams: z
    .record(z.string().min(1), z.string().min(1))
    .optional()
    .describe('Streams by name, each a file, a folder or a pattern below path.'),
  hive: z
    .boolean()
    .default(true)
    .describe(
      'Whether folders called name=value are columns of the files below them, which together are one stream.',
    ),
  sample: z
    .strictObject({
      rows: z.int().min(1).default(10_000).describe('Rows of a stream to look at.'),
      bytes: z.int().min(1).default(4_194_304).describe('Bytes of a stream to look at.'),
    })
    .prefault({})
    .describe('How much of CSV and JSON files is read to guess types.'),
  codec: z
    .enum(['none', 'snappy', 'gzip', 'zstd'])
    .default('snappy')
    .describe('How the pages of Parquet files that are written are compressed.'),
  rotate: z
    .strictObject({
      bytes: z.int().min(1).default(536_870_912).describe('Bytes after which the next file begins.'),
      rows: z.int().min(1).default(100_000_000).describe('Rows after which the next file begins.'),
    })
    .prefault({})
    .describe('How large the files that are written may become; every commit ends a file too.'),
  changed: z
    .enum(['fail', 'reread'])
    .default('fail')
    .describe('What incremental reading does with a file that has changed since it was read.'),
});

export type FileConfig = z.infer<typeof fileConfig>;

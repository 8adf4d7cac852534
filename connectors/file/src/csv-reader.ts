/** CSV files as streams. */
import {
  type CsvFile,
  type CsvReadOptions,
  openCsv,
  type Storage,
  sampleCsv,
  TEXT_START,
} from '@sluice/formats';
import { type Context, type Message, toSluiceError } from '@sluice/sdk';
import type { FileConfig } from './config.js';
import type { DeclaredTypes } from './declared-types.js';
import { fileErrors } from './errors.js';
import type { FilePart, FormatReader, Inspection, ReadPart } from './format-reader.js';
import { GuessedColumns, spread } from './guessed-columns.js';
import { textBytes } from './plain-bytes.js';
import type { SourceFile } from './source-files.js';
import { mapColumns, positionJson, positionOf, textMessages } from './text-messages.js';

/** Blocks in which samples are read: small, so that a short sample costs little. */
const SAMPLE_BLOCK = 1 << 18;

export class CsvReader implements FormatReader {
  constructor(
    private readonly storage: Storage,
    private readonly config: FileConfig,
    private readonly declared: DeclaredTypes,
  ) {}

  async inspect(stream: string, files: readonly SourceFile[], c: Context): Promise<Inspection> {
    const { rows, bytes } = this.config.sample;
    const columns = new GuessedColumns();
    const chosen = spread(files);
    let broken: Error | undefined;
    let first: { readonly file: SourceFile; readonly count: number } | undefined;
    for (const file of chosen) {
      c.signal.throwIfAborted();
      const csv = await this.open(file, { batchBytes: Math.min(SAMPLE_BLOCK, bytes), tolerant: true });
      first ??= { file, count: csv.columns.length };
      if (this.config.csv?.header === false && csv.columns.length !== first.count) {
        await csv.close();
        const counts = `${first.file.path} has ${first.count} columns, ${file.path} has ${csv.columns.length}`;
        throw fileErrors.schemasDiffer(`${counts}; without a header they cannot be told apart`);
      }
      const sample = await sampleCsv(csv, Math.ceil(rows / chosen.length), Math.ceil(bytes / chosen.length));
      broken ??= sample.broken;
      columns.add(file, { columns: csv.columns, ...sample });
    }
    const inspection = columns.inspection(stream, files, this.declared);
    return { ...inspection, ...(broken && { broken: toSluiceError(broken) }) };
  }

  /** A file is one part: a line end may stand within quotes, so that no place in the middle is surely a record's begin. */
  async parts(file: SourceFile): Promise<readonly FilePart[]> {
    return [{ name: '', spec: null, start: positionJson(TEXT_START), estimatedBytes: file.size }];
  }

  async *read(part: ReadPart): AsyncGenerator<Message> {
    const { file, schema, constants, at, cuts, batchRows, batchBytes, tolerant } = part;
    const start = positionOf(at);
    const bounds = { batchRows, batchBytes, cuts: cuts.map(positionOf), tolerant };
    const csv = await this.open(file, bounds);
    try {
      const mapping = mapColumns(file.path, csv.columns, schema, constants);
      if (start.offset === 0) {
        yield* textMessages(csv.batches(mapping.fields), schema, mapping, start);
        return;
      }
      // The header was needed; the rows begin further on.
      await csv.close();
      const rest = await this.open(file, { ...bounds, at: start, names: csv.columns });
      yield* textMessages(rest.batches(mapping.fields), schema, mapping, start);
    } finally {
      await csv.close();
    }
  }

  private async open(file: SourceFile, more: Partial<CsvReadOptions>): Promise<CsvFile> {
    const source = await textBytes(this.storage, file, this.config, more.at?.offset);
    const delimiter = file.ending === '.tsv' ? '\t' : ',';
    return openCsv(source, {
      delimiter,
      ...this.config.csv,
      bytes: this.config.bytes,
      file: file.path,
      ...more,
    });
  }
}

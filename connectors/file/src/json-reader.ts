/** JSON Lines, and files that are one array of objects, as streams. */
import {
  JsonGuess,
  type JsonReadOptions,
  RAW_FIELD,
  readJson,
  readRawJson,
  type Storage,
  sampleJson,
  TEXT_START,
} from '@sluice/formats';
import { type Context, type Field, formatType, type Message, toSluiceError, types } from '@sluice/sdk';
import type { FileConfig } from './config.js';
import type { DeclaredTypes } from './declared-types.js';
import type { FilePart, FormatReader, Inspection, ReadPart } from './format-reader.js';
import { spread } from './guessed-columns.js';
import { textBytes } from './plain-bytes.js';
import type { SourceFile } from './source-files.js';
import { mapColumns, positionJson, positionOf, textMessages } from './text-messages.js';

const SAMPLE_BLOCK = 1 << 18;

export class JsonReader implements FormatReader {
  constructor(
    private readonly storage: Storage,
    private readonly config: FileConfig,
    private readonly declared: DeclaredTypes,
  ) {}

  async inspect(stream: string, files: readonly SourceFile[], c: Context): Promise<Inspection> {
    if (this.config.json?.raw === true)
      return { fields: [RAW_FIELD], notes: ['documents are read as they are'] };
    const chosen = spread(files);
    const rows = Math.ceil(this.config.sample.rows / chosen.length);
    const bytes = Math.ceil(this.config.sample.bytes / chosen.length);
    const guess = new JsonGuess();
    let broken: Error | undefined;
    let [seenRows, seenBytes] = [0, 0];
    let whole = chosen.length === files.length;
    for (const file of chosen) {
      c.signal.throwIfAborted();
      const source = await textBytes(this.storage, file, this.config);
      const batchBytes = Math.min(SAMPLE_BLOCK, bytes);
      const options = { ...this.options(file), batchBytes, tolerant: true };
      const sample = await sampleJson(source, options, rows, bytes);
      broken ??= sample.broken;
      guess.merge(sample.guess);
      seenRows += sample.rows;
      seenBytes += sample.bytes;
      whole &&= sample.whole;
    }
    const all = whole ? 'all there are' : `not all of ${files.length} file${files.length === 1 ? '' : 's'}`;
    const notes = [`types guessed from ${seenRows} records, ${all}`];
    const fields = guess.fields(whole).map((f) => this.declare(stream, f, guess, whole, notes));
    const size = files.reduce((sum, file) => sum + file.size, 0);
    const estimatedRows = whole
      ? seenRows
      : Math.round(size / Math.max(seenBytes / Math.max(seenRows, 1), 1));
    return { fields, notes, estimatedRows, ...(broken && { broken: toSluiceError(broken) }) };
  }

  /** A file is one part: its lines are counted, so that errors can name them. */
  async parts(file: SourceFile): Promise<readonly FilePart[]> {
    return [{ name: '', spec: null, start: positionJson(TEXT_START), estimatedBytes: file.size }];
  }

  async *read(part: ReadPart): AsyncGenerator<Message> {
    const { file, schema, constants, at, cuts, batchRows, batchBytes, tolerant } = part;
    const start = positionOf(at);
    const source = await textBytes(this.storage, file, this.config, start.offset);
    const bounds = { cuts: cuts.map(positionOf), batchRows, batchBytes, tolerant };
    const options = { ...this.options(file), at: start, ...bounds };
    const raw = this.config.json?.raw === true;
    const columns = raw ? [RAW_FIELD.name] : schema.fields.map(({ name }) => name);
    const mapping = mapColumns(file.path, columns, schema, constants);
    // A member that a folder says too is passed over, whatever it is.
    const fields = mapping.fields.map((f, i) => f ?? types.field(columns[i]!, types.json));
    const batches = raw ? readRawJson(source, options) : readJson(source, fields, options);
    yield* textMessages(batches, schema, mapping, start);
  }

  private options(file: SourceFile): JsonReadOptions {
    const { extra = 'fail', maxRecordBytes } = this.config.json ?? {};
    return {
      file: file.path,
      layout: file.format === 'json' ? 'array' : 'lines',
      extra,
      ...(maxRecordBytes !== undefined && { maxRecordBytes }),
    };
  }

  private declare(stream: string, f: Field, guess: JsonGuess, whole: boolean, notes: string[]): Field {
    const type = this.declared.of(stream, f.name);
    if (type !== undefined) return { ...f, type };
    const conflict = guess.columns().get(f.name)?.conflict(whole);
    if (conflict !== undefined) notes.push(`${f.name} is ${conflict}`);
    else if (formatType(f.type).includes('json'))
      notes.push(`${f.name} is ${formatType(f.type)}: no one shape was seen`);
    return f;
  }
}

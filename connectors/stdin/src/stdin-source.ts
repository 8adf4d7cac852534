/** Rows from standard input. They exist once: what is not committed when a run ends is gone with the pipe. */
import { type CsvDialect, openCsv, readJson, sampleCsv, sampleJson, type TextBatch } from '@sluice/formats';
import {
  Batch,
  type Catalog,
  type Column,
  type Context,
  checkpoint,
  columnOf,
  type Field,
  formatType,
  type Message,
  matchesAny,
  type OpenRequest,
  parseType,
  type Reader,
  type Source,
  type Split,
  type StreamRead,
  type StreamSchema,
  sdkErrors,
  streamSchema,
} from '@sluice/sdk';
import { stdinErrors } from './errors.js';
import { Input } from './input.js';

export interface StdinSettings {
  readonly format: 'jsonl' | 'csv';
  /** Name of the stream. */
  readonly stream: string;
  /** Columns and their types as text; looked up in the first rows when not given. */
  readonly columns?: { readonly [column: string]: string };
  readonly csv: CsvDialect;
}

const FILE = 'standard input';
const SAMPLE_ROWS = 10_000;

export class StdinSource implements Source {
  readonly capabilities = { replay: false, modes: ['full'], incremental: 'none', before: false } as const;
  private readonly input: Input;
  private schema: Promise<{ readonly schema: StreamSchema; readonly note: string }> | undefined;

  constructor(
    private readonly settings: StdinSettings,
    stream: AsyncIterable<Uint8Array> = process.stdin,
  ) {
    this.input = new Input(stream);
  }

  async check(): Promise<void> {}

  async identity(): Promise<string> {
    return 'stdin';
  }

  async discover(patterns: readonly string[] | undefined): Promise<Catalog> {
    if (patterns && !matchesAny(patterns, this.settings.stream)) return { streams: [] };
    this.schema ??= this.inspect();
    const { schema, note } = await this.schema;
    const types = schema.fields.map((f) => {
      const type = formatType(f.type);
      return { column: f.name, from: type, to: type, verdict: 'exact' as const };
    });
    return { streams: [{ schema, types, notes: [note] }] };
  }

  async *splits(reads: readonly StreamRead[], known: readonly Split[]): AsyncIterable<Split> {
    for (const { stream } of reads) {
      if (stream !== this.settings.stream) {
        throw sdkErrors.configInvalid(
          `standard input is stream ${this.settings.stream}, there is no ${stream}`,
        );
      }
      if (known.some(({ id }) => id === stream)) continue;
      yield { id: stream, streams: [stream], phase: 'bulk', start: { rows: 0 }, spec: null, volatile: true };
    }
  }

  async open({ reads, batchRows, batchBytes }: OpenRequest, c: Context): Promise<Reader> {
    const { schema } = reads[0]!;
    const { input } = this;
    const source = input.read();
    const stop = () => input.close();
    c.signal.addEventListener('abort', stop, { once: true });
    if (c.signal.aborted) stop();
    // Opened by the first read: a header may be long in coming, and a reader can be closed meanwhile.
    const open = () => this.batches(source, schema, { batchRows, batchBytes });
    return {
      async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
        let rows = 0;
        for await (const batch of await open()) {
          yield batch;
          rows += batch.rowCount;
          yield checkpoint({ rows });
        }
        yield checkpoint({ rows }, true);
      },
      async close() {
        c.signal.removeEventListener('abort', stop);
        input.close();
      },
    };
  }

  private async batches(
    source: AsyncIterable<Uint8Array>,
    schema: StreamSchema,
    bounds: { readonly batchRows: number; readonly batchBytes: number },
  ): Promise<AsyncIterable<Batch>> {
    const { fields } = schema;
    if (this.settings.format === 'jsonl') {
      const options = { file: FILE, layout: 'lines', extra: 'ignore', ...bounds } as const;
      return inOrder(
        readJson(source, fields, options),
        schema,
        fields.map(({ name }) => name),
      );
    }
    const csv = await openCsv(source, { ...this.settings.csv, file: FILE, ...bounds });
    const wanted = csv.columns.map((name) => fields.find((f) => f.name === name));
    return inOrder(csv.batches(wanted), schema, csv.columns);
  }

  private async inspect(): Promise<{ readonly schema: StreamSchema; readonly note: string }> {
    const { columns, stream, format } = this.settings;
    if (columns !== undefined) {
      const fields = Object.entries(columns).map(([name, type]) => ({
        name,
        type: parseType(type),
        nullable: true,
      }));
      return { schema: streamSchema(stream, fields), note: 'columns as declared' };
    }
    const { bytes, whole } = await this.input.sample();
    if (bytes.byteLength === 0) throw stdinErrors.noColumns('standard input ended before its first row');
    const { fields, rows } =
      format === 'jsonl' ? await jsonFields(bytes, whole) : await this.csvFields(bytes, whole);
    if (fields.length === 0) throw stdinErrors.noColumns('the first rows of standard input have no columns');
    return { schema: streamSchema(stream, fields), note: `types guessed from the first ${rows} rows` };
  }

  private async csvFields(bytes: Uint8Array, whole: boolean): Promise<{ fields: Field[]; rows: number }> {
    const csv = await openCsv(once(bytes), { ...this.settings.csv, file: FILE });
    const { guesses, rows } = await sampleCsv(csv, SAMPLE_ROWS, bytes.byteLength);
    return {
      fields: csv.columns.map((name, i) => ({ name, type: guesses[i]!.type(whole), nullable: true })),
      rows,
    };
  }
}

/** The columns in the schema's order; one that the input lacks is null. */
async function* inOrder(
  batches: AsyncIterable<TextBatch>,
  schema: StreamSchema,
  names: readonly string[],
): AsyncGenerator<Batch> {
  for await (const { columns, rowCount, byteSize } of batches) {
    const ordered = schema.fields.map((f): Column => {
      const found = columns[names.indexOf(f.name)];
      return found ?? columnOf(f, new Array<null>(rowCount).fill(null));
    });
    yield Batch.ofColumns(schema, ordered, rowCount, { byteSize });
  }
}

async function jsonFields(bytes: Uint8Array, whole: boolean): Promise<{ fields: Field[]; rows: number }> {
  const options = { file: FILE, layout: 'lines', extra: 'ignore' } as const;
  const { guess, rows } = await sampleJson(once(bytes), options, SAMPLE_ROWS, bytes.byteLength);
  return { fields: guess.fields(whole), rows };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

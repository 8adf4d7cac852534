/** Writes Parquet files: batches of columns in, bytes out, row group by row group. */
import { createRequire } from 'node:module';
import { type Column, type Field, sdkErrors } from '@sluice/sdk';
import { ChunkWriter, type FinishedChunk } from './chunk-write.js';
import { type ParquetCodec, pageCompressor } from './codec-write.js';
import { encodeFields, FIELDS_KEY } from './declared-fields.js';
import { MAGIC, type RowGroupMeta } from './format.js';
import { encodeFileMeta } from './metadata-write.js';
import { PageQueue } from './page-queue.js';
import { PagePool } from './page-write.js';
import { type WriteSchema, writeSchema } from './schema-write.js';
import { shred } from './shred.js';

export interface ParquetWriterOptions {
  /** Compression of pages; default `snappy`. `zstd` runs beside the encoding from Node.js 22.15 on. */
  readonly codec?: ParquetCodec;
  /** Rows of a row group at most; default 262,144, which readers can take in parallel. */
  readonly rowGroupRows?: number;
  /** Encoded bytes, before compression, at which a row group ends; default 64 MiB. Bounds the memory. */
  readonly rowGroupBytes?: number;
  /** Encoded bytes at which a page ends; default 1 MiB, and less from 64 columns on. */
  readonly pageBytes?: number;
  /** Whether columns whose values repeat get a dictionary; default true. */
  readonly dictionary?: boolean;
  /** Metadata of the file for its readers. */
  readonly keyValue?: { readonly [key: string]: string };
}

/** Rows that are taken apart at once, so that what is made on the way stays small whatever the batches are. */
const SLICE_ROWS = 1 << 16;
/** Smaller pieces are put together before they go out. */
const OUT_BYTES = 1 << 20;

/**
 * Writes one Parquet file. Batches are encoded when they come, so that memory holds encoded pages of at most two
 * row groups: the one that fills and the one that is on its way out. A failed writer's output is no file.
 */
export class ParquetWriter {
  private readonly schema: WriteSchema;
  private readonly pool: PagePool;
  private readonly queue: PageQueue;
  private readonly rowGroupRows: number;
  private readonly rowGroupBytes: number;
  private readonly groups: RowGroupMeta[] = [];
  private chunks: ChunkWriter[] = [];
  private groupRows = 0;
  private rows = 0;
  private offset = 0;
  /** The row group that is on its way out. */
  private leaving: Promise<void> = Promise.resolve();

  /**
   * @param fields the columns; `SLUICE-PARQUET-0006` when one has no place in Parquet
   * @param out takes the file's bytes in order and keeps them; awaited one call at a time
   */
  constructor(
    private readonly fields: readonly Field[],
    private readonly out: (bytes: Uint8Array) => Promise<void>,
    private readonly options: ParquetWriterOptions = {},
  ) {
    this.schema = writeSchema(fields);
    this.pool = new PagePool(options.pageBytes ?? defaultPageBytes(this.schema.leaves.length));
    this.queue = new PageQueue(pageCompressor(options.codec ?? 'snappy'), this.pool);
    this.rowGroupRows = options.rowGroupRows ?? 262_144;
    this.rowGroupBytes = options.rowGroupBytes ?? 64 << 20;
    this.chunks = this.newChunks();
  }

  /**
   * Writes `rows` rows, of columns in the order of the fields. The columns are not used after it returns.
   * Throws `SLUICE-PARQUET-0005` for a value that Parquet cannot hold, naming column and row of the file.
   */
  async write(columns: readonly Column[], rows: number): Promise<void> {
    const { shapes, leaves } = this.schema;
    if (columns.length !== shapes.length || columns.some((column) => column.length < rows)) {
      throw sdkErrors.unexpected(
        `a Parquet file of ${shapes.length} columns got other columns or fewer rows`,
      );
    }
    const chunkOf = new Map(leaves.map((leaf, i) => [leaf, i]));
    for (let from = 0; from < rows; ) {
      const to = Math.min(rows, from + SLICE_ROWS, from + this.rowGroupRows - this.groupRows);
      for (const [i, shape] of shapes.entries()) {
        shred(shape, columns[i]!, from, to, this.rows - from, (leaf, entries) => {
          this.chunks[chunkOf.get(leaf)!]!.append(entries);
        });
        await this.queue.room();
      }
      this.rows += to - from;
      this.groupRows += to - from;
      from = to;
      if (this.groupIsFull()) await this.endRowGroup();
    }
  }

  /** Writes what is left and the footer. `bytes` is the size of the file. */
  async finish(): Promise<{ rows: number; bytes: number }> {
    if (this.groupRows > 0) await this.endRowGroup();
    await this.leaving;
    if (this.groups.length === 0) await this.put(MAGIC);
    const footer = encodeFileMeta({
      schema: this.schema.elements,
      rows: this.rows,
      rowGroups: this.groups,
      keyValue: new Map([
        ...Object.entries(this.options.keyValue ?? {}),
        [FIELDS_KEY, encodeFields(this.fields)],
      ]),
      createdBy: CREATED_BY,
    });
    const tail = Buffer.alloc(8);
    tail.writeUInt32LE(footer.byteLength);
    tail.set(MAGIC, 4);
    await this.put(Buffer.concat([footer, tail]));
    return { rows: this.rows, bytes: this.offset };
  }

  private newChunks(): ChunkWriter[] {
    const dictionary = this.options.dictionary ?? true;
    return this.schema.leaves.map((leaf) => new ChunkWriter(leaf, this.queue, this.pool, dictionary));
  }

  private groupIsFull(): boolean {
    if (this.groupRows >= this.rowGroupRows) return true;
    return this.chunks.reduce((sum, chunk) => sum + chunk.size, 0) >= this.rowGroupBytes;
  }

  /** Hands the row group on to be written while the next one fills; waits for the one before. */
  private async endRowGroup(): Promise<void> {
    const finished = Promise.all(this.chunks.map((chunk) => chunk.finish()));
    const rows = this.groupRows;
    this.chunks = this.newChunks();
    this.groupRows = 0;
    const before = this.leaving;
    this.leaving = before.then(async () => this.writeRowGroup(await finished, rows));
    // Seen by whoever waits for it next; here they only must not count as unhandled.
    finished.catch(() => {});
    this.leaving.catch(() => {});
    await before;
  }

  private async writeRowGroup(chunks: readonly FinishedChunk[], rows: number): Promise<void> {
    if (this.groups.length === 0) await this.put(MAGIC);
    const start = this.offset;
    let uncompressedSize = 0;
    let at = start;
    const columns = chunks.map((chunk) => {
      const meta = chunk.meta(at);
      at += chunk.compressedSize;
      uncompressedSize += chunk.uncompressedSize;
      return meta;
    });
    for (const pieces of gather(chunks)) await this.put(pieces);
    this.groups.push({ columns, uncompressedSize, compressedSize: at - start, rows, offset: start });
  }

  private async put(bytes: Uint8Array): Promise<void> {
    this.offset += bytes.byteLength;
    await this.out(bytes);
  }
}

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
/** In the form that readers take apart to know a writer's bugs. */
const CREATED_BY = `sluice version ${version} (build 0)`;

/** Every column has a page open, which together should not pass 64 MiB. */
function defaultPageBytes(columns: number): number {
  return Math.max(64 << 10, Math.min(1 << 20, Math.floor((64 << 20) / columns)));
}

/** The chunks' bytes in pieces of a good size for a file: page headers and small pages together. */
function* gather(chunks: readonly FinishedChunk[]): Generator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for (const chunk of chunks) {
    for (const piece of chunk.pieces) {
      if (size > 0 && size + piece.byteLength > OUT_BYTES) {
        yield held.length === 1 ? held[0]! : Buffer.concat(held, size);
        held = [];
        size = 0;
      }
      held.push(piece);
      size += piece.byteLength;
    }
  }
  if (size > 0) yield held.length === 1 ? held[0]! : Buffer.concat(held, size);
}

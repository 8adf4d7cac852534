/** Reads Parquet files: https://github.com/apache/parquet-format */
import type { Column, Field, TimeUnit } from '@sluice/sdk';
import { assemble } from './assemble.js';
import type { ByteSource } from './byte-source.js';
import { ChunkReader, located } from './chunk-read.js';
import { isReadable } from './codec-read.js';
import { Damage, sound } from './damage.js';
import { declaredFields, declaredNode, FIELDS_KEY } from './declared-fields.js';
import { parquetErrors } from './errors.js';
import { type FileMeta, MAGIC, type RowGroupMeta } from './format.js';
import { LeafReader } from './leaf-read.js';
import { decodeFileMeta } from './metadata-read.js';
import { type ReadLeaf, type ReadNode, type ReadSchema, readSchema } from './schema-read.js';

export interface ParquetReadOptions {
  /**
   * Unit of INT96 timestamps, which hold nanoseconds over a range that nanoseconds in 64 bits do not have. With
   * `us`, the default and what Spark keeps in them, values with finer digits are special; with `ns` those outside
   * the years 1677 to 2262 are.
   */
  readonly int96?: TimeUnit;
}

export interface ReadRowsOptions {
  /** Indices of the fields to read, in this order; default all. */
  readonly columns?: readonly number[];
  /** Rows of a batch, at most 1,048,576. */
  readonly batchRows: number;
}

export interface ParquetFile {
  readonly fields: readonly Field[];
  readonly rows: number;
  /** `bytes`: size of its pages before compression. */
  readonly rowGroups: readonly { readonly rows: number; readonly bytes: number }[];
  /** The metadata that the writer left, without what this reader takes for itself. */
  readonly keyValue: ReadonlyMap<string, string>;
  readonly createdBy: string | undefined;
  /** What a plan should say about columns that are not read as they are stored. */
  readonly notes: readonly string[];
  /**
   * The rows of a row group in batches. Pages are read and decoded as batches ask for them: memory holds two pages
   * and a dictionary a column beside the batch. Values that their type cannot hold are special. Throws
   * `SLUICE-PARQUET-0002` for damage (with the byte where it was met), 0003 for codecs that are not read, 0004 for
   * sizes beyond the limits.
   */
  readRowGroup(index: number, options: ReadRowsOptions): AsyncIterable<{ columns: Column[]; rows: number }>;
}

/** What a reader of many columns may read ahead in all, and a column at least. */
const READ_AHEAD = 64 << 20;
const LEAST_READ_AHEAD = 64 << 10;
const MOST_READ_AHEAD = 2 << 20;
const MOST_BATCH_ROWS = 1 << 20;
/** A larger footer is refused. */
const MOST_FOOTER = 256 << 20;

/**
 * Opens a file by its footer. Throws `SLUICE-PARQUET-0001` when it is no Parquet file, 0002 when its footer is
 * damaged, 0003 when it is encrypted.
 */
export async function openParquet(
  source: ByteSource,
  options: ParquetReadOptions = {},
): Promise<ParquetFile> {
  const { bytes, offset } = await readFooter(source);
  try {
    const meta = decodeFileMeta(bytes);
    const schema = readSchema(meta.schema, options.int96 ?? 'us');
    for (const group of meta.rowGroups) checkRowGroup(group, schema);
    return new OpenFile(source, meta, schema);
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    throw parquetErrors.damaged(`the footer at byte ${offset}: ${error.message}`, { details: { offset } });
  }
}

class OpenFile implements ParquetFile {
  readonly fields: readonly Field[];
  readonly rows: number;
  readonly rowGroups: readonly { rows: number; bytes: number }[];
  readonly keyValue: ReadonlyMap<string, string>;
  readonly createdBy: string | undefined;
  readonly notes: readonly string[];
  private readonly nodes: readonly ReadNode[];

  constructor(
    private readonly source: ByteSource,
    private readonly meta: FileMeta,
    schema: ReadSchema,
  ) {
    const declared = declaredFields(meta.keyValue.get(FIELDS_KEY), meta.schema);
    this.fields = declared ?? schema.fields;
    this.nodes = declared
      ? schema.nodes.map((node, i) => declaredNode(node, declared[i]!.type))
      : schema.nodes;
    this.rows = meta.rowGroups.reduce((sum, { rows }) => sum + rows, 0);
    this.rowGroups = meta.rowGroups.map(({ rows, uncompressedSize }) => ({ rows, bytes: uncompressedSize }));
    this.keyValue = new Map([...meta.keyValue].filter(([key]) => key !== FIELDS_KEY));
    this.createdBy = meta.createdBy;
    this.notes = schema.notes;
  }

  async *readRowGroup(
    index: number,
    options: ReadRowsOptions,
  ): AsyncGenerator<{ columns: Column[]; rows: number }> {
    const group = this.meta.rowGroups[index];
    if (group === undefined) throw new RangeError(`there is no row group ${index}`);
    const chosen = options.columns ?? this.fields.map((_, i) => i);
    const leaves = [...new Set(chosen.flatMap((i) => leavesOf(this.nodes[i]!)))];
    const readers = this.openLeaves(group, leaves);
    const batchRows = Math.max(1, Math.min(options.batchRows, MOST_BATCH_ROWS));
    for (let row = 0; row < group.rows; row += batchRows) {
      const rows = Math.min(batchRows, group.rows - row);
      const batches = await Promise.all(readers.map((reader) => reader.read(rows)));
      const byLeaf = new Map(leaves.map((leaf, i) => [leaf, batches[i]!]));
      const columns = chosen.map((i) => {
        const [node, field] = [this.nodes[i]!, this.fields[i]!];
        try {
          const column = assemble(node, field, byLeaf);
          sound(column.length === rows, `the column has ${column.length} rows instead of ${rows}`);
          return column;
        } catch (error) {
          const leaf = leavesOf(node)[0]!;
          throw located(error, leaf, group.columns[leaf.index]!.dataPageOffset);
        }
      });
      yield { columns, rows };
    }
    for (const reader of readers) await reader.end();
  }

  private openLeaves(group: RowGroupMeta, leaves: readonly ReadLeaf[]): LeafReader[] {
    const share = Math.floor(READ_AHEAD / Math.max(1, leaves.length));
    const readAhead = Math.max(LEAST_READ_AHEAD, Math.min(MOST_READ_AHEAD, share));
    return leaves.map((leaf) => {
      const chunk = group.columns[leaf.index]!;
      if (!isReadable(chunk.codec)) {
        throw parquetErrors.unsupported(
          `column ${leaf.path}: the compression codec ${chunk.codec} is not read`,
        );
      }
      return new LeafReader(new ChunkReader(this.source, chunk, leaf, readAhead), leaf);
    });
  }
}

function leavesOf(node: ReadNode): ReadLeaf[] {
  if (node.kind === 'leaf') return [node.leaf];
  return node.kind === 'list' ? leavesOf(node.item) : node.members.flatMap(leavesOf);
}

/** The footer's bytes: before the length and the magic number that every file ends with. */
async function readFooter(source: ByteSource): Promise<{ bytes: Uint8Array; offset: number }> {
  const { size } = source;
  if (size < 12) throw parquetErrors.notParquet(`a file of ${size} bytes cannot be a Parquet file`);
  // One read gets most footers whole.
  const tailSize = Math.min(size, 64 << 10);
  const tail = await source.read(size - tailSize, tailSize);
  if (tail.byteLength !== tailSize) throw parquetErrors.damaged(`the file is shorter than ${size} bytes`);
  const magic = Buffer.from(tail.subarray(tailSize - 4)).toString('latin1');
  if (magic === 'PARE') throw parquetErrors.unsupported('the file is encrypted');
  if (Buffer.compare(tail.subarray(tailSize - 4), MAGIC) !== 0) {
    throw parquetErrors.notParquet('the file does not end with PAR1, as every finished Parquet file does');
  }
  const length = new DataView(tail.buffer, tail.byteOffset, tailSize).getUint32(tailSize - 8, true);
  const offset = size - 8 - length;
  if (offset < 4)
    throw parquetErrors.damaged(`at byte ${size - 8}: a footer of ${length} bytes is longer than the file`);
  if (length > MOST_FOOTER)
    throw parquetErrors.tooLarge(`the footer has ${length} bytes, at most ${MOST_FOOTER} are read`);
  if (length + 8 <= tailSize) return { bytes: tail.subarray(tailSize - 8 - length, tailSize - 8), offset };
  const bytes = await source.read(offset, length);
  if (bytes.byteLength !== length) throw parquetErrors.damaged(`the file is shorter than ${size} bytes`);
  return { bytes, offset };
}

/** A row group must have the schema's columns, and flat ones a value or null for every row. */
function checkRowGroup(group: RowGroupMeta, { leaves }: ReadSchema): void {
  sound(group.columns.length === leaves.length, 'a row group has other columns than the schema');
  for (const leaf of leaves) {
    const chunk = group.columns[leaf.index]!;
    sound(chunk.type === leaf.physical, `column ${leaf.path} is stored as another type than the schema says`);
    const fits = leaf.maxRep === 0 ? chunk.values === group.rows : chunk.values >= group.rows;
    sound(fits, `column ${leaf.path} has ${chunk.values} values for ${group.rows} rows`);
  }
}

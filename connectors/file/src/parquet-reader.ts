/** Parquet files as streams. */
import { openParquet, type ParquetFile, type Storage } from '@sluice/formats';
import {
  Batch,
  type Column,
  type Context,
  checkpoint,
  type Field,
  formatType,
  isSluiceError,
  type Json,
  type Message,
  SluiceError,
  type StreamSchema,
  sameType,
  slice,
} from '@sluice/sdk';
import type { DeclaredTypes } from './declared-types.js';
import { fileErrors } from './errors.js';
import type { FilePart, FormatReader, Inspection, ReadPart } from './format-reader.js';
import { spread } from './guessed-columns.js';
import { absentColumn, type Constants } from './hive-columns.js';
import type { SourceFile } from './source-files.js';
import { type FileFields, unifyFields, widened, widerType } from './unify-fields.js';

/** Where reading can be taken up: a row of a row group. */
interface GroupPosition {
  readonly group: number;
  readonly row: number;
}

/** The row groups of a part: from the first up to the second, exclusive. */
interface GroupRange {
  readonly from: number;
  readonly to: number;
}

/** Uncompressed bytes that are worth a part of their own. */
const PART_BYTES = 256 << 20;

export class ParquetReader implements FormatReader {
  constructor(
    private readonly storage: Storage,
    private readonly declared: DeclaredTypes,
    private readonly partBytes = PART_BYTES,
  ) {}

  async inspect(stream: string, files: readonly SourceFile[], c: Context): Promise<Inspection> {
    const chosen = spread(files);
    const found: FileFields[] = [];
    const notes = new Set<string>();
    let rows = 0;
    for (const file of chosen) {
      c.signal.throwIfAborted();
      const parquet = await this.open(file);
      found.push({ path: file.path, fields: parquet.fields });
      for (const note of parquet.notes) notes.add(note);
      rows += parquet.rows;
    }
    const fields = unifyFields(stream, found).map((f) => this.declare(stream, f));
    return { fields, notes: [...notes], estimatedRows: Math.round((rows * files.length) / chosen.length) };
  }

  /** Row groups are read on their own; small ones go together. */
  async parts(file: SourceFile): Promise<readonly FilePart[]> {
    if (file.size < this.partBytes / 4) return [part('', 0, -1, file.size)];
    const { rowGroups } = await this.open(file);
    const parts: FilePart[] = [];
    let from = 0;
    let bytes = 0;
    for (const [i, group] of rowGroups.entries()) {
      bytes += group.bytes;
      if (bytes < this.partBytes && i < rowGroups.length - 1) continue;
      parts.push(
        part(`#${from}-${i + 1}`, from, i + 1, Math.round((file.size * (i + 1 - from)) / rowGroups.length)),
      );
      from = i + 1;
      bytes = 0;
    }
    return parts.length > 0 ? parts : [part('', 0, -1, file.size)];
  }

  async *read(part: ReadPart): AsyncGenerator<Message> {
    const { file, spec, schema, constants, at, cuts, batchRows, batchBytes } = part;
    const parquet = await this.open(file);
    const range = spec as unknown as GroupRange;
    const last = range.to < 0 ? parquet.rowGroups.length : range.to;
    const columns = mapFields(file.path, parquet, schema, constants);
    const stops = cuts.map((cut) => cut as unknown as GroupPosition);
    const start = at as unknown as GroupPosition;
    let sealed = false;
    for (let group = start.group; group < last; group++) {
      const { rows, bytes } = parquet.rowGroups[group]!;
      const fitting = Math.max(1, Math.floor(batchBytes / Math.max(bytes / Math.max(rows, 1), 1)));
      const first = group === start.group ? start.row : 0;
      const ends = stops.filter((stop) => stop.group === group).map((stop) => stop.row);
      const bounds = { batchRows: Math.min(batchRows, fitting), columns: columns.origins, first, ends };
      for await (const { from, to, columns: read } of slices(parquet, group, bounds)) {
        const isLast = to === rows;
        const position = isLast ? { group: group + 1, row: 0 } : { group, row: to };
        sealed = isLast && group + 1 === last;
        const byteSize = Math.round((bytes * (to - from)) / rows);
        yield Batch.ofColumns(schema, columns.assemble(read, to - from), to - from, { byteSize });
        yield checkpoint(position, sealed);
      }
    }
    if (!sealed) yield checkpoint({ group: last, row: 0 }, true);
  }

  private async open({ path, size }: SourceFile): Promise<ParquetFile> {
    try {
      return await openParquet({ size, read: (offset, length) => this.storage.readAt(path, offset, length) });
    } catch (error) {
      throw withFile(error, path);
    }
  }

  private declare(stream: string, f: Field): Field {
    const type = this.declared.of(stream, f.name);
    if (type === undefined || sameType(type, f.type)) return f;
    const wider = widerType(f.type, type);
    if (wider !== undefined && sameType(wider, type)) return { ...f, type };
    const [is, wanted] = [formatType(f.type), formatType(type)];
    throw fileErrors.settingInvalid(
      `types: column ${f.name} is ${is} in the file, which ${wanted} does not hold`,
      {
        details: { stream, column: f.name },
      },
    );
  }
}

function part(name: string, from: number, to: number, estimatedBytes: number): FilePart {
  const spec: Json = { from, to };
  return { name, spec, start: { group: from, row: 0 }, estimatedBytes };
}

interface Mapping {
  /** The file's columns to read. */
  readonly origins: readonly number[];
  /** The columns that were read, as those of the schema. */
  assemble(read: readonly Column[], rows: number): Column[];
}

/** Maps a file's columns to the planned schema. Throws `SLUICE-FILE-0004` when they do not fit. */
function mapFields(
  path: string,
  { fields }: ParquetFile,
  schema: StreamSchema,
  constants: Constants,
): Mapping {
  const differs = (what: string, column: string) =>
    fileErrors.schemasDiffer(`${path}: ${what} of stream ${schema.stream}`, {
      details: { file: path, stream: schema.stream, column },
    });
  for (const { name } of fields) {
    if (constants.has(name)) continue;
    if (!schema.fields.some((f) => f.name === name)) throw differs(`column ${name} is no column`, name);
  }
  const found = schema.fields.map((planned) => {
    if (constants.has(planned.name)) return undefined;
    const at = fields.findIndex(({ name }) => name === planned.name);
    if (at < 0 && !planned.nullable) throw differs(`lacks the column ${planned.name}`, planned.name);
    if (at < 0) return undefined;
    const { type } = fields[at]!;
    const wider = widerType(type, planned.type);
    if (wider === undefined || !sameType(wider, planned.type)) {
      throw differs(
        `${planned.name} is ${formatType(type)}, not the ${formatType(planned.type)}`,
        planned.name,
      );
    }
    return { at, type };
  });
  const origins = found.flatMap((column) => (column === undefined ? [] : [column.at]));
  return {
    origins,
    assemble(read, rows) {
      let next = 0;
      return schema.fields.map((f, i) => {
        const column = found[i];
        if (column === undefined) return absentColumn(f, rows, constants);
        return widened(read[next++]!, column.type, f);
      });
    },
  };
}

interface SliceBounds {
  readonly batchRows: number;
  readonly columns: readonly number[];
  /** The row to begin at. */
  readonly first: number;
  /** Rows at which a slice must end. */
  readonly ends: readonly number[];
}

/** The rows of a row group from `first` on, cut at `ends`; rows before are decoded and dropped. */
async function* slices(
  parquet: ParquetFile,
  group: number,
  { batchRows, columns, first, ends }: SliceBounds,
): AsyncGenerator<{ from: number; to: number; columns: Column[] }> {
  let begin = 0;
  for await (const batch of parquet.readRowGroup(group, { batchRows, columns })) {
    const end = begin + batch.rows;
    const borders = [begin, ...ends.filter((row) => row > begin && row < end), end];
    for (let i = 0; i + 1 < borders.length; i++) {
      const [from, to] = [Math.max(borders[i]!, first), borders[i + 1]!];
      if (to <= from) continue;
      const cut = batch.columns.map((column) => slice(column, from - begin, to - begin));
      yield { from, to, columns: cut };
    }
    begin = end;
  }
}

/** A format knows offsets, not files: its errors get the file's name here. */
function withFile(error: unknown, path: string): unknown {
  if (!isSluiceError(error)) return error;
  const { code, class: errorClass, message, help, details } = error;
  const entry = { code, name: code, class: errorClass, title: message, help };
  return new SluiceError(entry, `${path}: ${message}`, { cause: error, details: { ...details, file: path } });
}

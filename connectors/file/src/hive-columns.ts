/** Columns that stand in the folders of a stream's files instead of in the files. */
import { openCsv } from '@sluice/formats';
import { type Column, columnOf, type Field, isSluiceError, parseDate, take, types } from '@sluice/sdk';
import type { DeclaredTypes } from './declared-types.js';
import { fileErrors } from './errors.js';
import type { FolderValue } from './hive-folders.js';
import type { SourceFile } from './source-files.js';

/** Columns by name that have one value, kept as a column of one row. */
export type Constants = ReadonlyMap<string, Column>;

/**
 * The columns that the folders say, with types that hold the values of all of them: int64, date or string. Throws
 * `SLUICE-FILE-0004` where files stand in folders of different names.
 */
export function hiveColumns(stream: string, files: readonly SourceFile[], declared: DeclaredTypes): Field[] {
  const [first] = files;
  for (const file of files) {
    if (namesOf(file) === namesOf(first!)) continue;
    const say = (f: SourceFile) => `${f.path} (${namesOf(f) || 'none'})`;
    throw fileErrors.schemasDiffer(
      `stream ${stream}: folders called name=value differ between ${say(first!)} and ${say(file)}; ` +
        'with `hive: false` they are no columns',
      { details: { stream, files: [first!.path, file.path] } },
    );
  }
  return first!.folders.map(({ name }, i) => {
    const values = files.map(({ folders }) => folders[i]!.value);
    return { name, type: declared.of(stream, name) ?? typeOf(values), nullable: true };
  });
}

/** The values of a file's folders for the columns of a schema. Throws `SLUICE-FILE-0004` where one does not fit. */
export async function constantsOf(
  path: string,
  folders: readonly FolderValue[],
  fields: readonly Field[],
): Promise<Constants> {
  const constants = new Map<string, Column>();
  for (const { name, value } of folders) {
    const f = fields.find((known) => known.name === name);
    const details = { file: path, column: name };
    if (f === undefined) {
      throw fileErrors.schemasDiffer(`${path}: the folder’s column ${name} is no column of the stream`, {
        details,
      });
    }
    try {
      constants.set(name, await constant(f, value));
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      const message = `${path}: the folder’s ${name} is not of its column’s type: ${error.message}`;
      throw fileErrors.schemasDiffer(message, { details, cause: error });
    }
  }
  return constants;
}

/** A column that a file does not hold: its folder's value, or nulls. */
export function absentColumn(field: Field, rows: number, constants: Constants): Column {
  const constant = constants.get(field.name);
  if (constant === undefined) return columnOf(field, new Array<null>(rows).fill(null));
  return take(constant, new Uint32Array(rows));
}

function namesOf({ folders }: SourceFile): string {
  return folders.map(({ name }) => name).join('/');
}

function typeOf(values: readonly (string | null)[]) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return types.string;
  if (known.every(isInteger)) return types.int64;
  return known.every(isDate) ? types.date : types.string;
}

function isInteger(text: string): boolean {
  return /^-?\d{1,30}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && parseDate(text) !== undefined;
}

/** One row; texts are read as CSV fields are. */
async function constant(field: Field, value: string | null): Promise<Column> {
  if (value === null || field.type.kind === 'string') return columnOf(field, [value]);
  const bytes = Buffer.from(`"${value.replaceAll('"', '""')}"\n`);
  const csv = await openCsv(once(bytes), { file: field.name, header: false, names: [field.name] });
  for await (const { columns } of csv.batches([field])) return columns[0]!;
  throw new TypeError('a field is a row');
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

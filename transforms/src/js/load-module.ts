/** Loads the module of a `js` transform and looks at what it exports. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type Batch,
  type Field,
  fieldsOf,
  parseType,
  type Row,
  type StreamSchema,
  type TypedColumns,
} from '@sluice/sdk';
import { transformErrors } from '../errors.js';

/** Makes of one row one, several or none. */
export type RowFunction = (row: Row) => Row | readonly Row[] | null | undefined;
/** Makes of a batch batches of the schema `out`. */
export type BatchFunction = (batch: Batch, out: StreamSchema) => Batch | readonly Batch[];

export interface LoadedModule {
  readonly path: string;
  readonly row?: RowFunction;
  readonly columns?: BatchFunction;
  /** What the module says that it yields. */
  readonly fields?: readonly Field[];
}

export async function loadModule(cwd: string, file: string): Promise<LoadedModule> {
  const path = resolve(cwd, file);
  let exported: { readonly [name: string]: unknown };
  try {
    exported = (await import(pathToFileURL(path).href)) as typeof exported;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw transformErrors.moduleNotLoaded(`js: ${path} cannot be loaded: ${reason}`, { cause });
  }
  const { default: row, columns, schema } = exported;
  const fields = schema === undefined ? {} : { fields: fieldsOfExport(path, schema) };
  if (typeof columns === 'function') return { path, columns: columns as BatchFunction, ...fields };
  if (typeof row === 'function') return { path, row: row as RowFunction, ...fields };
  throw transformErrors.moduleNotLoaded(
    `js: ${path} exports neither a default function nor a function "columns"`,
  );
}

/** `schema` is made of typed columns (`t.int64`), or of type texts. */
function fieldsOfExport(path: string, schema: unknown): readonly Field[] {
  if (typeof schema !== 'object' || schema === null) {
    throw transformErrors.moduleNotLoaded(`js: the schema that ${path} exports is no object of columns`);
  }
  const columns = Object.entries(schema);
  if (columns.every(([, type]) => typeof type === 'string')) {
    return columns.map(([name, type]) => ({ name, type: parseType(type as string), nullable: true }));
  }
  if (columns.every(([, column]) => typeof column === 'object' && column !== null && 'type' in column)) {
    return fieldsOf(schema as TypedColumns);
  }
  throw transformErrors.moduleNotLoaded(
    `js: the columns of the schema that ${path} exports are neither types nor texts`,
  );
}

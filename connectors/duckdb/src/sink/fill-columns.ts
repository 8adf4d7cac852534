/** Columns that come with a value for the rows that are there: which ones a table takes, and how it gets them. */
import {
  Batch,
  type Fill,
  failpoint,
  type SinkJob,
  type SinkStream,
  type StreamSchema,
  type TablePlan,
  valueFromJson,
} from '@sluice/sdk';
import type { Database } from '../database/database.js';
import { duckdbErrors } from '../errors.js';
import { columnType } from '../tables/column-type.js';
import { folded, literal, plainName, qualified, quote, type TableName } from '../tables/identifiers.js';
import { readShape, type TableShape } from '../tables/table-shape.js';
import { type FillText, targetOf } from '../tables/target.js';
import { feedColumns, placedColumns } from '../vectors/feed-columns.js';
import { filledColumns, recordFill, requireFence } from './records.js';

export interface FillPlan {
  /** Those that the table lacks. */
  readonly added: readonly FillText[];
  /** Those, and others that were added so before. */
  readonly all: readonly string[];
  /** Columns that the table lacks. */
  readonly lacks: readonly string[];
}

/** What becomes of the fills that a stream comes with in a table that is there. */
export async function planFills(
  database: Database,
  { stream, schema, fills = [] }: SinkStream,
  name: TableName,
  shape: TableShape,
): Promise<FillPlan> {
  const lacks = schema.fields.map((f) => f.name).filter((column) => !has(shape, column));
  if (fills.length === 0) return { added: [], all: [], lacks };
  const before = await filledColumns(database.control, stream, plainName(name));
  const added: FillText[] = [];
  for (const fill of fills.filter(({ column }) => !has(shape, column))) {
    const { column, id } = fill;
    const text = await textOf(database, schema, fill);
    if (text !== undefined) added.push({ column, id, text });
  }
  const known = fills.filter(({ column, id }) => has(shape, column) && before.get(column) === id);
  return { added, all: [...added, ...known].map(({ column }) => column), lacks };
}

/** Text that DuckDB casts to the value; undefined where it does not have the value, or no text of it. */
async function textOf(
  { control, driver, feeds }: Database,
  { stream, fields }: StreamSchema,
  { column, value }: Fill,
): Promise<string | undefined> {
  const own = fields.find((f) => f.name === column)!;
  const schema = { stream, version: 1, fields: [own], key: [] };
  const batch = Batch.ofRows(schema, [{ [column]: valueFromJson(own.type, value) }]);
  let text: string | undefined;
  try {
    const { sql } = columnType(own.type);
    const rows = { columns: placedColumns(batch), rowCount: 1 };
    await feeds.use(feedColumns(schema, driver), [rows], async (from) => {
      const [row] = await control.rows(
        `SELECT text, CAST(CAST(text AS ${sql}) AS VARCHAR) = text AND CAST(text AS ${sql}) = value AS same
         FROM (SELECT value, CAST(value AS VARCHAR) AS text FROM (SELECT CAST(${quote(column)} AS ${sql}) AS value FROM ${from}))`,
        `look at a value of ${column} of ${stream}`,
      );
      const found = row?.['text'] as string | null | undefined;
      // A statement ends at a character of code 0.
      if (row?.['same'] === true && found?.includes('\0') === false) text = found;
    });
  } catch {
    return undefined;
  }
  return text;
}

/**
 * Adds the columns, each in a transaction of its own, in which the table remembers it: a further one behind a value of
 * any length cannot be committed (DuckDB 1.5.6). Throws `SLUICE-DUCKDB-0026` where one has come since that was planned.
 */
export async function fillColumns(
  { lock, control }: Database,
  job: SinkJob,
  table: TablePlan,
): Promise<void> {
  const target = targetOf(table);
  for (const fill of target.fills ?? []) {
    const { column } = fill;
    await lock.run(() =>
      control.transaction(
        async () => {
          await requireFence(control, job.id, job.fence);
          const shape = await readShape(control, target);
          if (shape === undefined) return;
          if (has(shape, column)) {
            const before = await filledColumns(control, table.stream, table.target);
            if (before.get(column) === fill.id) return;
            throw duckdbErrors.drifted(`${table.target} has got a column ${column} since it was planned`);
          }
          const { type } = table.schema.fields.find(({ name }) => name === column)!;
          for (const sql of fillStatements(target, columnType(type).sql, fill)) {
            await control.run(sql, `add column ${column} to ${table.target}`);
          }
          await recordFill(control, job.id, table, fill);
        },
        () => failpoint('duckdb.fill.before'),
      ),
    );
    failpoint('duckdb.fill.after');
  }
}

/**
 * The default is a text, which is evaluated once more where the database's log is read after a crash: there is no
 * variable then, and no type JSON to cast to (DuckDB 1.5.6).
 */
export function fillStatements(name: TableName, type: string, { column, text }: FillText): string[] {
  const alter = `ALTER TABLE ${qualified(name)}`;
  return [
    `${alter} ADD COLUMN ${quote(column)} ${type} DEFAULT ${literal(text)}`,
    `${alter} ALTER COLUMN ${quote(column)} DROP DEFAULT`,
  ];
}

function has({ columns }: TableShape, column: string): boolean {
  return columns.some(({ name }) => folded(name) === folded(column));
}

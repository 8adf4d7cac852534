/**
 * The values that columns have come with. A constant default of `ADD COLUMN` is not written into the rows that are there:
 * the server keeps it beside the column (`attmissingval`), as it was then, until it writes the table anew.
 */
import { type Fill, type Json, type StreamSchema, valueToJson } from '@sluice/sdk';
import { databaseIdentity } from '../connection/identity.js';
import type { Session } from '../connection/session.js';
import { FrameBatches } from '../copy/frame-batch.js';
import { literal, parseStreamName } from '../quote.js';
import { columnsOf, findRelation, type Relation, type RelationColumn } from './relation.js';

/** What a table is known again by, and the number of its last column: numbers rise, and are not given away again. */
interface TableMark {
  readonly table: number;
  readonly columns: number;
}

/** Columns that were there and could not be seen would count as new: there is no mark of a table that is read in part. */
export function tableMark({ oid, kind, readable, lastColumn }: Relation): Json | undefined {
  if ((kind !== 'r' && kind !== 'p') || readable !== 'all') return undefined;
  return { table: oid, columns: lastColumn };
}

/**
 * Columns with a greater number than $2: what all parts of the table have in them, where that is one value. A column of
 * a partition has the partition's number, and the name of the root's.
 */
const NEWER = `
  SELECT a.attnum, a.attname, a.attisdropped,
         (SELECT CASE WHEN bool_and(own.atthasmissing) AND count(DISTINCT value.text) = 1 THEN min(value.text) END
          FROM (
            SELECT oid FROM pg_catalog.pg_class WHERE oid = a.attrelid AND relkind = 'r'
            UNION ALL SELECT t.relid FROM pg_catalog.pg_partition_tree(a.attrelid) t
              JOIN pg_catalog.pg_class root ON root.oid = a.attrelid AND root.relkind = 'p' WHERE t.isleaf
          ) AS part
          JOIN pg_catalog.pg_attribute own ON own.attrelid = part.oid AND own.attname = a.attname
          CROSS JOIN LATERAL (SELECT pg_catalog.array_to_string(own.attmissingval, '')) AS value (text))
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1 AND a.attnum > $2`;

/** The fills of columns that are new since the mark; see `Source.fills`. */
export async function fillsSince(
  session: Session,
  schema: StreamSchema,
  wanted: readonly string[],
  since: Json,
): Promise<Fill[]> {
  const mark = since as unknown as TableMark;
  const relation = await findRelation(session, parseStreamName(schema.stream));
  if (relation?.oid !== mark.table) return [];
  const newer = await session.rows(NEWER, [String(mark.table), String(mark.columns)]);
  // One that has come and gone meanwhile may have had the name of another, and rows of the log may have values of it.
  if (newer.some(([, , isDropped]) => isDropped === 't')) return [];
  const identity = await databaseIdentity(session);
  const live = (await columnsOf(session, [mark.table])).get(mark.table)!;
  const fills: Fill[] = [];
  for (const [number, name, , text] of newer) {
    const column = live.find((each) => each.name === name);
    if (!wanted.includes(name!) || text === null || column === undefined) continue;
    const value = await valueOfText(session, schema, column, text!);
    if (value !== undefined) fills.push({ column: name!, id: `${identity}/${mark.table}/${number}`, value });
  }
  return fills;
}

/** The value of a text, as rows of the stream have it. */
async function valueOfText(
  session: Session,
  { stream, fields }: StreamSchema,
  { name, type }: RelationColumn,
  text: string,
): Promise<Json | undefined> {
  const own = fields.find((f) => f.name === name);
  if (own === undefined || own.native !== type.name) return undefined;
  const batches = new FrameBatches({ stream, version: 1, fields: [own], key: [] }, [type.wire], undefined);
  const sql = `COPY (SELECT ${literal(text)}::${type.name}${type.viaText ? '::text' : ''}) TO STDOUT (FORMAT binary)`;
  const copy = await session.copyOut(
    sql,
    { rows: 1, bytes: 1 << 20 },
    `reading the default of ${name} of ${stream}`,
  );
  let value: Json | undefined;
  for (let chunk = await copy.next(); chunk !== undefined; chunk = await copy.next()) {
    for (const row of batches.batch(chunk).rows()) value = valueToJson(own.type, row[name]!);
  }
  return value;
}

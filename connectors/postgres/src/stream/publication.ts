/** The publication, which says whose changes the server logs for us: made where there is none, checked else. */
import type { StreamSchema } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { onTable } from '../connection/table-error.js';
import { pgErrors } from '../errors.js';
import { ident, literal, parseStreamName, qualified, streamName, type TableName } from '../quote.js';
import { loggedTables } from './logged-table.js';

const GENERATED = 180000;

/** Makes the publication, or adds to one of ours what it lacks. */
export async function preparePublication(
  session: Session,
  name: string,
  tables: readonly TableName[],
  ours: boolean,
): Promise<void> {
  if (!(await exists(session, name))) {
    const generated = session.version >= GENERATED ? ', publish_generated_columns = stored' : '';
    await session.query(
      `CREATE PUBLICATION ${ident(name)} FOR TABLE ${listOf(tables)} WITH (publish_via_partition_root = true${generated})`,
      undefined,
      `creating publication ${name}`,
    );
    return;
  }
  const missing = await missingTables(session, name, tables);
  if (missing.length === 0) return;
  if (!ours) throw lacks(name, missing);
  for (const table of missing) {
    const stream = streamName(table);
    const adding = `adding ${stream} to publication ${name}`;
    await onTable(stream, session.query(addTables(name, [table]), undefined, adding));
  }
}

/**
 * Throws `SLUICE-PG-0048` where a table, a part of one, or a kind of change is not published, `SLUICE-PG-0019` where a
 * table is not there.
 */
export async function checkPublication(
  session: Session,
  name: string,
  schemas: readonly StreamSchema[],
): Promise<void> {
  const tables = schemas.map(({ stream }) => parseStreamName(stream));
  const [row] = await session.rows(
    `SELECT pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_catalog.pg_publication WHERE pubname = ${literal(name)}`,
  );
  if (row === undefined) {
    throw pgErrors.unpublished(
      `there is no publication ${name}: CREATE PUBLICATION ${ident(name)} FOR TABLE ${listOf(tables)} WITH (publish_via_partition_root = true)`,
    );
  }
  if (row.includes('f')) {
    throw pgErrors.unpublished(
      `publication ${name} leaves changes out: ALTER PUBLICATION ${ident(name)} SET (publish = 'insert, update, delete, truncate')`,
    );
  }
  const missing = await missingTables(session, name, tables);
  if (missing.length > 0) {
    // One that is gone has left its publication.
    await loggedTables(session, missing.map(streamName));
    throw lacks(name, missing);
  }
  await checkParts(session, name, schemas);
}

/** Columns that a publication leaves out of a table, and whether it leaves out rows; both from version 15 on. */
const PARTS = `
  SELECT t.schemaname, t.tablename, to_json(t) ->> 'rowfilter',
         (SELECT json_agg(a.attname) FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = pg_catalog.format('%I.%I', t.schemaname, t.tablename)::regclass
            AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            AND NOT (to_jsonb(t) -> 'attnames') ? a.attname::text)
  FROM pg_catalog.pg_publication_tables t WHERE t.pubname = `;

/** A row or a column that is copied and then never changes would be worse than none. */
async function checkParts(session: Session, name: string, schemas: readonly StreamSchema[]): Promise<void> {
  const parts = new Map(
    (await session.rows(PARTS + literal(name))).map(([schema, table, filter, columns]) => [
      streamName({ schema: schema!, table: table! }),
      { filter, columns: JSON.parse(columns ?? '[]') as string[] },
    ]),
  );
  for (const { stream, fields } of schemas) {
    const { filter = null, columns = [] } = parts.get(stream) ?? {};
    const left = columns.filter((column) => fields.some((f) => f.name === column));
    if (filter === null && left.length === 0) continue;
    const what =
      left.length > 0 ? `columns of ${stream}: ${left.join(', ')}` : `rows of ${stream}: ${filter}`;
    const table = qualified(parseStreamName(stream));
    const [drop, add] = ['DROP', 'ADD'].map(
      (verb) => `ALTER PUBLICATION ${ident(name)} ${verb} TABLE ${table}`,
    );
    throw pgErrors.unpublished(`publication ${name} leaves out ${what}; publish them all: ${drop}; ${add}`, {
      details: { stream },
    });
  }
}

async function exists(session: Session, name: string): Promise<boolean> {
  const rows = await session.rows(`SELECT FROM pg_catalog.pg_publication WHERE pubname = ${literal(name)}`);
  return rows.length > 0;
}

async function missingTables(
  session: Session,
  name: string,
  tables: readonly TableName[],
): Promise<TableName[]> {
  const rows = await session.rows(
    `SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables WHERE pubname = ${literal(name)}`,
  );
  const published = new Set(rows.map(([schema, table]) => streamName({ schema: schema!, table: table! })));
  return tables.filter((table) => !published.has(streamName(table)));
}

function addTables(name: string, tables: readonly TableName[]): string {
  return `ALTER PUBLICATION ${ident(name)} ADD TABLE ${listOf(tables)}`;
}

/** Without the tables that inherit from them, whose rows are not theirs; partitions are published all the same. */
function listOf(tables: readonly TableName[]): string {
  return tables.map((table) => `ONLY ${qualified(table)}`).join(', ');
}

function lacks(name: string, missing: readonly TableName[]) {
  return pgErrors.unpublished(
    `publication ${name} lacks ${missing.map(streamName).join(', ')}: ${addTables(name, missing)}`,
    { details: { tables: missing.map(streamName), stream: streamName(missing[0]!) } },
  );
}

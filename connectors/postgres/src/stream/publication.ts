/** The publication, which says whose changes the server logs for us: made where there is none, checked else. */
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { ident, literal, qualified, streamName, type TableName } from '../quote.js';

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
    const list = tables.map(qualified).join(', ');
    await session.query(
      `CREATE PUBLICATION ${ident(name)} FOR TABLE ${list} WITH (publish_via_partition_root = true${generated})`,
      undefined,
      `creating publication ${name}`,
    );
    return;
  }
  const missing = await missingTables(session, name, tables);
  if (missing.length === 0) return;
  if (!ours) throw lacks(name, missing);
  await session.query(addTables(name, missing), undefined, `adding tables to publication ${name}`);
}

/** Throws `SLUICE-PG-0048` where a table or a kind of change is not published. */
export async function checkPublication(
  session: Session,
  name: string,
  tables: readonly TableName[],
): Promise<void> {
  const [row] = await session.rows(
    `SELECT pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_catalog.pg_publication WHERE pubname = ${literal(name)}`,
  );
  if (row === undefined) {
    throw pgErrors.unpublished(
      `there is no publication ${name}: CREATE PUBLICATION ${ident(name)} FOR TABLE ${tables.map(qualified).join(', ')} WITH (publish_via_partition_root = true)`,
    );
  }
  if (row.includes('f')) {
    throw pgErrors.unpublished(
      `publication ${name} leaves changes out: ALTER PUBLICATION ${ident(name)} SET (publish = 'insert, update, delete, truncate')`,
    );
  }
  const missing = await missingTables(session, name, tables);
  if (missing.length > 0) throw lacks(name, missing);
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
  return `ALTER PUBLICATION ${ident(name)} ADD TABLE ${tables.map(qualified).join(', ')}`;
}

function lacks(name: string, missing: readonly TableName[]) {
  return pgErrors.unpublished(
    `publication ${name} lacks ${missing.map(streamName).join(', ')}: ${addTables(name, missing)}`,
    { details: { tables: missing.map(streamName) } },
  );
}

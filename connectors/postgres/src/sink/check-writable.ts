/** Whether this user can write here at all, before anything is tried. */
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { ident } from '../quote.js';
import type { RecordTables } from './record-tables.js';

/** Throws `SLUICE-PG-0037` and `SLUICE-PG-0008`. Rights on targets are seen when they are planned and written. */
export async function checkWritable(session: Session, schema: string, tables: RecordTables): Promise<void> {
  const [row] = await session.rows(
    `SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only'),
            pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
            (SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = $1)`,
    [schema],
  );
  const [recovering, readOnly, mayCreateSchema, mayCreateTable] = row!;
  if (recovering === 't' || readOnly === 'on') throw pgErrors.readOnly('this server takes no writes');
  if (mayCreateTable === null && mayCreateSchema === 'f') {
    throw pgErrors.permission(
      `the schema ${ident(schema)} is not there, and CREATE on the database is missing`,
    );
  }
  if (mayCreateTable === 'f' && !(await tables.exist(session))) {
    throw pgErrors.permission(
      `CREATE on the schema ${ident(schema)} is missing, which is to hold our own tables`,
    );
  }
}

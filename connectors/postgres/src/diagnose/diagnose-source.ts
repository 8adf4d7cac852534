/** What is in the way of reading tables and views, with the statement that fixes each. */
import { type DiagnosedStream, type Finding, failure, isSluiceError } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { ident, parseStreamName, qualified, type TableName } from '../quote.js';
import { diagnoseReplication } from './diagnose-replication.js';
import { type Whoami, whoami } from './whoami.js';

/** `$1` is a JSON array of [schema, table]. Columns that may not be read only matter where some may. */
const RIGHTS = `
  SELECT n.oid IS NOT NULL, c.oid IS NOT NULL, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
         pg_catalog.has_table_privilege(c.oid, 'SELECT'),
         (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')),
         pg_catalog.has_any_column_privilege(c.oid, 'SELECT'),
         CASE WHEN c.relrowsecurity THEN pg_catalog.row_security_active(c.oid) END
  FROM pg_catalog.json_array_elements($1::json) WITH ORDINALITY AS w (name, place)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.name->>0
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name->>1
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  ORDER BY w.place`;

export async function diagnoseSource(
  session: Session,
  streams: readonly DiagnosedStream[],
): Promise<Finding[]> {
  const who = await whoami(session);
  const findings: Finding[] = [];
  const names: TableName[] = [];
  for (const { stream } of streams) {
    try {
      names.push(parseStreamName(stream));
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      findings.push(failure(error));
    }
  }
  const asked = JSON.stringify(names.map(({ schema, table }) => [schema, table]));
  const rows = await session.rows(RIGHTS, [asked]);
  for (const [i, row] of rows.entries()) findings.push(...tableFindings(names[i]!, row, who));
  if (streams.some(({ mode }) => mode === 'cdc')) findings.push(...(await diagnoseReplication(session, who)));
  const failed = findings.some(({ level }) => level === 'fail');
  if (names.length > 0 && !failed)
    findings.unshift({ level: 'ok', what: `${who.role} may read all of ${names.length}` });
  return onceEach(findings);
}

function tableFindings(name: TableName, row: readonly (string | null)[], { role }: Whoami): Finding[] {
  const [hasSchema, hasTable, usage, select, hidden, some, secured] = row;
  const table = qualified(name);
  if (hasTable === 'f') {
    const what = `there is no ${hasSchema === 'f' ? `schema ${ident(name.schema)}` : `table or view ${table}`}`;
    const fix = 'Correct the name under `streams`; `sluice discover` lists what there is.';
    return [{ level: 'fail', what, fix, class: 'config' }];
  }
  const findings: Finding[] = [];
  if (usage === 'f') {
    findings.push({
      level: 'fail',
      what: `USAGE on the schema ${ident(name.schema)} is missing`,
      fix: `GRANT USAGE ON SCHEMA ${ident(name.schema)} TO ${role};`,
      class: 'auth',
    });
  }
  const fix = `GRANT SELECT ON ${table} TO ${role};`;
  if (select === 'f' && some === 'f') {
    findings.push({ level: 'fail', what: `SELECT on ${table} is missing`, fix, class: 'auth' });
  } else if (select === 'f' && hidden !== null) {
    const columns = (JSON.parse(hidden!) as string[]).map(ident).join(', ');
    findings.push({
      level: 'warn',
      what: `SELECT on ${columns} of ${table} is missing: they are left out`,
      fix,
    });
  }
  if (secured === 't') {
    findings.push({
      level: 'warn',
      what: `row security of ${table} applies to ${role}: rows that the policies hide are not read`,
      fix: `ALTER ROLE ${role} BYPASSRLS;`,
    });
  }
  return findings;
}

/** A schema's right is missing once, however many tables lie in it. */
function onceEach(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ what }, i) => findings.findIndex((other) => other.what === what) === i);
}

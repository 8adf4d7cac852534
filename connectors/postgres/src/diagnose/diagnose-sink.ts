/** What is in the way of writing tables, with the statement that fixes each. */
import { type DiagnosedTarget, type Finding, failure, isSluiceError } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { ident, parseStreamName, qualified, type TableName } from '../quote.js';
import type { RecordTables } from '../sink/record-tables.js';
import { type Whoami, whoami } from './whoami.js';

const DATABASE = `
  SELECT pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only') = 'on',
         pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
         pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')`;

/** `$1` is a schema, `$2` a table. */
const RIGHTS = `
  SELECT n.oid IS NOT NULL, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
         pg_catalog.has_schema_privilege(n.oid, 'CREATE'), c.oid IS NOT NULL,
         pg_catalog.pg_has_role(c.relowner, 'USAGE'),
         CASE WHEN c.relrowsecurity THEN pg_catalog.row_security_active(c.oid) END,
         (SELECT json_agg(p) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p
          WHERE NOT pg_catalog.has_table_privilege(c.oid, p))
  FROM (SELECT $1::text AS schema, $2::text AS name) w
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p')`;

/** What is needed of one table. */
interface Need {
  readonly name: TableName;
  /** Rights on the table where it is there and not ours. */
  readonly rights: readonly string[];
  /** Whether tables are created beside it, also where it is there. */
  readonly staging: boolean;
  /** Whether it is dropped and made anew, which only an owner may. */
  readonly owner: boolean;
}

const RIGHTS_OF = {
  append: ['INSERT'],
  upsert: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  history: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  replace: ['SELECT', 'INSERT', 'DELETE'],
  mirror: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
} as const;

export async function diagnoseSink(
  session: Session,
  targets: readonly DiagnosedTarget[],
  schema: string,
  tables: RecordTables,
): Promise<Finding[]> {
  const who = await whoami(session);
  const [database] = await session.rows(DATABASE);
  const [readOnly, mayCreateSchema, mayTemporary] = database!.map((value) => value === 't');
  if (readOnly) return [failure(pgErrors.readOnly('this server takes no writes'))];
  const findings: Finding[] = [];
  const needs: Need[] = tables.names.map((name) => ({
    name,
    rights: RIGHTS_OF.upsert,
    staging: false,
    owner: false,
  }));
  for (const target of targets) {
    try {
      needs.push(needOf(target, schema));
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      findings.push(failure(error));
    }
  }
  for (const need of needs) findings.push(...(await tableFindings(session, need, who, mayCreateSchema!)));
  if (!mayTemporary) findings.push(temporaryMissing(targets, who));
  const unique = findings.filter(({ what }, i) => findings.findIndex((other) => other.what === what) === i);
  if (unique.some(({ level }) => level === 'fail')) return unique;
  return [{ level: 'ok', what: `${who.role} may write all of ${targets.length}` }, ...unique];
}

function needOf({ target, write, save }: DiagnosedTarget, schema: string): Need {
  const recreate = save === 'recreate';
  return {
    name: parseStreamName(target, schema),
    rights: recreate ? [] : RIGHTS_OF[write],
    staging: write === 'replace' || recreate,
    owner: recreate,
  };
}

async function tableFindings(
  session: Session,
  { name, rights, staging, owner }: Need,
  { role, database }: Whoami,
  mayCreateSchema: boolean,
): Promise<Finding[]> {
  const [row] = await session.rows(RIGHTS, [name.schema, name.table]);
  const [hasSchema, usage, create, hasTable, isOwner, secured, lacking] = row!;
  const schema = ident(name.schema);
  const table = qualified(name);
  const denied = (what: string, fix: string): Finding => ({ level: 'fail', what, fix, class: 'auth' });
  if (hasSchema === 'f') {
    if (mayCreateSchema) return [];
    return [
      denied(
        `the schema ${schema} is not there, and CREATE on the database ${database} is missing`,
        `CREATE SCHEMA ${schema} AUTHORIZATION ${role};`,
      ),
    ];
  }
  const findings: Finding[] = [];
  if (usage === 'f')
    findings.push(
      denied(`USAGE on the schema ${schema} is missing`, `GRANT USAGE ON SCHEMA ${schema} TO ${role};`),
    );
  if (create === 'f' && (hasTable === 'f' || staging))
    findings.push(
      denied(`CREATE on the schema ${schema} is missing`, `GRANT CREATE ON SCHEMA ${schema} TO ${role};`),
    );
  if (hasTable === 'f') return findings;
  if (owner && isOwner === 'f')
    findings.push(
      denied(
        `${table} belongs to somebody else, and is to be made anew`,
        `ALTER TABLE ${table} OWNER TO ${role};`,
      ),
    );
  const missing =
    lacking === null ? [] : (JSON.parse(lacking!) as string[]).filter((p) => rights.includes(p));
  if (missing.length > 0) {
    const list = missing.join(', ');
    const are = missing.length === 1 ? 'is' : 'are';
    findings.push(denied(`${list} on ${table} ${are} missing`, `GRANT ${list} ON ${table} TO ${role};`));
  }
  if (secured === 't') {
    findings.push({
      level: 'warn',
      what: `row security of ${table} applies to ${role}: rows that the policies refuse cannot be written`,
      fix: `ALTER ROLE ${role} BYPASSRLS;`,
    });
  }
  return findings;
}

/** Rows that are written by their key go through a temporary table; others only where a value goes as text. */
function temporaryMissing(targets: readonly DiagnosedTarget[], { role, database }: Whoami): Finding {
  const what = `TEMPORARY on the database ${database} is missing`;
  const fix = `GRANT TEMPORARY ON DATABASE ${database} TO ${role};`;
  if (targets.some(({ write }) => write === 'upsert')) return { level: 'fail', what, fix, class: 'auth' };
  return { level: 'warn', what: `${what}: rows with values that only go as text cannot be written`, fix };
}

/** What people have hung on a table that we created, and a swap would take away. */
import type { Session } from '../connection/session.js';
import type { Target } from './target.js';

/** Each yields a row a thing: the table's number, and a text that names it. `wanted` has the numbers of the tables. */
const CHECKS: readonly string[] = [
  // Views, functions with SQL bodies, foreign keys of other tables and statistics objects that name the table, and
  // indexes, sequences and defaults of its own: all but the table's type, its TOAST table and its primary key.
  `SELECT w.oid, pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) AS text
   FROM wanted w JOIN pg_catalog.pg_depend d
     ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = w.oid AND d.deptype <> 'i'
   WHERE NOT (d.classid = 'pg_catalog.pg_constraint'::regclass AND EXISTS (
     SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = d.objid AND k.conrelid = w.oid AND k.contype IN ('p', 'n')))`,
  // Columns, functions and the like that use the table's row type.
  `SELECT w.oid, pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
   FROM wanted w JOIN pg_catalog.pg_type t ON t.typrelid = w.oid JOIN pg_catalog.pg_depend d
     ON d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) AND d.deptype = 'n'`,
  `SELECT w.oid, 'trigger ' || tgname FROM wanted w JOIN pg_catalog.pg_trigger ON tgrelid = w.oid AND NOT tgisinternal`,
  `SELECT w.oid, 'rule ' || rulename FROM wanted w JOIN pg_catalog.pg_rewrite ON ev_class = w.oid`,
  `SELECT w.oid, 'policy ' || polname FROM wanted w JOIN pg_catalog.pg_policy ON polrelid = w.oid`,
  `SELECT w.oid, 'publication ' || p.pubname FROM wanted w JOIN pg_catalog.pg_publication_rel r ON r.prrelid = w.oid
   JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid`,
  `SELECT w.oid, 'constraint ' || conname FROM wanted w
   JOIN pg_catalog.pg_constraint ON conrelid = w.oid AND contype NOT IN ('p', 'n')`,
  `SELECT w.oid, 'inheritance' FROM wanted w JOIN pg_catalog.pg_inherits ON w.oid IN (inhrelid, inhparent)`,
  `SELECT w.oid, 'comment' FROM wanted w
   JOIN pg_catalog.pg_description ON classoid = 'pg_catalog.pg_class'::regclass AND objoid = w.oid`,
  `SELECT w.oid, 'privileges of ' || coalesce(r.rolname, 'everybody')
   FROM wanted w JOIN pg_catalog.pg_class c ON c.oid = w.oid
   CROSS JOIN LATERAL (
     SELECT grantee FROM pg_catalog.aclexplode(c.relacl)
     UNION SELECT e.grantee FROM pg_catalog.pg_attribute a CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) e
           WHERE a.attrelid = c.oid) g
   LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee
   WHERE g.grantee <> c.relowner`,
  `SELECT w.oid, problem FROM wanted w JOIN pg_catalog.pg_class c ON c.oid = w.oid
   CROSS JOIN LATERAL (VALUES
     ('another owner', c.relowner <> (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)),
     ('row security', c.relrowsecurity),
     ('storage options', c.reloptions IS NOT NULL),
     ('a tablespace', c.reltablespace <> 0),
     ('a replica identity', c.relreplident <> 'd'),
     ('it is partitioned', c.relkind <> 'r'),
     ('it is not logged', c.relpersistence <> 'p')) AS v (problem, holds)
   WHERE holds`,
];

/** A table that we created, and the columns that it got from us. */
export interface CreatedTable {
  readonly target: Target;
  readonly columns: readonly string[];
}

/** Texts that name what was hung on each of the tables, by the table's number; none where nothing was. */
export async function hungOn(
  session: Session,
  tables: readonly CreatedTable[],
): Promise<Map<number, readonly string[]>> {
  if (tables.length === 0) return new Map();
  const numbers = `{${tables.map(({ target }) => target.oid).join(',')}}`;
  const rows = await session.rows(
    `WITH wanted AS (SELECT pg_catalog.unnest($1::oid[]) AS oid) ${CHECKS.join(' UNION ')}`,
    [numbers],
  );
  const found = new Map<number, string[]>();
  for (const { target, columns } of tables) {
    const added = target.columns.filter((column) => !columns.includes(column.name));
    found.set(
      target.oid,
      added.map((column) => `column ${column.name}`),
    );
  }
  for (const [oid, text] of rows) found.get(Number(oid))!.push(text!);
  for (const texts of found.values()) texts.sort();
  return found;
}

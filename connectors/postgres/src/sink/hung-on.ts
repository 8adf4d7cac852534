/** What people have hung on a table that we created, and a swap would take away. */
import type { Session } from '../connection/session.js';
import type { Target } from './target.js';

/** Each yields one row a thing, with a text that names it. `$1` is the table's number. */
const CHECKS: readonly string[] = [
  // Views, functions with SQL bodies, foreign keys of other tables and statistics objects that name the table, and
  // indexes, sequences and defaults of its own: all but the table's type, its TOAST table and its primary key.
  `SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
   FROM pg_catalog.pg_depend d
   WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = $1::oid AND d.deptype <> 'i'
     AND NOT (d.classid = 'pg_catalog.pg_constraint'::regclass AND EXISTS (
       SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = d.objid AND k.conrelid = $1::oid AND k.contype IN ('p', 'n')))`,
  // Columns, functions and the like that use the table's row type.
  `SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
   FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_type t ON d.refobjid IN (t.oid, t.typarray)
   WHERE d.refclassid = 'pg_catalog.pg_type'::regclass AND t.typrelid = $1::oid AND d.deptype = 'n'`,
  `SELECT 'trigger ' || tgname FROM pg_catalog.pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal`,
  `SELECT 'rule ' || rulename FROM pg_catalog.pg_rewrite WHERE ev_class = $1::oid`,
  `SELECT 'policy ' || polname FROM pg_catalog.pg_policy WHERE polrelid = $1::oid`,
  `SELECT 'publication ' || p.pubname FROM pg_catalog.pg_publication_rel r
   JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = $1::oid`,
  `SELECT 'constraint ' || conname FROM pg_catalog.pg_constraint WHERE conrelid = $1::oid AND contype NOT IN ('p', 'n')`,
  `SELECT 'inheritance' FROM pg_catalog.pg_inherits WHERE inhrelid = $1::oid OR inhparent = $1::oid`,
  `SELECT 'comment' FROM pg_catalog.pg_description WHERE classoid = 'pg_catalog.pg_class'::regclass AND objoid = $1::oid`,
  `SELECT 'privileges of ' || coalesce(r.rolname, 'everybody')
   FROM pg_catalog.pg_class c
   CROSS JOIN LATERAL (
     SELECT grantee FROM pg_catalog.aclexplode(c.relacl)
     UNION SELECT e.grantee FROM pg_catalog.pg_attribute a CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) e
           WHERE a.attrelid = c.oid) g
   LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee
   WHERE c.oid = $1::oid AND g.grantee <> c.relowner`,
  `SELECT problem FROM pg_catalog.pg_class c
   CROSS JOIN LATERAL (VALUES
     ('another owner', c.relowner <> (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)),
     ('row security', c.relrowsecurity),
     ('storage options', c.reloptions IS NOT NULL),
     ('a tablespace', c.reltablespace <> 0),
     ('a replica identity', c.relreplident <> 'd'),
     ('it is partitioned', c.relkind <> 'r'),
     ('it is not logged', c.relpersistence <> 'p')) AS v (problem, holds)
   WHERE c.oid = $1::oid AND holds`,
];

/** Texts that name what was hung on the table, none when nothing was; `created` are the columns that we gave it. */
export async function hungOn(
  session: Session,
  target: Target,
  created: readonly string[],
): Promise<string[]> {
  const rows = await session.rows(CHECKS.join(' UNION '), [String(target.oid)]);
  const added = target.columns
    .filter((column) => !created.includes(column.name))
    .map((column) => `column ${column.name}`);
  return [...rows.map(([text]) => text!), ...added].sort();
}

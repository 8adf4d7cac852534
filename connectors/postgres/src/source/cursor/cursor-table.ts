/** A table that is read by a cursor, as the catalog has it: which key its places have, and what makes it lagged. */
import { type CursorField, cursorField, type ReadPlan, type StreamRead } from '@sluice/sdk';
import { hasState } from '../../connection/server-error.js';
import type { Session } from '../../connection/session.js';
import { pgErrors } from '../../errors.js';
import { ident, literal, parseStreamName, streamName, textArray } from '../../quote.js';
import { columnsOf, findRelations, type Relation, type RelationColumn } from '../relation.js';
import type { Lateness } from './horizon.js';

/** Milliseconds that writers may be late where nothing else is said and nobody can see that they are not. */
const DEFAULT_LAG = 60_000;

/** Whose clock or counter sets a cursor, and what keeps us from knowing that no writer is late. */
interface Facts {
  readonly indexed: boolean;
  /** A sequence of the column's own gives one number after the other. */
  readonly counted: boolean;
  readonly replicated: boolean;
}

interface ServerFacts {
  readonly standby: boolean;
  readonly sees: boolean;
}

const SERVER = `
  SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'),
         pg_catalog.current_setting('max_prepared_transactions')::int > 0`;

/** By the table's number and the column's name. */
const TABLES = `
  SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                 JOIN pg_catalog.pg_am m ON m.oid = x.relam
                 WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indisvalid
                   AND m.amname = 'btree'),
         EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.objid
                 WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
                   AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
                   AND s.seqcache = 1 AND s.seqincrement > 0 AND NOT s.seqcycle),
         EXISTS (SELECT FROM pg_catalog.pg_subscription_rel r WHERE r.srrelid = a.attrelid)
  FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[])) WITH ORDINALITY AS wanted (relation, name, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = wanted.relation AND a.attname = wanted.name
  ORDER BY wanted.place`;

/** A stream that is read by a cursor, and why its increments may miss rows. */
export interface CursorTable {
  readonly relation: Relation;
  readonly columns: readonly RelationColumn[];
  readonly cursor: CursorField;
  readonly indexed: boolean;
  /** What makes it lagged; empty where increments are exact. */
  readonly doubts: readonly string[];
  /** Whether the server lets transactions be prepared. */
  readonly prepares: boolean;
}

/** Looks the tables up, all with the same few queries. Throws `SLUICE-PG-0019`, `SLUICE-PG-0042`. */
export async function cursorTables(session: Session, reads: readonly StreamRead[]): Promise<CursorTable[]> {
  const relations = await findRelations(
    session,
    reads.map(({ stream }) => parseStreamName(stream)),
  );
  const columns = await columnsOf(
    session,
    [...relations.values()].map(({ oid }) => oid),
  );
  const found = reads.map((read) => {
    const relation = relations.get(read.stream);
    if (relation === undefined) throw pgErrors.missing(`${read.stream} is not there any more`);
    const own = columns.get(relation.oid)!;
    return { relation, columns: own, cursor: cursorField(read, pgErrors.cursorUnfit) };
  });
  await checkZones(session, new Set(found.flatMap(({ cursor }) => cursor.zone ?? [])));
  const [server] = await session.rows(SERVER);
  const [standby, sees, prepares] = server!.map((text) => text === 't');
  const facts = await session.rows(TABLES, [
    textArray(found.map(({ relation }) => String(relation.oid))),
    textArray(found.map(({ cursor }) => cursor.column)),
  ]);
  return found.map((table, i) => {
    const [indexed, counted, replicated] = facts[i]!.map((text) => text === 't');
    const own = { indexed: indexed!, counted: counted!, replicated: replicated! };
    const doubts = [
      ...doubtsOf(table.cursor, own, { standby: standby!, sees: sees! }),
      ...lateShown(table.relation),
    ];
    return { ...table, indexed: own.indexed, doubts, prepares: prepares! };
  });
}

async function checkZones(session: Session, zones: ReadonlySet<string>): Promise<void> {
  for (const zone of zones) {
    try {
      await session.query(`SELECT pg_catalog.now() AT TIME ZONE ${literal(zone)}`);
    } catch (cause) {
      if (!hasState(cause, '22023')) throw cause;
      throw pgErrors.cursorUnfit(`the server knows no time zone ${zone}`, { cause });
    }
  }
}

function doubtsOf({ kind, clock, column }: CursorField, own: Facts, server: ServerFacts): string[] {
  const doubts: string[] = [];
  if (kind === 'number' && !own.counted && clock !== 'database') {
    doubts.push(`no sequence of its own gives ${column} one number after the other`);
  } else if (clock !== 'database' && !(kind === 'number' && clock === undefined)) {
    doubts.push(`${column} is not said to be set by the database ("clock": "database")`);
  }
  if (server.standby) doubts.push("the server is a standby, which does not see the primary's transactions");
  if (!server.sees) doubts.push("others' transactions cannot be seen: GRANT pg_read_all_stats to this user");
  if (own.replicated) doubts.push('a subscription writes to the table, with times of another server');
  return doubts;
}

/** Rows that are shown later than they are written. */
function lateShown({ kind }: Relation): string[] {
  if (kind === 'm') return ['a materialised view shows rows from its next REFRESH on'];
  return kind === 'f' ? ['the rows of a foreign table are written where transactions cannot be seen'] : [];
}

/** What a plan says of a stream that is read by a cursor. */
export function readPlanOf(table: CursorTable): ReadPlan {
  const { relation, cursor, indexed, doubts, prepares } = table;
  const { column, nullable, kind } = cursor;
  const { lag, prepared } = latenessOf(table);
  const notes: string[] = [];
  if (doubts.length > 0) {
    notes.push(`lagged: rows that come more than ${lag} ms late are missed, since ${doubts.join('; ')}`);
  }
  if (prepares)
    notes.push(`transactions that are prepared count as begun at most ${prepared} ms before that`);
  if (kind === 'number') notes.push(`rows that change without a new ${column} are not read again`);
  if (nullable) notes.push(`rows without ${column} are not read`);
  if (!indexed)
    notes.push(`every run scans the table; an index helps: CREATE INDEX ON ${indexTarget(relation, column)}`);
  return { stream: streamName(relation), increments: doubts.length === 0 ? 'exact' : 'lagged', notes };
}

function indexTarget({ schema, table }: Relation, column: string): string {
  return `${ident(schema)}.${ident(table)} (${ident(column)})`;
}

/** How late writers may be. */
export function latenessOf({ cursor: { lag = DEFAULT_LAG }, doubts }: CursorTable): Lateness {
  return { lag: doubts.length === 0 ? 0 : lag, prepared: lag };
}

/** What planning has to know of the database, looked up for many streams with the same few queries. */
import type { SinkStream } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { qualified, type TableName, textArray } from '../quote.js';
import type { NativeType } from '../types/native-type.js';
import { resolveTypes } from '../types/resolve-types.js';
import { type CreatedTable, hungOn } from './hung-on.js';
import { typeNames } from './plan-columns.js';
import type { RecordTables } from './record-tables.js';
import { findTargets, type Target } from './target.js';

/** A stream, and the table that it is to be written to. */
export interface NamedStream {
  readonly stream: SinkStream;
  readonly name: TableName;
}

export interface PlanFacts {
  /** The target as it is; undefined where it is not there. */
  target(name: TableName): Target | undefined;
  /** Whether a target is the one that we created for the stream. */
  isOurs(stream: string, target: Target): boolean;
  /** The columns that a target of ours was filled in, with what they are at the source. */
  filled(stream: string, target: Target): { readonly [column: string]: string };
  /** Whether a target has constraints beside its key that look at several rows. */
  isOrdered(target: Target): boolean;
  /** What people have hung on a target of ours that is to be replaced. */
  hungOn(target: Target): readonly string[];
  hasSchema(name: string): boolean;
  /** Types of this database, by the names that columns of the streams may get. */
  readonly types: ReadonlyMap<string, NativeType>;
}

export async function planFacts(
  session: Session,
  tables: RecordTables,
  streams: readonly NamedStream[],
): Promise<PlanFacts> {
  const targets = await findTargets(
    session,
    streams.map(({ name }) => name),
  );
  const created = await createdTables(session, tables, [...targets.values()]);
  const replaced = streams.flatMap(({ stream, name }): CreatedTable[] => {
    const target = targets.get(qualified(name));
    const columns = target && created.get(placeOf(stream.stream, target))?.columns;
    return stream.write === 'replace' && target && columns ? [{ target, columns }] : [];
  });
  const hung = await hungOn(session, replaced);
  const ordered = await orderedTables(session, [...targets.values()]);
  const schemas = await existingSchemas(
    session,
    streams.map(({ name }) => name.schema),
  );
  const types = await resolveTypes(
    session,
    streams.flatMap(({ stream }) => typeNames(stream.schema)),
  );
  return {
    target: (name) => targets.get(qualified(name)),
    isOurs: (stream, target) => created.has(placeOf(stream, target)),
    filled: (stream, target) => created.get(placeOf(stream, target))?.filled ?? {},
    isOrdered: ({ oid }) => ordered.has(oid),
    hungOn: ({ oid }) => hung.get(oid) ?? [],
    hasSchema: (name) => schemas.has(name),
    types,
  };
}

/** What a table that we created got from us: columns, and which of them it was filled in. */
interface CreatedBefore {
  readonly columns: readonly string[];
  readonly filled: { readonly [column: string]: string };
}

const ORDERED = `
  SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique
  GROUP BY 1 HAVING count(*) > 1
  UNION SELECT c.conrelid FROM pg_catalog.pg_constraint c WHERE c.conrelid = ANY ($1::oid[]) AND c.contype IN ('f', 'x')
  UNION SELECT c.confrelid FROM pg_catalog.pg_constraint c WHERE c.confrelid = ANY ($1::oid[]) AND c.contype = 'f'`;

/** The numbers of those with a further unique index, a foreign key from or to them, or an exclusion constraint. */
async function orderedTables(session: Session, targets: readonly Target[]): Promise<ReadonlySet<number>> {
  if (targets.length === 0) return new Set();
  const rows = await session.rows(ORDERED, [`{${targets.map(({ oid }) => oid).join(',')}}`]);
  return new Set(rows.map(([oid]) => Number(oid)));
}

/** The tables that we created, by stream and table. */
async function createdTables(
  session: Session,
  tables: RecordTables,
  targets: readonly Target[],
): Promise<Map<string, CreatedBefore>> {
  if (targets.length === 0 || !(await tables.exist(session))) return new Map();
  const rows = await session.rows(
    `SELECT stream, target, target_columns, to_jsonb(s) ->> 'filled' FROM ${tables.streams} AS s WHERE target = ANY ($1::oid[])`,
    [`{${targets.map(({ oid }) => oid).join(',')}}`],
  );
  return new Map(
    rows.map(([stream, oid, columns, filled]) => [
      placeOf(stream!, { oid: Number(oid) }),
      {
        columns: JSON.parse(columns ?? '[]') as string[],
        filled: JSON.parse(filled ?? '{}') as CreatedBefore['filled'],
      },
    ]),
  );
}

function placeOf(stream: string, { oid }: Pick<Target, 'oid'>): string {
  return `${oid} ${stream}`;
}

async function existingSchemas(session: Session, names: readonly string[]): Promise<Set<string>> {
  const rows = await session.rows(
    'SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::text[])',
    [textArray([...new Set(names)])],
  );
  return new Set(rows.map(([name]) => name!));
}

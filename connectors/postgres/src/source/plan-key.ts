/**
 * Splits of a full read by key: ranges of the first key column, each of which can be resumed behind any row. Bounds
 * come from the statistics of the last ANALYZE, or from the ends of the key's index; the table is not scanned.
 */
import type { Split, StreamRead } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { ident, qualified, textArray } from '../quote.js';
import type { Relation } from './relation.js';
import { fromClause } from './select.js';
import { asJson, type KeySpec, specOf } from './split-spec.js';

export interface KeyPlan {
  readonly read: StreamRead;
  /** Whether policies hide rows. */
  readonly filtered: boolean;
  readonly relation: Relation;
  /** Columns of the table's unique key, in the index's order. */
  readonly key: readonly string[];
  readonly splitBytes: number;
  /** Splits of the stream that the ledger has. */
  readonly known: readonly Split[];
}

/** The ranges that are not known yet; all of them together cover every key. */
export async function keySplits(session: Session, plan: KeyPlan): Promise<Split[]> {
  const specs = plan.known.map(specOf).filter((spec) => spec.kind === 'key');
  if (specs.some((spec) => spec.to === undefined)) return [];
  const planned = new Set(specs.map((spec) => spec.to));
  const bounds = await boundsOf(session, plan);
  const start = await lastKnown(session, plan, specs);
  const rest = start === undefined ? bounds : await behind(session, plan, start, bounds);
  const ends = [...rest.filter((bound) => !planned.has(bound)), undefined];
  return ends.map((to, i) => keySplit(plan, i === 0 ? start : ends[i - 1], to, ends.length));
}

function keySplit(
  { read, relation, key, filtered }: KeyPlan,
  from: string | undefined,
  to: string | undefined,
  parts: number,
): Split {
  const { schema, table } = relation;
  const spec: KeySpec = {
    kind: 'key',
    schema,
    table,
    oid: relation.oid,
    key,
    ...(filtered && { filtered }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
  return {
    id: `${read.stream}/key/${from === undefined ? '' : JSON.stringify(from)}`,
    streams: [read.stream],
    phase: 'bulk',
    start: null,
    spec: asJson(spec),
    ...(isKey(key, read.schema.key) && { distinct: true }),
    ...(relation.rows !== undefined && { estimatedRows: Math.round(relation.rows / parts) }),
    ...(relation.bytes > 0 && { estimatedBytes: Math.round(relation.bytes / parts) }),
  };
}

function isKey(unique: readonly string[], key: readonly string[]): boolean {
  return unique.length === key.length && unique.every((name) => key.includes(name));
}

/** Values of the first key column, rising, that cut the table into parts of about the wanted size. */
async function boundsOf(session: Session, plan: KeyPlan): Promise<string[]> {
  const bytes = await sizeOf(session, plan.relation);
  const parts = Math.ceil(bytes / plan.splitBytes);
  if (parts <= 1) return [];
  const weighted = await statisticsOf(session, plan);
  return weighted.length === 0 ? evenly(session, plan, parts) : cutEvery(weighted, 1 / parts);
}

async function sizeOf(session: Session, { oid, kind }: Relation): Promise<number> {
  if (kind === 'v' || kind === 'f') return 0;
  const sql =
    kind === 'p'
      ? 'SELECT sum(pg_catalog.pg_relation_size(relid)) FROM pg_catalog.pg_partition_tree($1::oid::regclass)'
      : 'SELECT pg_catalog.pg_relation_size($1::oid)';
  const [row] = await session.rows(sql, [String(oid)]);
  return Number(row![0] ?? 0);
}

/** A value of the first key column and the share of rows from it up to the next one. */
interface Weighted {
  readonly value: string;
  readonly share: number;
}

/**
 * What the last ANALYZE knows of the column: values that many rows have, and between them bounds of parts with
 * equally many rows. The lowest bound is left out.
 */
async function statisticsOf(session: Session, plan: KeyPlan): Promise<Weighted[]> {
  const [row] = await session.rows(
    `SELECT pg_catalog.array_to_json(histogram_bounds::text::text[]),
            pg_catalog.array_to_json(most_common_vals::text::text[]), pg_catalog.array_to_json(most_common_freqs)
     FROM pg_catalog.pg_stats
     WHERE schemaname = $1 AND tablename = $2 AND attname = $3 ORDER BY inherited DESC LIMIT 1`,
    [plan.relation.schema, plan.relation.table, plan.key[0]!],
  );
  const [bounds, common, frequencies] = (row ?? []).map((text) => JSON.parse(text ?? '[]'));
  if (row === undefined) return [];
  const shares = new Map<string, number>(
    (common as string[]).map((value, i) => [value, (frequencies as number[])[i]!]),
  );
  const rest = 1 - [...shares.values()].reduce((sum, share) => sum + share, 0);
  const inner = (bounds as string[]).slice(1, -1);
  for (const value of inner) shares.set(value, (shares.get(value) ?? 0) + rest / (inner.length + 1));
  const values = await sorted(session, plan, [...shares.keys()]);
  return values.map((value) => ({ value, share: shares.get(value)! }));
}

/** Values before which at least that share of the rows has gathered. */
function cutEvery(weighted: readonly Weighted[], share: number): string[] {
  const cuts: string[] = [];
  let gathered = 0;
  for (const { value, share: own } of weighted) {
    if (gathered >= share * 0.999) {
      cuts.push(value);
      gathered = 0;
    }
    gathered += own;
  }
  return cuts;
}

const INTEGER = /^(smallint|integer|bigint)$/;

/** Between the first and the last key, in equal steps; types that are not numbers stay in one part. */
async function evenly(session: Session, { read, relation, key }: KeyPlan, parts: number): Promise<string[]> {
  const native = read.schema.fields.find((f) => f.name === key[0])?.native ?? '';
  const isInteger = INTEGER.test(native);
  if (!isInteger && native !== 'uuid') return [];
  const column = ident(key[0]!);
  const end = (order: string) =>
    `(SELECT ${column} FROM ${fromClause(relation)} ORDER BY ${column} ${order} LIMIT 1)`;
  const [row] = await session.rows(`SELECT ${end('ASC')}, ${end('DESC')}`);
  const [first, last] = row!;
  if (first === null || last === null) return [];
  const parse = isInteger ? BigInt : (text: string) => BigInt(`0x${text.replaceAll('-', '')}`);
  const low = parse(first!);
  const step = (parse(last!) - low) / BigInt(parts);
  if (step === 0n) return [];
  const values = Array.from({ length: parts - 1 }, (_, i) => low + step * BigInt(i + 1));
  return values.map((value) => (isInteger ? value.toString() : uuidText(value)));
}

function uuidText(value: bigint): string {
  return value
    .toString(16)
    .padStart(32, '0')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Planning ended early in an earlier run: where the known ranges end. They were made from the start on. */
async function lastKnown(
  session: Session,
  plan: KeyPlan,
  specs: readonly KeySpec[],
): Promise<string | undefined> {
  const ends = specs.flatMap((spec) => spec.to ?? []);
  return ends.length === 0 ? undefined : (await sorted(session, plan, ends)).at(-1);
}

async function behind(
  session: Session,
  plan: KeyPlan,
  start: string,
  bounds: readonly string[],
): Promise<string[]> {
  const order = await sorted(session, plan, [...new Set([start, ...bounds])]);
  return order.slice(order.indexOf(start) + 1);
}

/** In the order of the key column, by the database. */
async function sorted(
  session: Session,
  { relation, key }: KeyPlan,
  values: readonly string[],
): Promise<string[]> {
  // The union gives the constants the column's own type and collation.
  const rows = await session.rows(
    `SELECT text FROM (
       SELECT NULL::text AS text, ${ident(key[0]!)} AS value FROM ${qualified(relation)} WHERE false
       UNION ALL SELECT v, v::${await typeOf(session, relation, key[0]!)} FROM pg_catalog.unnest($1::text[]) v
     ) AS bounds ORDER BY value`,
    [textArray(values)],
  );
  return rows.map(([text]) => text!);
}

async function typeOf(session: Session, relation: Relation, column: string): Promise<string> {
  const [row] = await session.rows(
    `SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
     WHERE attrelid = $1::oid AND attname = $2`,
    [String(relation.oid), column],
  );
  return row![0]!;
}

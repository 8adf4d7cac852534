/** Statements of an upsert: a table of staged rows, and how it is applied to the target. */
import type { StreamSchema } from '@sluice/sdk';
import { OWN_PREFIX, quote } from '../tables/identifiers.js';
import { wantedColumns } from '../tables/target.js';

/** Order of the rows, as the source gave them. */
export const SEQUENCE = `${OWN_PREFIX}seq`;
/** 0: the row is written; 1: the row of the key is deleted. */
export const DELETES = `${OWN_PREFIX}deletes`;
/** One `0` or `1` a column: whether the source left the value out. Null: it left out none. */
export const ABSENT = `${OWN_PREFIX}absent`;
/** Old keys of moves stand under the key columns' names behind this. */
export const OLD = `${OWN_PREFIX}old_`;

const LAST = `temp.main.${OWN_PREFIX}last`;
const MERGED = `temp.main.${OWN_PREFIX}merged`;

export function createStage(stage: string, schema: StreamSchema): string {
  const columns = wantedColumns(schema).map((column) => `${quote(column.name)} ${column.type}`);
  const own = [`${SEQUENCE} BIGINT`, `${DELETES} UTINYINT`, `${ABSENT} VARCHAR`];
  return `CREATE TEMP TABLE ${stage} (${[...columns, ...own].join(', ')})`;
}

function keyEquals(schema: StreamSchema, left: string, right: string): string {
  return schema.key.map((name) => `${left}.${quote(name)} = ${right}.${quote(name)}`).join(' AND ');
}

function list(schema: StreamSchema, prefix = ''): string {
  return schema.fields.map((f) => `${prefix}${quote(f.name)}`).join(', ');
}

/**
 * The last row of each key replaces the target's. Delete and insert by a hash join on the keys: many times faster
 * than MERGE, which also looks at all other columns of the target, and without an index to keep.
 */
export function applyWhole(target: string, stage: string, schema: StreamSchema): string[] {
  const keys = schema.key.map(quote).join(', ');
  return [
    `CREATE OR REPLACE TEMP TABLE ${LAST.replace('temp.main.', '')} AS
     SELECT ${keys}, max(${SEQUENCE}) AS ${SEQUENCE} FROM ${stage} GROUP BY ${keys}`,
    `DELETE FROM ${target} AS t USING ${LAST} AS k WHERE ${keyEquals(schema, 't', 'k')}`,
    `INSERT INTO ${target} (${list(schema)})
     SELECT ${list(schema, 's.')} FROM ${stage} AS s SEMI JOIN ${LAST} AS k USING (${SEQUENCE}) WHERE s.${DELETES} = 0`,
    `DROP TABLE ${LAST}`,
  ];
}

/**
 * As {@link applyWhole} where rows leave columns out: each column gets its newest value since the key's last
 * deletion, or else the target's. A key that has neither has no row: one is deleted later in the source, or it is one
 * of a copy that was made later.
 */
export function mergePartial(target: string, stage: string, schema: StreamSchema): string[] {
  const keys = schema.key.map(quote).join(', ');
  const others = schema.fields
    .map((f, i) => ({ name: quote(f.name), at: i + 1 }))
    .filter((_, i) => !isKey(schema, i));
  const known = (at: number) => `(${DELETES} = 0 AND coalesce(substr(${ABSENT}, ${at}, 1), '0') = '0')`;
  const newest = others.map(
    ({ name, at }, i) =>
      `arg_max_null(${name}, ${SEQUENCE}) FILTER (WHERE ${known(at)}) AS v${i}, bool_or(${known(at)}) AS k${i}`,
  );
  const filled = others.map(({ name }, i) => `CASE WHEN f.k${i} THEN f.v${i} ELSE t.${name} END AS ${name}`);
  const complete = ['true', ...others.map((_, i) => `f.k${i}`)].join(' AND ');
  const since = `coalesce(max(${SEQUENCE}) FILTER (WHERE ${DELETES} = 1) OVER (PARTITION BY ${keys}), -1)`;
  return [
    `CREATE OR REPLACE TEMP TABLE ${MERGED.replace('temp.main.', '')} AS
     WITH recent AS (SELECT * FROM ${stage} QUALIFY ${SEQUENCE} >= ${since}),
          f AS (SELECT ${[keys, `arg_max(${DELETES}, ${SEQUENCE}) AS deletes`, `bool_or(${DELETES} = 1) AS deleted`, ...newest].join(', ')}
                FROM recent GROUP BY ${keys})
     SELECT ${[...schema.key.map((name) => `f.${quote(name)}`), ...filled].join(', ')},
            CASE WHEN NOT (${complete}) AND (f.deleted OR t.rowid IS NULL) THEN 1 ELSE f.deletes END AS ${DELETES}
     FROM f LEFT JOIN ${target} AS t ON ${keyEquals(schema, 'f', 't')}`,
  ];
}

/** The last row of each key, for {@link applyBeside}. */
export function mergeWhole(stage: string, schema: StreamSchema): string[] {
  const keys = schema.key.map(quote).join(', ');
  return [
    `CREATE OR REPLACE TEMP TABLE ${MERGED.replace('temp.main.', '')} AS
     SELECT ${list(schema, 's.')}, s.${DELETES} FROM ${stage} AS s
     SEMI JOIN (SELECT max(${SEQUENCE}) AS ${SEQUENCE} FROM ${stage} GROUP BY ${keys}) AS k USING (${SEQUENCE})`,
  ];
}

/** Applies merged rows to a target that has columns of its own: these keep their values, at the price of an UPDATE. */
export function applyBeside(target: string, schema: StreamSchema): string[] {
  const others = schema.fields.filter((_, i) => !isKey(schema, i)).map((f) => quote(f.name));
  const same = keyEquals(schema, 't', 'k');
  const set = others.map((name) => `${name} = k.${name}`).join(', ');
  return [
    `DELETE FROM ${target} AS t USING ${MERGED} AS k WHERE k.${DELETES} = 1 AND ${same}`,
    ...(set === ''
      ? []
      : [`UPDATE ${target} AS t SET ${set} FROM ${MERGED} AS k WHERE k.${DELETES} = 0 AND ${same}`]),
    `INSERT INTO ${target} (${list(schema)}) SELECT ${list(schema, 'k.')} FROM ${MERGED} AS k
     WHERE k.${DELETES} = 0 AND NOT EXISTS (FROM ${target} AS t WHERE ${same})`,
    `DROP TABLE ${MERGED}`,
  ];
}

export function applyMerged(target: string, schema: StreamSchema): string[] {
  return [
    `DELETE FROM ${target} AS t USING ${MERGED} AS k WHERE ${keyEquals(schema, 't', 'k')}`,
    `INSERT INTO ${target} (${list(schema)}) SELECT ${list(schema)} FROM ${MERGED} WHERE ${DELETES} = 0`,
    `DROP TABLE ${MERGED}`,
  ];
}

function isKey(schema: StreamSchema, index: number): boolean {
  return schema.key.includes(schema.fields[index]!.name);
}

export function createMoves(moves: string, schema: StreamSchema): string {
  const types = wantedColumns(schema).filter((column) => schema.key.includes(column.name));
  const columns = types.flatMap(({ name, type }) => [
    `${quote(name)} ${type}`,
    `${quote(OLD + name)} ${type}`,
  ]);
  return `CREATE TEMP TABLE ${moves} (${columns.join(', ')})`;
}

/**
 * Gives the target's rows their new keys, so that values which a move leaves out stay with them. Where a new key is there
 * already, the copy that came before the change met the row under both.
 */
export function applyMoves(target: string, moves: string, schema: StreamSchema): string[] {
  const set = schema.key.map((name) => `${quote(name)} = m.${quote(name)}`).join(', ');
  const same = schema.key.map((name) => `t.${quote(name)} = m.${quote(OLD + name)}`).join(' AND ');
  const there = schema.key.map((name) => `t.${quote(name)} = m.${quote(name)}`).join(' AND ');
  const old = schema.key.map((name) => `o.${quote(name)} = m.${quote(OLD + name)}`).join(' AND ');
  return [
    `DELETE FROM ${target} AS t USING ${moves} AS m WHERE ${there} AND NOT (${same}) AND EXISTS (FROM ${target} AS o WHERE ${old})`,
    `UPDATE ${target} AS t SET ${set} FROM ${moves} AS m WHERE ${same}`,
  ];
}

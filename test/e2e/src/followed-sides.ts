/** Compares random tables with what a job has made of them, by readers that are not ours. */
import { type Dump, dumpDuckdb, dumpPostgres, expectSameRows, UnexpectedExit } from '@sluice/test';
import type { FollowedDatabase } from './followed-database.js';
import { LARGE, type RandomColumn, type RandomTable, TYPES } from './random-changes.js';

/** What a job makes of changes: rows as they are, those that were deleted too, every version, or a log. */
export const KEEPINGS = {
  upsert: { write: 'upsert' },
  soft: { write: 'upsert', deletes: 'soft' },
  history: { write: 'history' },
  append: { write: 'append' },
} as const;
export type Keeping = keyof typeof KEEPINGS;

type System = 'postgres' | 'duckdb';

/** The columns that both sides have; a reference is one of the table's. */
function comparedColumns({ key, columns, kind }: RandomTable): readonly RandomColumn[] {
  return [...key, ...columns, ...(kind === 'child' ? [{ name: 'ref', type: 'integer' }] : [])];
}

/** Rows of all tables in one query: the table's name, then its columns as text. */
function allRows(
  tables: readonly RandomTable[],
  system: System,
  from: (table: RandomTable) => string,
): string {
  const width = Math.max(...tables.map((table) => comparedColumns(table).length));
  const text = system === 'postgres' ? 'text' : 'VARCHAR';
  const selects = tables.map((table) => {
    const values = comparedColumns(table).map(({ name, type }) => TYPES[type]![system](name));
    const padded = [...values, ...Array.from({ length: width - values.length }, () => 'NULL')];
    return `SELECT '${table.name}'::${text} AS name, ${padded.map((value, i) => `${value}::${text} AS v${i}`).join(', ')} FROM ${from(table)}`;
  });
  return selects.join('\nUNION ALL\n');
}

/** What a log of changes ends in: of each key the last row, large values that it did not send from further back. */
function replayed(table: RandomTable): string {
  const { key } = table;
  const log = `public.${table.name}`;
  const keys = key.map(({ name }) => name).join(', ');
  const same = key.map(({ name }) => `b.${name} = l.${name}`).join(' AND ');
  const behind = `_position > COALESCE((SELECT max(_position) FROM ${log} WHERE _op = 'truncate'), '')`;
  const values = comparedColumns(table).map(({ name, type }) =>
    type !== LARGE
      ? name
      : `(SELECT b.${name} FROM ${log} b WHERE ${same} AND b._position <= l._position
          AND COALESCE(CAST(b._unchanged AS text), '') NOT LIKE '%"${name}"%' ORDER BY b._position DESC LIMIT 1) AS ${name}`,
  );
  return `(SELECT ${values.join(', ')} FROM (
      SELECT *, row_number() OVER (PARTITION BY ${keys} ORDER BY _position DESC) AS n FROM ${log} WHERE id IS NOT NULL AND ${behind}) l
    WHERE n = 1 AND _op <> 'delete') AS replayed`;
}

const FROM: { readonly [keeping in Keeping]: (table: RandomTable) => string } = {
  upsert: ({ name }) => `public.${name}`,
  soft: ({ name }) => `public.${name} WHERE _deleted_at IS NULL`,
  history: ({ name }) => `public.${name} WHERE _valid_to IS NULL`,
  append: replayed,
};

/** Throws unless each target has the rows of the source as they are now. */
export async function compareFollowed(
  followed: FollowedDatabase,
  all: readonly RandomTable[],
  keeping: Keeping,
): Promise<void> {
  const keyed = all.filter(({ kind }) => kind !== 'keyless');
  const source = await followed.dumpSource(allRows(keyed, 'postgres', ({ name }) => `public.${name}`));
  const from = FROM[keeping];
  const targets = await followed.dumpTargets(
    allRows(keyed, 'postgres', from),
    allRows(keyed, 'duckdb', from),
  );
  for (const [name, dump] of Object.entries(targets))
    expectSameRows(source, dump, { expected: 'source', actual: name, show: 5 });
  if (keeping === 'append') await compareCounts(followed, all);
  if (keeping === 'history') await expectVersionsMeet(followed, keyed);
}

/** Where nothing tells rows apart, a log has as many as there are, less those that went. */
async function compareCounts(followed: FollowedDatabase, all: readonly RandomTable[]): Promise<void> {
  const tables = all.filter(({ kind }) => kind === 'keyless');
  if (tables.length === 0) return;
  const union = (count: string, where: (name: string) => string) =>
    tables
      .map(
        ({ name }) =>
          `SELECT '${name}' AS name, CAST(${count} AS text) AS n FROM public.${name} ${where(name)}`,
      )
      .join('\nUNION ALL\n');
  const source = await followed.dumpSource(union('count(*)', () => ''));
  const behind = (name: string) =>
    `WHERE _position > COALESCE((SELECT max(_position) FROM public.${name} WHERE _op = 'truncate'), '')`;
  const log = union(
    "count(*) FILTER (WHERE _op IN ('copy', 'insert')) - count(*) FILTER (WHERE _op = 'delete')",
    behind,
  );
  for (const [name, dump] of Object.entries(await followed.dumpTargets(log)))
    expectSameRows(source, dump, { expected: 'source', actual: `rows left in ${name}` });
}

/** No version of a row lasts into the next one, and none ends before it began. */
async function expectVersionsMeet(followed: FollowedDatabase, tables: readonly RandomTable[]): Promise<void> {
  const overlaps = tables
    .map(({ name, key }) => {
      const keys = key.map((column) => column.name).join(', ');
      return `SELECT '${name}' AS name, CAST(id AS text) AS id FROM (SELECT *,
          lead(_valid_from) OVER (PARTITION BY ${keys} ORDER BY _valid_from, _valid_to NULLS LAST) AS next FROM public.${name}) v
        WHERE _valid_to <= _valid_from OR COALESCE(_valid_to, 'infinity') > next`;
    })
    .join('\nUNION ALL\n');
  for (const [name, { rows }] of Object.entries(await followed.dumpTargets(overlaps)))
    if (rows.length > 0) throw new Error(`versions in ${name} overlap:\n${rows.slice(0, 5).join('\n')}`);
}

/** Throws unless a full copy, made anew by another job, has the same types of columns, and the same values. */
export async function compareWithFreshCopy(
  followed: FollowedDatabase,
  fresh: string,
  tables: readonly RandomTable[],
): Promise<void> {
  const { place } = followed;
  const file = place.job('fresh.json', {
    name: 'fresh',
    connections: {
      app: { connector: 'postgres', url: followed.source },
      copy: { connector: 'postgres', url: fresh },
      lake: { connector: 'duckdb', path: 'fresh.duckdb' },
    },
    flows: {
      main: {
        source: 'app',
        streams: Object.fromEntries(tables.map(({ name }) => [`public.${name}`, {}])),
        sinks: { copy: { to: 'copy', write: 'replace' }, lake: { to: 'lake', write: 'replace' } },
      },
    },
    allowEmpty: true,
  });
  place.forget('fresh.duckdb', 'fresh');
  const exit = await place.sluice(['run', file, '--quiet', '--state', 'fresh/state.db']);
  if (exit.code !== 0) throw new UnexpectedExit(followed.program(file), 'a fresh copy must succeed', exit);
  const named = tables.flatMap((table) =>
    comparedColumns(table).map(({ name }) => `('${table.name}', '${name}')`),
  );
  const types = (
    type: string,
  ) => `SELECT table_name, column_name, ${type} AS type FROM information_schema.columns
    WHERE table_schema = 'public' AND (table_name, column_name) IN (${named.join(', ')})`;
  const postgres =
    types(`data_type || COALESCE('(' || character_maximum_length || ')', '') || CASE data_type WHEN 'numeric'
    THEN COALESCE('(' || numeric_precision || ',' || numeric_scale || ')', '') ELSE '' END`);
  const duckdb = types('data_type');
  const streamed = await followed.dumpTargets(postgres, duckdb);
  const sides: [string, Dump, Dump][] = [
    ['types in Postgres', await dumpPostgres(fresh, postgres), streamed.copy],
    ['types in DuckDB', await dumpDuckdb(place.path('fresh.duckdb'), duckdb), streamed.lake],
  ];
  for (const [what, expected, actual] of sides)
    expectSameRows(expected, actual, { expected: `${what} of a fresh copy`, actual: 'of the streamed one' });
}

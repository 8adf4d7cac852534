/**
 * Columns that come with a constant default: the rows that targets have get it as well, and nothing is copied again. A row
 * of the target's own, which the source does not have, tells: a copy begins by clearing the target.
 */
import type { JobSpec } from '@sluice/sdk';
import { describeWithServer, dumpDuckdb, dumpPostgres, expectSameRows, killAt } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SLUICE, Workspace } from './cli-workspace.js';
import { dropSlots } from './drop-slots.js';

const MINUTES = 60_000;

/** Types with a default, and what makes text of them that Postgres and DuckDB write alike. */
const TYPES = [
  ['smallint', '-7'],
  ['bigint', '9223372036854775807'],
  ['numeric(20,3)', '12345.678'],
  ['numeric', '0.1'],
  ['double precision', '0.1'],
  ['boolean', 'true'],
  ['text', "'it''s \"so\", \\ and ü'"],
  ['varchar(10)', "'short'"],
  ['uuid', "'0123abcd-0000-4000-8000-0123456789ab'"],
  ['date', "'2024-02-29'"],
  ['date', "'0044-03-15 BC'", "($ - DATE '2000-01-01')::text"],
  ['timestamp', "'2024-02-29 12:34:56.789012'"],
  ['timestamptz', 'now()', '(extract(epoch from $) * 1000000)::bigint::text'],
  ['time', "'23:59:59.999999'"],
  ['interval', "'1 mon 2 days 03:04:05'", "extract(month from $)::int || ' ' || extract(day from $)::int"],
  ['bytea', "'\\x00ff10'", "encode($, 'hex')", 'lower(hex($))'],
  ['jsonb', `'{"a": [1, null, "b"]}'`],
  ['integer[]', "'{1,NULL,3}'", "array_to_string($, ',')"],
  ['text[]', `'{"a b","c,d",NULL}'`, "array_to_string($, '|')"],
  ['mood', "'ok'"],
  ['whole', '5'],
  ['point', "'(1,2)'"],
  ['box', "'(3,4),(1,2)'"],
  ['bit(3)', "B'101'"],
] as const;

describeWithServer('postgres-15', (server) => {
  let place: Workspace;
  let source: string;
  let target: string;

  beforeEach(async () => {
    place = new Workspace();
    source = await server().createDatabase();
    target = await server().createDatabase();
    await sql(
      `CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
       INSERT INTO t SELECT g, 'a' || g, g FROM generate_series(1, 20) g;
       CREATE TYPE mood AS ENUM ('ok', 'bad'); CREATE DOMAIN whole AS integer`,
    );
  });
  afterEach(async () => {
    place.remove();
    await dropSlots(sql);
  });

  const sql = (text: string) => server().psql(text, source);
  const shown = (text: string) => server().psql(text, target);

  function job(more: object = {}, sinks: object = BOTH, other = target): string {
    return place.job('job.json', {
      name: 'fills',
      connections: {
        app: { connector: 'postgres', url: source },
        copy: { connector: 'postgres', url: target },
        other: { connector: 'postgres', url: other },
        lake: { connector: 'duckdb', path: 'lake.duckdb' },
      },
      flows: { main: { source: 'app', mode: 'cdc', sinks, ...more } },
    } as JobSpec);
  }
  const BOTH = { copy: { to: 'copy', write: 'upsert' }, lake: { to: 'lake', write: 'upsert' } };

  async function run(file: string): Promise<string> {
    const exit = await place.sluice(['run', file, '--quiet']);
    expect(exit.code, exit.stderr + exit.stdout).toBe(0);
    return exit.stderr;
  }

  const OWN = -1;
  const putOwn = () => shown(`INSERT INTO t (id) VALUES (${OWN})`);
  const hasOwn = async () => (await shown(`SELECT count(*) FROM t WHERE id = ${OWN}`)) === '1';

  /** What the two systems show for columns; `columns` are names, or what makes their text in each of them. */
  async function expectSame(columns: readonly (readonly [string, string?, string?])[], what: string) {
    const list = (type: string, text: 1 | 2) =>
      columns
        .map(
          (column) =>
            `${(column[text] ?? column[1] ?? `${column[0]}::${type}`).replaceAll('$', column[0])} AS ${column[0]}`,
        )
        .join(', ');
    const wanted = await dumpPostgres(source, `SELECT ${list('text', 1)} FROM t`);
    const copy = await dumpPostgres(target, `SELECT ${list('text', 1)} FROM t WHERE id <> ${OWN}`);
    expectSameRows(wanted, copy, { expected: 'source', actual: `copy after ${what}` });
    const rows = await dumpDuckdb(place.path('lake.duckdb'), `SELECT ${list('VARCHAR', 2)} FROM public.t`);
    expectSameRows(wanted, rows, { expected: 'source', actual: `lake after ${what}` });
  }

  /** Changes around one of the shape: written before it and not read yet, and after it. */
  let next = 100;
  const around = (alter: string) => {
    next += 10;
    const id = next;
    return `INSERT INTO t (id, b) VALUES (${id}, 1), (${id + 1}, 2); UPDATE t SET b = b + 1 WHERE id IN (3, ${id}); DELETE FROM t WHERE id = ${id + 1};
      ${alter}; INSERT INTO t (id, b) VALUES (${id + 2}, 3); UPDATE t SET b = b + 1 WHERE id IN (4, ${id + 2});
      UPDATE t SET id = ${id + 3} WHERE id = ${id}`;
  };

  it(
    'of every type, alone and several at once, with values that are changed since',
    async () => {
      const file = job();
      await run(file);
      await putOwn();
      const columns: [string, string?, string?][] = [['id'], ['a'], ['b']];
      const add = (i: number) => `ALTER TABLE t ADD c${i} ${TYPES[i]![0]} DEFAULT ${TYPES[i]![1]}`;
      for (const [i, [, , text, other]] of TYPES.entries()) columns.push([`c${i}`, text, other]);
      await sql(around(add(0)));
      await run(file);
      await expectSame(columns.slice(0, 4), 'the first');
      await sql(
        around(
          TYPES.map((_, i) => add(i))
            .slice(1)
            .join('; '),
        ),
      );
      await sql('UPDATE t SET c0 = id, c6 = NULL WHERE id < 3; ALTER TABLE t ALTER c0 SET DEFAULT 1000');
      await run(file);
      await expectSame(columns, 'all of them');
      expect(await hasOwn(), 'nothing was copied again').toBe(true);
      expect(await shown(`SELECT c0, c1, c23 FROM t WHERE id = ${OWN}`)).toBe('-7|9223372036854775807|101');
      await sql('INSERT INTO t (id) VALUES (90)');
      await run(file);
      await expectSame(columns, 'a row that has the default of now');
      const defaults = await shown(
        "SELECT count(*) FROM information_schema.columns WHERE table_name = 't' AND column_default IS NOT NULL",
      );
      expect(defaults, 'columns of the target that kept the default').toBe('0');
    },
    4 * MINUTES,
  );

  it(
    'wherever it is killed on the way, run by run and while it is followed',
    async () => {
      const file = job();
      const program = (...more: string[]) => ({
        command: process.execPath,
        args: [SLUICE, 'run', file, '--quiet', ...more],
        cwd: place.folder,
      });
      await run(file);
      await putOwn();
      const columns: [string][] = [['id'], ['a'], ['b']];
      const points = [
        'postgres.apply-schema.before@1',
        'duckdb.fill.before@1',
        'duckdb.fill.after@1',
        'prepare.after-schema@1',
        'reshape.before@1',
        'reshape.after-schema@1',
      ];
      for (const [i, point] of points.entries()) {
        const add = around(`ALTER TABLE t ADD k${i} text DEFAULT 'k${i}'`);
        columns.push([`k${i}`]);
        if (!point.startsWith('reshape')) {
          await sql(add);
          await killAt(program(), point);
        } else {
          const killed = killAt(program('--follow'), point);
          await followed();
          await sql(add);
          await killed;
        }
        await sql(around('SELECT'));
        await run(file);
        await expectSame(columns, `${point}, step ${i}`);
        expect(await hasOwn(), `nothing was copied again after ${point}, step ${i}`).toBe(true);
      }
    },
    6 * MINUTES,
  );

  async function followed(): Promise<void> {
    const reading =
      'SELECT count(*) FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.database = current_database()';
    await expect.poll(() => sql(reading), { timeout: MINUTES }).toBe('1');
  }

  it(
    'copies anew where the value is not certain',
    async () => {
      const file = job({ transforms: [{ use: 'mask', columns: { masked: 'redact' } }] });
      await sql('ALTER TABLE t ADD masked text');
      const columns: [string][] = [['id'], ['a'], ['b']];
      await run(file);
      const steps = [
        ['a table that was written anew', 'w', "ALTER TABLE t ADD w text DEFAULT 'w'; VACUUM FULL t"],
        ['a default of each row', 'r', 'ALTER TABLE t ADD r double precision DEFAULT random()'],
        [
          'a column that has the name of one that was there for a while',
          'x',
          "ALTER TABLE t ADD x text DEFAULT 'one'; ALTER TABLE t DROP x; ALTER TABLE t ADD x text DEFAULT 'two'",
        ],
        [
          'another type',
          'y',
          'ALTER TABLE t ADD y integer DEFAULT 1; ALTER TABLE t ALTER y TYPE bigint USING y + 1',
        ],
      ] as const;
      for (const [what, column, alter] of steps) {
        await putOwn();
        for (const statement of alter.split('; ')) await sql(statement);
        columns.push([column]);
        await run(file);
        await expectSame(columns, what);
        expect(await hasOwn(), what).toBe(false);
      }
      await putOwn();
      await shown('ALTER TABLE t ADD z text');
      await sql("ALTER TABLE t ADD z text DEFAULT 'z'");
      await run(file);
      await expectSame([...columns, ['z']], 'a column that somebody has added to the target');
      expect(await hasOwn(), 'somebody else added the column').toBe(false);
    },
    4 * MINUTES,
  );

  it(
    'in every version and in rows that were deleted, and not in a log of changes',
    async () => {
      const file = job(
        {},
        {
          versions: { to: 'copy', write: 'history', name: 'versions' },
          soft: { to: 'copy', write: 'upsert', deletes: 'soft', name: 'soft' },
          log: { to: 'copy', write: 'append', name: 'log' },
        },
      );
      await run(file);
      await sql('UPDATE t SET b = 0 WHERE id = 1; DELETE FROM t WHERE id = 2');
      await run(file);
      await sql("ALTER TABLE t ADD c text DEFAULT 'c'; UPDATE t SET c = 'other' WHERE id = 3");
      await run(file);
      const versions =
        'SELECT id, b, _valid_to IS NULL, c FROM versions WHERE id < 5 ORDER BY id, _valid_from';
      expect(await shown(versions)).toBe('1|1|f|c\n1|0|t|c\n2|2|f|c\n3|3|f|c\n3|3|t|other\n4|4|t|c');
      const soft = 'SELECT id, _deleted_at IS NULL, c FROM soft WHERE id < 5 ORDER BY id';
      expect(await shown(soft)).toBe('1|t|c\n2|f|c\n3|t|other\n4|t|c');
      const log = "SELECT id, _op, COALESCE(c, '-') FROM log WHERE _op <> 'copy' ORDER BY _position";
      expect(await shown(log)).toBe('1|update|-\n2|delete|-\n3|update|other');
      expect(await shown("SELECT count(*) FROM log WHERE _op = 'copy'"), 'one copy').toBe('20');
    },
    2 * MINUTES,
  );

  it(
    'a sink that was left behind meanwhile is copied anew',
    async () => {
      const other = { to: 'other', write: 'upsert', name: 'other', onFailure: 'detach' };
      const sinks = { ...BOTH, other };
      await run(job({}, sinks));
      await sql("ALTER TABLE t ADD c text DEFAULT 'c'; UPDATE t SET b = 0 WHERE id = 1");
      await place.sluice(['run', job({}, sinks, 'postgres://nobody@127.0.0.1:1/nowhere'), '--quiet']);
      await expectSame([['id'], ['a'], ['b'], ['c']], 'one sink could not be reached');
      const rows = 'SELECT string_agg(o::text, chr(10) ORDER BY id) FROM';
      expect(await shown(`${rows} other o`)).not.toContain('c)');
      await run(job({}, sinks));
      expect(await shown(`${rows} other o`)).toBe(await sql(`${rows} t o`));
    },
    2 * MINUTES,
  );
});

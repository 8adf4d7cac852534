/** Tables that change their shape under a flow that follows them: what it has made of them is what a copy would make. */
import { describeWithServer, dumpPostgres, expectSameRows, killAt } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FollowedDatabase } from './followed-database.js';

const MINUTES = 60_000;

/** What is done to the table, and which of its columns are compared from then on. */
const STEPS = [
  ['a constant default', 'ALTER TABLE t ADD c integer DEFAULT 7', { c: 'c' }],
  [
    'a default that is gone again',
    "ALTER TABLE t ADD d text DEFAULT 'then'; ALTER TABLE t ALTER d DROP DEFAULT",
    { d: 'd' },
  ],
  [
    'a default that was another then',
    'ALTER TABLE t ADD e integer DEFAULT 1; ALTER TABLE t ALTER e SET DEFAULT 2',
    { e: 'e' },
  ],
  ['a default of each row', 'ALTER TABLE t ADD f uuid DEFAULT gen_random_uuid()', { f: 'f' }],
  ['a default that is never null', 'ALTER TABLE t ADD g integer NOT NULL DEFAULT 5', { g: 'g' }],
  ['no default', 'ALTER TABLE t ADD h text', { h: 'h' }],
  ['another name', 'ALTER TABLE t RENAME a TO renamed', { renamed: 'renamed', a: undefined }],
  ['another type', 'ALTER TABLE t ALTER b TYPE bigint USING b * 2', { b: 'b' }],
  ['nothing any more', 'ALTER TABLE t DROP renamed', { renamed: undefined }],
] as const;

describeWithServer('postgres-15', (server) => {
  let followed: FollowedDatabase;

  beforeEach(async () => {
    followed = await FollowedDatabase.create(
      server(),
      "CREATE TABLE t (id integer PRIMARY KEY, a text, b integer); INSERT INTO t SELECT g, 'a' || g, g FROM generate_series(1, 20) g",
    );
  });
  afterEach(() => followed.remove());

  const job = () => followed.job('shapes', { copy: { write: 'upsert' }, lake: { write: 'upsert' } });

  async function expectSame(columns: readonly string[], what: string): Promise<void> {
    const list = (type: string) => columns.map((name) => `${name}::${type} AS ${name}`).join(', ');
    const wanted = await followed.dumpSource(`SELECT ${list('text')} FROM t`);
    const targets = await followed.dumpTargets(
      `SELECT ${list('text')} FROM t`,
      `SELECT ${list('VARCHAR')} FROM public.t`,
    );
    for (const [name, rows] of Object.entries(targets))
      expectSameRows(wanted, rows, { expected: 'source', actual: `${name} after ${what}` });
  }

  /** The lake is not to be read while a run has it open. */
  async function expectCopied(columns: readonly string[], what: string): Promise<void> {
    const list = columns.map((name) => `${name}::text`).join(', ');
    const [wanted, copy] = await Promise.all(
      [followed.source, followed.target].map((url) => dumpPostgres(url, `SELECT ${list} FROM t`)),
    );
    expectSameRows(wanted!, copy!, { expected: 'source', actual: `copy after ${what}` });
  }

  /** Rows around each step: written before it and not read yet, and after it. */
  let next = 100;
  const around = (alter: string) => {
    next += 10;
    const id = next;
    return `INSERT INTO t (id, b) VALUES (${id}, 1), (${id + 1}, 2); UPDATE t SET b = b + 1 WHERE id IN (3, ${id}); DELETE FROM t WHERE id = ${id + 1};
      ${alter}; INSERT INTO t (id, b) VALUES (${id + 2}, 3); UPDATE t SET b = b + 1 WHERE id IN (4, ${id + 2})`;
  };

  it(
    'run by run: columns that come with values, under other names and of other types',
    async () => {
      const file = job();
      await followed.run(file);
      const columns = new Set(['id', 'a', 'b']);
      for (const [what, alter, compared] of STEPS) {
        await followed.atSource(around(alter));
        for (const [name, now] of Object.entries(compared)) {
          if (now === undefined) columns.delete(name);
          else columns.add(name);
        }
        await followed.run(file);
        await expectSame([...columns], what);
      }
      await followed.atSource(
        "UPDATE t SET c = NULL WHERE id < 5; UPDATE t SET h = 'h' WHERE id > 10; DELETE FROM t WHERE id = 2",
      );
      await followed.run(file);
      await expectSame([...columns], 'changes of all these');
    },
    4 * MINUTES,
  );

  it(
    'wherever it is killed on the way',
    async () => {
      const file = job();
      await followed.run(file);
      const columns = ['id', 'a', 'b'];
      for (const [i, point] of [
        'plan.before-planned@1',
        'plan.after-planned@1',
        'prepare.after-schema@1',
        'commit.before-ledger@1',
        'commit.after-ledger@3',
      ].entries()) {
        await followed.atSource(around(`ALTER TABLE t ADD k${i} integer DEFAULT (random() * 1000)::integer`));
        columns.push(`k${i}`);
        await killAt(followed.program(file), point);
        await followed.atSource(around('SELECT'));
        await followed.run(file);
        await expectSame(columns, point);
      }
    },
    4 * MINUTES,
  );

  it(
    'while it is followed',
    async () => {
      const running = followed.place.start(['run', job(), '--follow', '--json']);
      const shown = (text: string) => followed.inTarget(text).catch((error: unknown) => String(error));
      const columns = new Set(['id', 'a', 'b']);
      await expect.poll(() => shown('SELECT count(*) FROM t'), { timeout: MINUTES }).toBe('20');
      for (const [what, alter, compared] of STEPS.filter((_, i) => [0, 3, 6].includes(i))) {
        await followed.atSource(around(alter));
        for (const [name, now] of Object.entries(compared)) {
          if (now === undefined) columns.delete(name);
          else columns.add(name);
        }
        await expect
          .poll(
            () =>
              expectCopied([...columns], what).then(
                () => 'same',
                (error: unknown) => String(error),
              ),
            { timeout: MINUTES, interval: 500 },
          )
          .toBe('same');
      }
      running.signal('SIGTERM');
      expect(await running.ended, running.stderr).toEqual({ code: 143, signal: null });
      await expectSame([...columns], 'all of them');
    },
    4 * MINUTES,
  );
});

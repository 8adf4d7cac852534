/** Rows that cannot be kept: the others land, these are kept as dead letters, once, whatever happens meanwhile. */
import type { DeadLetter } from '@sluice/core';
import type { ConnectionSpec, JobSpec, LongJob } from '@sluice/sdk';
import { describeWithServer, dumpDuckdb, dumpPostgres, expectSameRows, runProgram } from '@sluice/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lines, resultOf, SLUICE, Workspace } from './cli-workspace.js';

const MINUTES = 60_000;
const ROWS = 3000;
/** Rows whose text is no number, and rows that the target does not take. */
const UNREADABLE = [7, 500, 501, 2999];
const UNWANTED = [13, 1400, 1401, 2500];

let place: Workspace;
beforeAll(() => {
  place = new Workspace();
});
afterAll(() => place.remove());

async function lettersOf(job: string): Promise<DeadLetter[]> {
  const exit = await place.sluice(['dlq', 'list', job, '--json', '--limit', '1000']);
  expect(exit.code, exit.stderr).toBe(0);
  const { letters, total } = JSON.parse(exit.stdout) as { letters: DeadLetter[]; total: number };
  expect(letters).toHaveLength(total);
  return letters;
}

const idsOf = (letters: readonly DeadLetter[]) =>
  letters.map(({ payload }) => Number((payload as { id: string }).id)).sort((a, b) => a - b);

describeWithServer('postgres-15', (server) => {
  let source: string;
  let target: string;

  beforeAll(async () => {
    source = await server().createDatabase();
    target = await server().createDatabase();
    await server().psql(
      `CREATE TABLE orders (id bigint PRIMARY KEY, amount text);
       INSERT INTO orders SELECT g, CASE WHEN g IN (${UNREADABLE}) THEN 'no number' ELSE g::text || '.50' END
         FROM generate_series(1, ${ROWS}) g; ANALYZE`,
      source,
    );
  }, 3 * MINUTES);

  /** Key ranges in small epochs into a table with a rule of its own. */
  function job(name: string, more: Partial<JobSpec> = {}, write: 'append' | 'upsert' = 'append'): JobSpec {
    return {
      name,
      connections: {
        from: { connector: 'postgres', url: source },
        to: { connector: 'postgres', url: target },
      },
      flows: {
        main: {
          source: 'from',
          streams: { 'public.orders': { source: { chunk: 'key' } } },
          transforms: [{ use: 'cast', columns: { amount: 'decimal(12,2)' } }],
          sinks: { lake: { to: 'to', name: `${name}.orders`, write } },
        },
      },
      delivery: { require: 'exactly-once', commit: { rows: 700 } },
      ...more,
    } as JobSpec;
  }

  const makeTarget = (name: string) =>
    server().psql(
      `CREATE SCHEMA ${name}; CREATE TABLE ${name}.orders (id bigint PRIMARY KEY, amount numeric(12,2),
         CONSTRAINT wanted CHECK (id NOT IN (${UNWANTED})))`,
      target,
    );

  async function expectTheRest(name: string): Promise<void> {
    const wanted = await dumpPostgres(
      source,
      `SELECT id::text, amount FROM orders WHERE id NOT IN (${[...UNREADABLE, ...UNWANTED]})`,
    );
    const landed = await dumpPostgres(target, `SELECT id::text, amount::text FROM ${name}.orders`);
    expectSameRows(wanted, landed, { expected: 'source', actual: 'target' });
  }

  it.each(['append', 'upsert'] as const)(
    'the others land, and each bad row is kept with its reason (%s)',
    async (write) => {
      const name = `bad_${write}`;
      await makeTarget(name);
      place.job(`${name}.json`, job(name, { errors: { max: 10 } }, write));
      const exit = await place.sluice(['run', `${name}.json`, '--json']);
      expect(exit.code, exit.stderr).toBe(0);
      const [stream] = resultOf(exit.stdout).streams;
      const rejected = UNREADABLE.length + UNWANTED.length;
      expect(stream).toMatchObject({ read: ROWS, rejected, filtered: 0, added: 0 });
      expect(stream).toMatchObject({ passed: ROWS - rejected, committed: ROWS - rejected, complete: true });
      await expectTheRest(name);

      const letters = await lettersOf(`${name}.json`);
      const byTransform = letters.filter(({ stage }) => stage === 0);
      const bySink = letters.filter(({ stage }) => stage === 'sink');
      expect(byTransform.length + bySink.length).toBe(letters.length);
      expect(idsOf(byTransform)).toEqual(UNREADABLE);
      expect(idsOf(bySink)).toEqual(UNWANTED);
      expect(byTransform[0]).toMatchObject({ payload: { amount: 'no number' }, stream: 'public.orders' });
      expect(bySink[0]!.error.message).toContain('wanted');

      const shown = await place.sluice(['dlq', 'show', `${name}.json`, bySink[0]!.id]);
      expect(shown.stdout).toContain('by the sink');
      const dropped = await place.sluice(['dlq', 'drop', `${name}.json`, '--id', bySink[0]!.id, '--yes']);
      expect(dropped.stdout).toContain('dropped 1 dead letter');
      expect(await lettersOf(`${name}.json`)).toHaveLength(letters.length - 1);
    },
    2 * MINUTES,
  );

  it(
    'without `errors` the first one ends the run, with the data class',
    async () => {
      await makeTarget('strict');
      place.job('strict.json', job('strict'));
      const exit = await place.sluice(['run', 'strict.json', '--json']);
      expect(exit.code).toBe(5);
      expect(resultOf(exit.stdout).error?.class).toBe('data');
    },
    2 * MINUTES,
  );

  it(
    'more than the job tolerates ends the run before the epoch that has them',
    async () => {
      await makeTarget('limited');
      place.job('limited.json', job('limited', { errors: { max: 3 } }));
      const exit = await place.sluice(['run', 'limited.json', '--json']);
      expect(exit.code).toBe(5);
      expect(resultOf(exit.stdout).error).toMatchObject({ code: 'SLUICE-CORE-0112' });
      const count = await server().psql('SELECT count(*) FROM limited.orders WHERE id > 700', target);
      expect(count.trim()).toBe('0');
      // Raised, the next run goes on from there, and no letter is twice.
      place.job('limited.json', job('limited', { errors: { max: '5%' } }));
      const again = await place.sluice(['run', 'limited.json', '--json']);
      expect(again.code, again.stderr).toBe(0);
      await expectTheRest('limited');
      expect(idsOf(await lettersOf('limited.json'))).toEqual(
        [...UNREADABLE, ...UNWANTED].sort((a, b) => a - b),
      );
    },
    2 * MINUTES,
  );

  describe.each(['commit.after-letters', 'commit.before-sink', 'commit.before-ledger'])(
    'killed at %s',
    (point) => {
      it.each([1, 2, 3])(
        'for the %ith time, each row is kept once',
        async (hit) => {
          const name = `killed_${point.replace(/\W/g, '_')}_${hit}`;
          await makeTarget(name);
          const file = place.job(`${name}.json`, job(name, { errors: { max: 10 } }));
          const program = {
            command: process.execPath,
            args: [SLUICE, 'run', file, '--quiet'],
            cwd: place.folder,
          };
          const died = await runProgram({ ...program, env: { SLUICE_FAILPOINT: `${point}@${hit}` } });
          expect(died.signal).toBe('SIGKILL');
          const again = await runProgram(program);
          expect(again.code, again.stderr).toBe(0);
          await expectTheRest(name);
          expect(idsOf(await lettersOf(`${name}.json`))).toEqual(
            [...UNREADABLE, ...UNWANTED].sort((a, b) => a - b),
          );
        },
        2 * MINUTES,
      );
    },
  );

  describe.each(['append', 'upsert'] as const)('written once more (%s)', (write) => {
    async function afterRun(name: string): Promise<string> {
      await makeTarget(name);
      place.job(`${name}.json`, job(name, { errors: { max: 10 } }, write));
      const exit = await place.sluice(['run', `${name}.json`, '--quiet']);
      expect(exit.code, exit.stderr).toBe(0);
      await server().psql(`ALTER TABLE ${name}.orders DROP CONSTRAINT wanted`, target);
      return `${name}.json`;
    }

    async function expectReplayed(name: string): Promise<void> {
      const wanted = await dumpPostgres(
        source,
        `SELECT id::text, amount FROM orders WHERE id NOT IN (${UNREADABLE})`,
      );
      const landed = await dumpPostgres(target, `SELECT id::text, amount::text FROM ${name}.orders`);
      expectSameRows(wanted, landed, { expected: 'source', actual: 'target' });
      expect(idsOf(await lettersOf(`${name}.json`))).toEqual(UNREADABLE);
    }

    it(
      'they land, and what is refused again stays',
      async () => {
        const name = `replayed_${write}`;
        const file = await afterRun(name);
        const exit = await place.sluice(['dlq', 'replay', file, '--json']);
        expect(exit.code, exit.stderr).toBe(5);
        expect(JSON.parse(exit.stdout)).toMatchObject({
          kept: UNWANTED.length,
          refused: UNREADABLE.length,
          left: [],
        });
        await expectReplayed(name);
        const later = await place.sluice(['run', file, '--quiet', '--full-refresh']);
        if (write === 'upsert') expect(later.code, later.stderr).toBe(0);
      },
      2 * MINUTES,
    );

    it.each(['postgres.commit.after', 'commit.before-ledger', 'commit.after-ledger', 'replay.before-drop'])(
      'killed at %s, the same command ends in the same rows',
      async (point) => {
        const name = `replay_${write}_${point.replace(/\W/g, '_')}`;
        const file = await afterRun(name);
        const refusedBySink = (await lettersOf(file)).find(({ stage }) => stage === 'sink')!;
        const args = [SLUICE, 'dlq', 'replay', file, '--id', refusedBySink.id];
        const program = { command: process.execPath, args, cwd: place.folder };
        const died = await runProgram({ ...program, env: { SLUICE_FAILPOINT: `${point}@1` } });
        expect(died.signal).toBe('SIGKILL');
        const between = await place.sluice(['dlq', 'replay', file, '--json']);
        expect(between.code, between.stderr).toBe(5);
        await expectReplayed(name);
        const next = await place.sluice(['run', file, '--quiet']);
        expect(next.code, next.stderr).toBe(write === 'append' ? 2 : 0);
      },
      2 * MINUTES,
    );
  });

  it.each(['duckdb', 'postgres', 'file'] as const)(
    'may be kept in a sink: %s',
    async (connector) => {
      const name = `kept_${connector}`;
      await makeTarget(name);
      const places: { readonly [connector: string]: ConnectionSpec } = {
        duckdb: { connector, path: `${name}.duckdb` },
        postgres: { connector, url: target },
        file: { connector, path: name, format: 'jsonl' },
      };
      const to = places[connector]!;
      const base = job(name, { errors: { max: 10, deadLetter: 'letters' } }) as LongJob;
      const kept: JobSpec = { ...base, connections: { ...base.connections, letters: to } };
      const file = place.job(`${name}.json`, kept);
      const program = {
        command: process.execPath,
        args: [SLUICE, 'run', file, '--quiet'],
        cwd: place.folder,
      };
      const died = await runProgram({ ...program, env: { SLUICE_FAILPOINT: 'commit.after-letters@2' } });
      expect(died.signal).toBe('SIGKILL');
      const again = await runProgram(program);
      expect(again.code, again.stderr).toBe(0);
      await expectTheRest(name);
      const ids = await keptIn[connector](name);
      const wanted = [...UNREADABLE, ...UNWANTED].sort((a, b) => a - b);
      // Files are appended to: a letter of an epoch that was killed may be there twice.
      expect(connector === 'file' ? [...new Set(ids)] : ids).toEqual(wanted);
      expect(await lettersOf(`${name}.json`)).toEqual([]);
    },
    2 * MINUTES,
  );

  const keptIn = {
    duckdb: async (name: string) => {
      const sql = `SELECT (payload->>'id')::INT FROM dead_letters WHERE job = '${name}' ORDER BY 1`;
      return (await place.query(`${name}.duckdb`, sql)).flat();
    },
    postgres: async (name: string) => {
      const sql = `SELECT payload->>'id' FROM dead_letters WHERE job = '${name}' ORDER BY (payload->>'id')::int`;
      return lines(await server().psql(sql, target)).map(Number);
    },
    file: async (name: string) =>
      place
        .linesBelow(`${name}/dead_letters`, '.jsonl')
        .map((line) => Number(JSON.parse(line).payload.id))
        .sort((a, b) => a - b),
  };

  it(
    'in DuckDB, rows that its table does not take are kept as well',
    async () => {
      const file = place.path('bad.duckdb');
      const base = job('ducks', { errors: { max: 10 } });
      const duck: JobSpec = {
        ...base,
        connections: {
          ...('connections' in base && base.connections),
          to: { connector: 'duckdb', path: file },
        },
      } as JobSpec;
      place.job('ducks.json', duck);
      const exit = await place.sluice(['run', 'ducks.json', '--json']);
      expect(exit.code, exit.stderr).toBe(0);
      expect(idsOf(await lettersOf('ducks.json'))).toEqual(UNREADABLE);
      const rest = await dumpPostgres(
        source,
        `SELECT id::text, amount FROM orders WHERE id NOT IN (${UNREADABLE})`,
      );
      const landed = await dumpDuckdb(
        file,
        'SELECT id::VARCHAR AS id, amount::VARCHAR AS amount FROM ducks.orders',
      );
      expectSameRows(rest, landed, { expected: 'source', actual: 'target' });
    },
    2 * MINUTES,
  );
});

describe('text files', () => {
  const good = Array.from({ length: 2000 }, (_, i) => `${i},${i}.50,"note, ${i}"`);
  const bad: { readonly [line: number]: string } = {
    3: 'x,1.00,no id',
    700: '700,1.00',
    1500: '1500,much,no amount',
    1501: '1501,1.00,"half "quoted"',
  };

  it(
    'broken lines are kept with file and line, and the rest lands',
    async () => {
      const all = ['id,amount,note', ...good];
      for (const [line, text] of Object.entries(bad)) all[Number(line) - 1] = text;
      place.write('in/orders.csv', `${all.join('\n')}\n`);
      const types = { id: 'int64', amount: 'decimal(12,2)', note: 'string' };
      const job = {
        name: 'broken-lines',
        source: { connector: 'file', path: 'in/*.csv', types },
        sink: { connector: 'duckdb', path: 'lines.duckdb' },
        write: 'append',
      };
      place.job('strict-lines.json', { ...job, name: 'strict-lines' });
      const strict = await place.sluice(['run', 'strict-lines.json', '--json']);
      expect(strict.code).toBe(5);
      expect(resultOf(strict.stdout).error).toMatchObject({ class: 'data', details: { line: 700 } });
      // A record that is broken as such is met when the job is planned, a value of the wrong type when it is read.

      place.job('lines.json', { ...job, errors: { max: 4 } });
      const exit = await place.sluice(['run', 'lines.json', '--json']);
      expect(exit.code, exit.stderr).toBe(0);
      const [stream] = resultOf(exit.stdout).streams;
      expect(stream).toMatchObject({ read: 2000, rejected: 4, committed: 1996, complete: true });
      const letters = await lettersOf('lines.json');
      expect(letters.map(({ stage, error, payload }) => [stage, error.details['line'], payload])).toEqual(
        Object.entries(bad).map(([line, text]) => ['read', Number(line), text]),
      );
      const landed = await place.query(
        'lines.duckdb',
        'SELECT count(*)::INT, sum(id)::INT, count(DISTINCT note)::INT FROM orders',
      );
      const ids = good.map((_, i) => i).filter((i) => !(String(i + 2) in bad));
      expect(landed).toEqual([[1996, ids.reduce((sum, id) => sum + id, 0), 1996]]);
    },
    2 * MINUTES,
  );
});

/** The ledger and the sink's own record: lost, foreign, newer, held; what is committed stays, once. */
import { readFileSync, rmSync } from 'node:fs';
import type { JobSpec } from '@sluice/sdk';
import {
  describeWithServer,
  dumpPostgres,
  expectSameRows,
  killAt,
  type Program,
  runProgram,
} from '@sluice/test';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Running, resultOf, SLUICE, Workspace } from './cli-workspace.js';

const MINUTES = 60_000;
const ROWS = 4000;
const SELECT = 'SELECT id, name, amount FROM';
const LEDGER = ['state', 'state.db'] as const;
/** A full append that is complete, and not asked for again: the job is what has to change. */
const COMPLETE = 'SLUICE-CORE-0108';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

type Write = 'append' | 'replace';

function jobOf(source: string, target: string, write: Write): JobSpec {
  return {
    name: 'shop',
    connections: {
      from: { connector: 'postgres', url: source },
      to: { connector: 'postgres', url: target },
    },
    flows: {
      main: {
        source: 'from',
        streams: { 'public.orders': { source: { chunk: 'key' } } },
        sinks: { main: { to: 'to', name: 'out.orders', write } },
      },
    },
    delivery: { require: 'exactly-once', commit: { rows: 500 } },
  };
}

function program(job: JobSpec): Program {
  const file = place.job('job.json', job);
  const args = [SLUICE, 'run', file, '--quiet', '--state', place.path(...LEDGER)];
  return { command: process.execPath, args, cwd: place.folder, env: { NO_COLOR: '1' } };
}

async function run(job: JobSpec): Promise<void> {
  const exit = await runProgram(program(job));
  expect(exit.code, exit.stderr).toBe(0);
}

async function refused(job: JobSpec, code: string, ...words: string[]): Promise<void> {
  const exit = await runProgram(program(job));
  const text = exit.stderr.replace(/\s+/g, ' ');
  expect(exit.code, text).toBe(code === COMPLETE ? 2 : 4);
  for (const word of [code, ...words]) expect(text).toContain(word);
  expect(text).toMatch(/ do .{10,} more docs\/errors/);
  expect(resultOf(exit.stdout)).toMatchObject({ status: 'failed', error: { code } });
}

function loseLedger(): void {
  rmSync(place.path('state'), { recursive: true });
}

describeWithServer('postgres-15', (server) => {
  let source: string;
  let target: string;

  beforeAll(async () => {
    source = await createOrders(1);
  });
  beforeEach(async () => {
    target = await server().createDatabase();
  });

  async function createOrders(from: number): Promise<string> {
    const url = await server().createDatabase();
    await server().psql(
      `CREATE TABLE orders (id bigint PRIMARY KEY, name text, amount numeric(12,2));
       INSERT INTO orders SELECT g, nullif('n' || g % 50, 'n0'), g / 100.0 FROM generate_series(${from}, ${from + ROWS - 1}) g; ANALYZE`,
      url,
    );
    return url;
  }

  const sourceRows = () => dumpPostgres(source, `${SELECT} orders`);
  const targetRows = () => dumpPostgres(target, `${SELECT} out.orders`);
  async function expectEqual(): Promise<void> {
    expectSameRows(await sourceRows(), await targetRows(), { expected: 'source', actual: 'target' });
  }

  describe.each(['append', 'replace'] as const)('a lost ledger, %s', (write) => {
    it(
      'after a run that was killed: the next one goes on from the record of the sink',
      async () => {
        const job = jobOf(source, target, write);
        await killAt(program(job), 'commit.before-ledger@2');
        if (write === 'append') {
          const { rows } = await targetRows();
          expect(rows.length).toBeGreaterThan(0);
          expect(rows.length).toBeLessThan(ROWS);
        }
        loseLedger();
        await run(job);
        await expectEqual();
      },
      2 * MINUTES,
    );

    it(
      'after a complete run: nothing is doubled',
      async () => {
        const job = jobOf(source, target, write);
        await run(job);
        loseLedger();
        if (write === 'append') await refused(job, COMPLETE, 'again');
        else await run(job);
        await expectEqual();
      },
      2 * MINUTES,
    );
  });

  it('a ledger of a newer version is refused and left as it is', async () => {
    const job = jobOf(source, target, 'replace');
    await run(job);
    const python = `
import sqlite3, sys
ledger = sqlite3.connect(sys.argv[1])
changed = ledger.execute("UPDATE meta SET value = '999' WHERE key = 'version'").rowcount
ledger.commit()
ledger.execute('PRAGMA wal_checkpoint(TRUNCATE)')
ledger.close()
sys.exit(0 if changed == 1 else 'the ledger has no version')
`;
    const edited = await runProgram({ command: 'python3', args: ['-c', python, place.path(...LEDGER)] });
    expect(edited.code, edited.stderr).toBe(0);
    const before = readFileSync(place.path(...LEDGER));
    await server().psql('DELETE FROM out.orders WHERE id > 7', target);
    await refused(job, 'SLUICE-CORE-0103', '999');
    expect(readFileSync(place.path(...LEDGER)).equals(before)).toBe(true);
    expect((await targetRows()).rows).toHaveLength(7);
  });

  it('another source under the name of the job is refused, with the ledger and without', async () => {
    await run(jobOf(source, target, 'replace'));
    const other = jobOf(await createOrders(100_000), target, 'replace');
    await refused(other, 'SLUICE-CORE-0105');
    loseLedger();
    await refused(other, 'SLUICE-CORE-0107');
    await expectEqual();
  });

  it('another target under the name of the job is refused and gets no rows', async () => {
    await run(jobOf(source, target, 'replace'));
    const elsewhere = await server().createDatabase();
    await refused(jobOf(source, elsewhere, 'replace'), 'SLUICE-CORE-0105');
    const tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'out'";
    expect((await server().psql(tables, elsewhere)).trim()).toBe('0');
  });

  it.each(['append', 'replace'] as const)(
    'a record that was dropped from the target is missed, %s',
    async (write) => {
      const job = jobOf(source, target, write);
      await run(job);
      await server().psql('DROP TABLE _sluice_jobs, _sluice_streams, _sluice_commits', target);
      await refused(job, 'SLUICE-CORE-0106');
      await expectEqual();
    },
  );

  describe('a long run', () => {
    const GENERATED = 24_000;
    const args = (command: string) => [command, 'slow.json', '--state', place.path(...LEDGER)];

    function slowJob(): void {
      place.job('slow.json', {
        name: 'slow',
        source: { connector: 'generate', rows: GENERATED, rate: 6000 },
        sink: { connector: 'postgres', url: target },
        write: 'append',
        delivery: { require: 'exactly-once', commit: { every: '100ms', rows: 500 } },
      });
    }

    async function started(commits: number): Promise<Running> {
      slowJob();
      const running = place.start([...args('run'), '--json']);
      await running.until((stdout) => stdout.split('"epoch.committed"').length > commits);
      return running;
    }

    async function expectEachOnce(): Promise<void> {
      const counted = 'SELECT count(*), count(DISTINCT id), min(id), max(id) FROM rows';
      expect((await server().psql(counted, target)).trim()).toBe(`${GENERATED}|${GENERATED}|1|${GENERATED}`);
    }

    it(
      'keeps a second one of the job out, which ends with 75 and names it',
      async () => {
        const first = await started(1);
        const second = await place.sluice([...args('run'), '--quiet']);
        expect(second.code, second.stderr).toBe(75);
        expect(second.stderr).toContain('SLUICE-CORE-0101');
        expect(second.stderr).toContain(String(first.pid));
        expect(await first.ended, first.stderr).toEqual({ code: 0, signal: null });
        await expectEachOnce();
      },
      2 * MINUTES,
    );

    it(
      'saves its state on SIGTERM, shows it, and the next run completes exactly',
      async () => {
        const running = await started(3);
        running.signal('SIGTERM');
        expect(await running.ended, running.stderr).toEqual({ code: 143, signal: null });
        const stopped = resultOf(running.stdout);
        expect(stopped.status).toBe('stopped');
        const there = Number(await server().psql('SELECT count(*) FROM rows', target));
        expect(there).toBe(stopped.rows);
        expect(there).toBeLessThan(GENERATED);

        const shown = await place.sluice(['state', 'show', 'slow', '--state', place.path(...LEDGER)]);
        expect(shown.code, shown.stderr).toBe(0);
        expect(shown.stdout).toMatch(new RegExp(`rows:0 +\\d+ +open +${there}`));
        const told = await place.sluice([
          'state',
          'show',
          'slow',
          '--json',
          '--state',
          place.path(...LEDGER),
        ]);
        expect(JSON.parse(told.stdout)).toMatchObject({
          job: 'slow',
          runs: [{ status: 'stopped', rows: there }],
          sinks: [{ splits: [{ split: 'rows:0', position: there, sealed: false }] }],
        });

        const next = await place.sluice([...args('run'), '--quiet']);
        expect(next.code, next.stderr).toBe(0);
        expect(resultOf(next.stdout).rows).toBe(GENERATED - there);
        await expectEachOnce();
      },
      2 * MINUTES,
    );
  });
});

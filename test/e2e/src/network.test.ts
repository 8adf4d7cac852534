/** Jobs whose connections break, lose replies and let commits land late, and which end equal to their source all the same. */
import {
  describeWithServer,
  FaultProxy,
  needsPythonReaders,
  type PostgresServer,
  type Program,
  postgresStatements,
  psql,
  type RequestFinder,
  runProgram,
  seededRandom,
} from '@sluice/test';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  compareSides,
  createSource,
  finishAndCompare,
  postgresToDuckdb,
  postgresToParquet,
  postgresToPostgres,
  type Scenario,
} from './scenario.js';

const MINUTES = 60_000;
/** Random tries for each scenario. */
const TRIES = 3;

/** The statements that write an epoch's place and commit it. */
const COMMIT = /^INSERT INTO \S*_sluice_commits[\s\S]*COMMIT$/;
/** The statements before them, which take the fence and look for the epoch's number. */
const FENCE_CHECK = /^SELECT fence [\s\S]*FOR SHARE; SELECT generation, epoch/;

const none: RequestFinder = () => () => -1;

/** Every nth of the requests that a finder finds, on all connections together. */
function everyNth(finder: RequestFinder, n: number): RequestFinder {
  let seen = 0;
  return () => {
    const find = finder();
    return (bytes) => {
      const at = find(bytes);
      return at >= 0 && ++seen % n === 0 ? at : -1;
    };
  };
}

describeWithServer('postgres-15', (server) => {
  needsPythonReaders();
  let source: string;
  /** To the source, and to the target where it is a server. */
  let from: FaultProxy;
  let to: FaultProxy;

  beforeAll(async () => {
    source = await createSource(server());
    from = await FaultProxy.start(source);
  });
  afterAll(() => from.stop());

  const ways = { from: (url: string) => from.through(url), to: (url: string) => to.through(url) };
  const toPostgres = (chunk: 'ctid' | 'key', write: 'replace' | 'append' | 'upsert') => () =>
    postgresToPostgres(server(), source, chunk, write, ways);

  describe.each<[string, () => Promise<Scenario>]>([
    ['Postgres → Postgres, page ranges, replace', toPostgres('ctid', 'replace')],
    ['Postgres → Postgres, key ranges, append', toPostgres('key', 'append')],
    ['Postgres → Postgres, key ranges, upsert', toPostgres('key', 'upsert')],
    ['Postgres → DuckDB, replace', () => postgresToDuckdb(source, 'replace', ways.from)],
    ['Postgres → Parquet, append', () => postgresToParquet(source, 'append', ways.from)],
  ])('%s', (_, make) => {
    let scenario: Scenario;
    beforeAll(async () => {
      to = await FaultProxy.start(source);
      scenario = await make();
    });
    afterAll(async () => {
      scenario.remove();
      await to.stop();
    });

    it(
      'connections that break anywhere, three times in a run, leave nothing out and nothing twice',
      async () => {
        await scenario.reset();
        const before = { from: from.link.bytes, to: to.link.bytes };
        await finishAndCompare(scenario, 'undisturbed');
        const volume = { from: from.link.bytes - before.from, to: to.link.bytes - before.to };
        let cuts = 0;
        for (let seed = 1; seed <= TRIES; seed++) {
          const random = seededRandom(seed);
          await scenario.reset();
          const aim = (times: number): void => {
            const side = random() * (volume.from + volume.to) < volume.from ? 'from' : 'to';
            const proxy = side === 'from' ? from : to;
            const struck = proxy.cutAfter(
              Math.ceil(random() * volume[side]),
              random() < 0.5 ? 'reset' : 'end',
            );
            void struck.then(() => {
              cuts++;
              if (times > 1) aim(times - 1);
            });
          };
          aim(3);
          const exit = await runProgram(scenario.program);
          expect([0, 75], `seed ${seed}: ${exit.stdout}${exit.stderr}`).toContain(exit.code);
          for (const proxy of [from, to]) proxy.calm();
          if (exit.code === 0) await compareSides(scenario, `cuts, seed ${seed}`);
          await finishAndCompare(scenario, `after cuts, seed ${seed}`);
        }
        expect(cuts).toBeGreaterThanOrEqual(TRIES);
      },
      10 * MINUTES,
    );
  });

  describe.each<[string, number, () => Promise<Scenario>]>([
    ['key ranges, append', 2, toPostgres('key', 'append')],
  ])('Postgres → Postgres, %s', (_, nth, make) => {
    let scenario: Scenario;
    /** What the proxy to the target watches for. */
    let requests: RequestFinder;
    beforeAll(async () => {
      requests = none;
      to = await FaultProxy.start(source, () => {
        const find = requests();
        return (bytes) => find(bytes);
      });
      scenario = await make();
    });
    beforeEach(() => scenario.reset());
    afterEach(() => {
      requests = none;
    });
    afterAll(async () => {
      scenario.remove();
      await to.stop();
    });

    it(
      'replies of commits that are lost make no row twice',
      async () => {
        let lost = 0;
        const most = 3;
        requests = everyNth(postgresStatements(COMMIT), nth);
        const lose = (): void => {
          void to.loseReply().then(() => {
            if (++lost < most) lose();
          });
        };
        lose();
        const exit = await runProgram(scenario.program);
        expect([0, 75], exit.stderr).toContain(exit.code);
        requests = none;
        if (exit.code === 0) await compareSides(scenario, 'lost replies');
        await finishAndCompare(scenario, 'after lost replies');
        expect(lost).toBe(most);
      },
      3 * MINUTES,
    );

    it(
      'a commit that lands after its connection is cut is waited for by the next attempt of the same run',
      async () => {
        requests = everyNth(postgresStatements(COMMIT), nth);
        const holding = to.holdRequest();
        const run = runProgram(scenario.program);
        const held = await holding;
        held.cutClient();
        await waitsForLock(server());
        await held.deliver();
        expect(await run).toMatchObject({ code: 0 });
        await compareSides(scenario, 'a late commit');
      },
      2 * MINUTES,
    );

    it(
      'a commit that lands after its run was killed and the next one began is waited for',
      async () => {
        requests = everyNth(postgresStatements(COMMIT), nth);
        const holding = to.holdRequest();
        const { killed, kill } = runAndKill(scenario.program);
        const held = await holding;
        kill();
        await killed;
        const next = runProgram(scenario.program);
        await waitsForLock(server());
        await held.deliver();
        expect(await next).toMatchObject({ code: 0 });
        await compareSides(scenario, 'a late commit of a killed run');
      },
      2 * MINUTES,
    );

    it(
      'an epoch that arrives after another run has taken over is refused',
      async () => {
        requests = postgresStatements(FENCE_CHECK);
        const holding = to.holdRequest();
        const zombie = runProgram(scenario.program);
        const held = await holding;
        requests = none;
        const successor = withOwnState(scenario.program);
        expect(await runProgram(successor)).toMatchObject({ code: 0 });
        await compareSides(scenario, 'a run that took over');
        await held.deliver();
        const end = await zombie;
        expect(end).toMatchObject({ code: 4 });
        expect(end.stdout).toContain('SLUICE-PG-0024');
        await compareSides(scenario, 'an epoch of the run before');
      },
      2 * MINUTES,
    );

    it(
      'a line that is stalled for a while holds the run up, no more',
      async () => {
        to.link.after(20_000, () => {
          to.link.stall();
          setTimeout(() => to.link.resume(), 1500);
        });
        const exit = await runProgram(scenario.program);
        expect(exit).toMatchObject({ code: 0 });
        expect(exit.ms).toBeGreaterThan(1500);
        await compareSides(scenario, 'a stalled line');
      },
      2 * MINUTES,
    );
  });
});

function runAndKill(program: Program): { killed: Promise<unknown>; kill: () => void } {
  let kill: () => void = () => {};
  const killed = runProgram(program, (killGroup) => {
    kill = killGroup;
  });
  return { killed, kill: () => kill() };
}

/** The same job with a ledger of its own, as after the ledger was lost. */
function withOwnState(program: Program): Program {
  return { ...program, args: program.args!.map((arg) => (arg.endsWith('state.db') ? `${arg}-other` : arg)) };
}

/** Resolves when somebody waits for the fence. */
async function waitsForLock(server: PostgresServer): Promise<void> {
  const waiting = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
  await expect.poll(() => psql(server.url, waiting), { timeout: 30_000 }).toBe('t');
}

/** Jobs that are killed at each of their named points and at random instants, and end equal to their source all the same. */
import { describeWithServer, needsPythonReaders, type PostgresServer } from '@sluice/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSource, dieAt, dieSometime, finishAndCompare, pointsOf, type Scenario } from './scenario.js';

const MINUTES = 60_000;
/** Random instants per scenario; `npm run soak` has two hundred. */
const INSTANTS = 4;

/** Makes a scenario's job, between systems that are there. */
export type MakeScenario = (server: PostgresServer, source: string) => Promise<Scenario>;

/** Declares the tests of scenarios, by name. */
export function endsEqualWhereverKilled(scenarios: { readonly [name: string]: MakeScenario }): void {
  describeWithServer('postgres-15', (server) => {
    needsPythonReaders();
    let source: string;
    beforeAll(async () => {
      source = await createSource(server());
    });

    describe.each(Object.entries(scenarios))('%s', (_, make) => {
      let scenario: Scenario;
      beforeAll(async () => {
        scenario = await make(server(), source);
      });
      afterAll(() => scenario.remove());

      it(
        'undisturbed, ends equal to the source',
        async () => {
          await scenario.reset();
          await finishAndCompare(scenario, 'undisturbed');
        },
        2 * MINUTES,
      );

      it(
        'killed at every named point, ends equal to the source',
        async () => {
          const points = await pointsOf(scenario);
          expect(points.map(({ name }) => name)).toContain('commit.before-ledger');
          expect(points.length).toBeGreaterThan(8);
          for (const { name, hits } of points) {
            const middle = Math.ceil(hits / 2);
            await dieAt(scenario, `${name}@${middle}`);
          }
        },
        15 * MINUTES,
      );

      it(
        'killed at random instants, ends equal to the source',
        async () => {
          let killed = 0;
          await scenario.reset();
          const began = performance.now();
          await finishAndCompare(scenario, 'undisturbed');
          const window = Math.min(1200, performance.now() - began);
          for (let seed = 1; seed <= INSTANTS; seed++) {
            if ((await dieSometime(scenario, window, seed)).killed) killed++;
          }
          expect(killed).toBeGreaterThan(0);
        },
        5 * MINUTES,
      );
    });
  });
}

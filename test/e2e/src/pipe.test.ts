/** Rows from a pipe, which come once: they wait on disk until the sinks have them. */
import { existsSync } from 'node:fs';
import type { JobSpec } from '@sluice/sdk';
import { describeWithServer, FaultProxy, runProgram } from '@sluice/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lines, resultOf, SLUICE, Workspace } from './cli-workspace.js';

const MINUTES = 60_000;
const ROWS = 30_000;
/** Ids that the target does not take. */
const UNWANTED = [13, 14_000, 14_001, 29_999];

let place: Workspace;
beforeAll(() => {
  place = new Workspace();
});
afterAll(() => place.remove());

const ROW_LINES = Array.from(
  { length: ROWS },
  (_, i) => `${JSON.stringify({ id: i + 1, name: `row ${i + 1}` })}\n`,
).join('');

function pipeInto(job: JobSpec) {
  place.write(`${job.name}.json`, JSON.stringify(job));
  const args = [SLUICE, 'run', `${job.name}.json`];
  return runProgram({ command: process.execPath, args, cwd: place.folder, input: ROW_LINES });
}

describeWithServer('postgres-15', (server) => {
  let url: string;
  beforeAll(async () => {
    url = await server().createDatabase();
  });
  function job(name: string, write: 'append' | 'replace', to: string, more: Partial<JobSpec> = {}): JobSpec {
    return {
      name,
      connections: {
        pipe: { connector: 'stdin', columns: { id: 'int64', name: 'string' } },
        to: { connector: 'postgres', url: to },
      },
      flows: {
        main: {
          source: 'pipe',
          streams: ['stdin'],
          sinks: { main: { to: 'to', write, name: `public.${name}` } },
        },
      },
      delivery: { commit: { rows: 4000 } },
      ...more,
    };
  }

  const landed = (table: string) =>
    server().psql(`SELECT count(*), count(DISTINCT id), sum(id) FROM ${table}`, url);
  const ALL = `${ROWS}|${ROWS}|${(ROWS * (ROWS + 1)) / 2}`;

  describe.each(['append', 'replace'] as const)('%s', (write) => {
    it(
      'lands whole though connections to the sink break on the way',
      async () => {
        const proxy = await FaultProxy.start(url);
        try {
          let cuts = 0;
          const aim = (bytes: number): void => {
            void proxy.cutAfter(bytes).then(() => {
              cuts++;
              if (cuts < 3) aim(200_000);
            });
          };
          aim(300_000);
          const exit = await pipeInto(job(`cut_${write}`, write, proxy.through(url)));
          expect(exit.code, exit.stderr).toBe(0);
          expect(cuts).toBe(3);
          expect(await landed(`cut_${write}`)).toBe(ALL);
          expect(existsSync(place.path('.sluice', 'spool', `cut_${write}%2Fmain`))).toBe(false);
        } finally {
          await proxy.stop();
        }
      },
      3 * MINUTES,
    );
  });

  it(
    'keeps rows that the sink refuses, and lands the others',
    async () => {
      await server().psql(`CREATE TABLE refused (id bigint CHECK (id NOT IN (${UNWANTED})), name text)`, url);
      const exit = await pipeInto(job('refused', 'append', url, { errors: { max: 10 } }));
      expect(exit.code, exit.stderr).toBe(0);
      expect(resultOf(exit.stdout)).toMatchObject({ status: 'succeeded', rows: ROWS - UNWANTED.length });
      const dlq = await place.sluice(['dlq', 'list', 'refused.json', '--json']);
      const { letters } = JSON.parse(lines(dlq.stdout).join('')) as {
        letters: { payload: { id: string } }[];
      };
      expect(letters.map(({ payload }) => Number(payload.id)).sort((a, b) => a - b)).toEqual(UNWANTED);
    },
    2 * MINUTES,
  );
});

/** The soak of followed changes in short: one seed; `npm run soak -- --changes N` has as many as there is time for. */
import { describeWithServer, needsPythonReaders } from '@sluice/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { soakChanges } from './changes-soak.js';
import { Line } from './faults.js';

const MINUTES = 60_000;
/** Servers of one's own, which may go down. */
const OWN = { settings: { log_checkpoints: 'off' } };

describeWithServer(
  'postgres-15',
  (sources) => {
    describeWithServer(
      'postgres-15',
      (sinks) => {
        needsPythonReaders();
        let lines: { readonly from: Line; readonly to: Line };
        beforeAll(async () => {
          lines = { from: await Line.start(sources()), to: await Line.start(sinks()) };
        });
        afterAll(async () => {
          await lines.from[Symbol.asyncDispose]();
          await lines.to[Symbol.asyncDispose]();
        });

        it(
          'a database that is written to at random, tables and their shapes too, ends equal under kills and faults',
          async () => {
            const told: string[] = [];
            const tally = await soakChanges({
              sources: sources(),
              sinks: sinks(),
              lines,
              keeping: 'upsert',
              seed: 1,
              rounds: 2,
              tell: (line) => told.push(line),
            });
            expect(tally.count('rounds')).toBe(2);
            expect(tally.count('shapes')).toBeGreaterThan(0);
            expect(told).toHaveLength(6);
          },
          10 * MINUTES,
        );
      },
      OWN,
    );
  },
  OWN,
);

/** Rules of a writer's life: closing and stopping. */
import { isDeepStrictEqual } from 'node:util';
import { Special } from '@sluice/sdk';
import { demandFindings } from '../demand-findings.js';
import { leakOf } from '../open-resources.js';
import { outcome, soon } from '../patience.js';
import { demand } from '../rule.js';
import { show } from '../show.js';
import { contextOf } from '../source/source-subject.js';
import { deliver } from './deliver.js';
import { order, orderRange, orders } from './sample-rows.js';
import { type SinkRule, withRecord } from './sink-rule.js';
import { SinkSession } from './sink-subject.js';

export const lifecycleRules: readonly SinkRule[] = [
  {
    id: 'SNK-62',
    per: 'mode',
    must: 'Closing writers and sinks MUST free everything that they opened: after a commit, without one, and after a batch that was refused.',
    fix: 'Release connections, files and timers in close(), also those of a transaction or a part that is unfinished or was aborted.',
    async check(session) {
      let generation = 0;
      for (const end of ['a commit', 'no commit', 'an abort', 'a refused batch'] as const) {
        const leak = await leakOf(async () => {
          const own = new SinkSession(session.options, session.rawConfig, session.write);
          const run = await own.run({ fence: session.nextFence() });
          generation++;
          const lane = await run.lane(await run.begin(orders(), { generation }), { generation });
          await lane.write(orderRange(0, 3));
          if (end === 'a commit') await lane.commit({ sealed: true });
          if (end === 'a refused batch')
            await outcome(lane.write([{ ...order(4), amount: new Special('no such decimal') }]));
          if (end === 'an abort' || end === 'a refused batch') await lane.writer.abort();
          await own.end();
        }, session.patienceMs);
        demand(leak === undefined, `each writer that was closed after ${end} left open: ${leak}`);
      }
    },
  },
  {
    id: 'SNK-63',
    per: 'mode',
    must: 'When the context’s signal is aborted, verbs MUST end soon, and the next run MUST find the sink in order.',
    fix: 'Pass `c.signal` to whatever waits; stop between statements, never within a commit.',
    async check(session) {
      const { patienceMs } = session;
      const table = await deliver(session, orders(), orderRange(0, 2));
      for (const moment of ['before attach', 'before open', 'before commit'] as const) {
        const stop = new AbortController();
        const context = contextOf(session.options.cwd, stop.signal);
        const abort = (at: typeof moment) =>
          void (at === moment && stop.abort(new Error('stopped by the conformance kit')));
        const work = async () => {
          abort('before attach');
          const run = await session.run({ context });
          abort('before open');
          const lane = await run.lane(await run.begin(orders(), { generation: 2 }), { generation: 2 });
          await lane.write(orderRange(2, 4));
          abort('before commit');
          await lane.commit();
        };
        await soon(outcome(work()), patienceMs, `work that was aborted ${moment}`);
        await soon(session.crash(), patienceMs, `close after work was aborted ${moment}`);
      }
      const last = await deliver(session, orders(), orderRange(10, 12), { generation: 3 });
      if (session.options.read === undefined) return;
      const found = await session.rowsOf(last);
      const most = session.usesGenerations ? 2 : withRecord(session) ? 10 : Infinity;
      demand(
        found.length >= 2 && found.length <= most,
        `${found.length} rows are there after a run that followed aborted ones`,
      );
      demand(table.target === last.target, `the target was ${table.target} and is ${last.target}`);
    },
  },
  {
    id: 'SNK-64',
    per: 'mode',
    must: 'diagnose, where there is one, MUST answer findings of one line each, none a failure where writing works, change nothing, and say no secret.',
    fix: 'A finding has a level and `what`; a failure also the `class` of its error and a `fix`: what a person types.',
    async check(session) {
      const { write } = session;
      const { stream } = orders();
      const target = session.options.target?.(stream) ?? stream;
      const diagnose = () =>
        session.withSink(async (sink, context) => {
          for (const targets of [[{ stream, target, write, save: 'keep' as const }], []]) {
            const findings = await sink.diagnose?.(targets, context);
            if (findings !== undefined) demandFindings(session, findings);
          }
        });
      await diagnose();
      const table = await deliver(session, orders(), orderRange(0, 2));
      await diagnose();
      if (session.options.read === undefined) return;
      const found = await session.rowsOf(table);
      demand(found.length === 2, `${found.length} rows are there after diagnose, and 2 were written`);
    },
  },
  {
    id: 'SNK-65',
    per: 'mode',
    reads: true,
    must: 'clean, where there is one, MUST remove all that the sink keeps of the job and nothing else: say it first, leave rows and other jobs as they are, and let the job begin anew.',
    fix: 'Answer the same steps with and without `certain`; remove records, staging and marks by the job’s id, in one transaction or so that repeating goes on.',
    async check(session) {
      const [one, two] = ['one/main/sink', 'two/main/sink'];
      const clean = (job: string, certain: boolean) =>
        session.withSink(async (sink, context) => sink.clean?.(job, certain, context));
      if ((await clean(one, false)) === undefined) return;
      const theirs = await deliver(session, orders('theirs'), orderRange(20, 23), { job: two });
      const ours = await deliver(session, orders('ours'), orderRange(0, 3), { job: one });
      const unfinished = await session.run({ job: one });
      const lane = await unfinished.lane(await unfinished.begin(orders('ours'), { generation: 2 }), {
        generation: 2,
      });
      await lane.write(orderRange(5, 7));
      await session.crash();
      const said = await clean(one, false);
      await session.demandRows(ours, orderRange(0, 3), 'rows after clean was asked what it would do');
      demandSame(await clean(one, false), said, 'a clean that is not certain changed what there is to do');
      demandSame(await clean(one, true), said, 'clean did something else than it had said');
      demandSame(await clean(one, false), [], 'there is something left after clean');
      demandSame(await clean(one, true), [], 'a clean that was repeated found something to do');
      await session.demandRows(ours, orderRange(0, 3), 'rows of the job after clean');
      await session.demandRows(theirs, orderRange(20, 23), 'rows of another job after clean');
      const other = await session.run({ job: two });
      if (withRecord(session)) demand(other.record !== undefined, 'the record of another job is gone');
      const again = await session.run({ job: one });
      demand(again.record === undefined, 'the job still has a record');
      await session.crash();
      await deliver(session, orders('ours'), orderRange(10, 12), { job: one });
      const kept = session.usesGenerations ? [] : orderRange(0, 3);
      await session.demandRows(ours, [...kept, ...orderRange(10, 12)], 'rows after the job began anew');
    },
  },
];

function demandSame(
  found: readonly string[] | undefined,
  wanted: readonly string[] | undefined,
  what: string,
) {
  demand(isDeepStrictEqual(found, wanted), () => `${what}: ${show(found)}, and ${show(wanted)}`);
}

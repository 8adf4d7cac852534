/** Rules of planning: what `splits` yields. */
import { isDeepStrictEqual } from 'node:util';
import type { Split } from '@sluice/sdk';
import { demandCoded } from '../coded-error.js';
import { demandJson } from '../json-trip.js';
import { outcome } from '../patience.js';
import { demand } from '../rule.js';
import { show, showDifference } from '../show.js';
import { readSplit } from './reading.js';
import { canReplay, type SourceRule } from './source-rule.js';

const NO_STREAM = 'no_such_stream';

export const splitRules: readonly SourceRule[] = [
  {
    id: 'SRC-11',
    per: 'mode',
    must: 'The splits of a plan MUST have unique ids.',
    fix: 'Put the stream’s name and what tells its parts apart into the id.',
    async check(session) {
      const ids = (await session.plan()).map(({ split }) => split.id);
      demand(ids.length > 0, 'planning yields no split');
      for (const [i, id] of ids.entries()) {
        demand(typeof id === 'string' && id.length > 0, `a split has the id ${show(id)}`);
        demand(ids.indexOf(id) === i, `two splits have the id ${show(id)}`);
      }
    },
  },
  {
    id: 'SRC-12',
    per: 'mode',
    must: 'Planning again MUST yield the same splits, unless they are volatile, as long as the system does not change.',
    fix: 'Derive ids, start and spec from the data’s own bounds: no counters, times or random names.',
    async check(session) {
      const lasting = async () =>
        (await session.plan()).filter(({ split }) => !split.volatile).map(({ split }) => steady(split));
      const first = await lasting();
      const second = await lasting();
      demand(isDeepStrictEqual(second, first), () => `two plans differ ${showDifference(first, second)}`);
    },
  },
  {
    id: 'SRC-13',
    per: 'mode',
    must: 'A split MUST be JSON.',
    fix: 'Whatever `open` needs goes into `start` and `spec` as plain values; write a bigint as text.',
    async check(session) {
      const splits = await session.splitsOf(session.connect(), await session.reads());
      for (const split of splits) demandJson(split, `split ${split.id}`);
    },
  },
  {
    id: 'SRC-14',
    per: 'mode',
    must: 'Splits that are known MUST NOT be planned again.',
    fix: 'Leave out splits whose id is among `known`.',
    async check(session) {
      const known = (await session.plan()).map(({ split }) => split);
      const again = await session.plan({ known });
      demand(
        again.length === 0,
        () => `with everything known, ${show(again.map(({ split }) => split.id))} are planned again`,
      );
    },
  },
  {
    id: 'SRC-15',
    per: 'mode',
    must: 'With a part of the splits known, planning MUST yield exactly the rest: a run may have died while it planned.',
    fix: 'Plan everything and leave out what is known by id; having known splits does not mean that planning was finished.',
    async check(session) {
      const all = (await session.plan()).map(({ split }) => split);
      if (all.some((split) => split.volatile)) return;
      for (const count of new Set([0, 1, all.length - 1])) {
        const known = all.slice(0, count);
        const rest = (await session.plan({ known })).map(({ split }) => split.id);
        const wanted = all.slice(count).map(({ id }) => id);
        const same = isDeepStrictEqual([...rest].sort(), [...wanted].sort());
        demand(
          same,
          () =>
            `with ${show(known.map(({ id }) => id))} known, ${show(rest)} are planned; ${show(wanted)} are missing`,
        );
      }
    },
  },
  {
    id: 'SRC-16',
    per: 'mode',
    must: 'Splits MUST cover the planned streams and no others; a full read’s are bulk, an incremental read’s are poll or bulk.',
    fix: 'Plan for `reads` and nothing else; `phase` follows from the mode.',
    async check(session) {
      const reads = await session.reads();
      const plans = [reads.map(({ stream }) => stream), ...reads.map(({ stream }) => [stream])];
      for (const streams of plans) {
        const splits = (await session.plan({ streams })).map(({ split }) => split);
        const covered = [...new Set(splits.flatMap((split) => split.streams))];
        const same = isDeepStrictEqual([...covered].sort(), [...streams].sort());
        demand(same, () => `planned for ${show(streams)}, the splits are of ${show(covered)}`);
        const phases = session.mode === 'full' ? ['bulk'] : ['poll', 'bulk'];
        for (const { id, phase } of splits) {
          demand(phases.includes(phase), `split ${id} has phase ${phase} in mode ${session.mode}`);
        }
      }
    },
  },
  {
    id: 'SRC-17',
    per: 'full',
    concerns: canReplay,
    must: 'For a resumable read of data that can be read again the splits MUST be resumable, or one volatile split with one checkpoint, at its end.',
    fix: 'Look at `StreamRead.resumable`: plan parts that outlive the object, or read the stream as one part.',
    async check(session) {
      for (const { stream } of await session.reads()) {
        const planned = await session.plan({ resumable: true, streams: [stream] });
        if (!planned.some(({ split }) => split.volatile)) continue;
        demand(planned.length === 1, `stream ${stream} has ${planned.length} splits, some of them volatile`);
        const { marks } = await readSplit(session, planned[0]!, { batchRows: 16 });
        demand(marks.length === 1, `the volatile split of stream ${stream} has ${marks.length} checkpoints`);
      }
    },
  },
  {
    id: 'SRC-18',
    per: 'mode',
    must: 'Planning or opening a stream that does not exist MUST reject with a coded error.',
    fix: 'A stream may vanish between discovery and the run: say so with class config or contract, and never as an empty stream.',
    async check(session) {
      const [read] = await session.reads();
      const gone = { ...read!, stream: NO_STREAM, schema: { ...read!.schema, stream: NO_STREAM } };
      const planner = session.connect();
      const planning = await outcome(session.splitsOf(planner, [gone]));
      if ('error' in planning)
        return void demandCoded(planning.error, 'planning a stream that does not exist');
      demand(planning.value.length > 0, 'a stream that does not exist was planned as nothing to read');
      const reading = await outcome(
        readSplit(session, { split: planning.value[0]!, reads: [gone], planner }),
      );
      demand('error' in reading, 'a stream that does not exist was read to its end');
      demandCoded(reading.error, 'reading a stream that does not exist', ['config', 'contract', 'auth']);
    },
  },
];

function steady({ estimatedRows: _, estimatedBytes: __, ...split }: Split) {
  return split;
}

/** Rules of completeness: every row once, from wherever reading is taken up. */
import { isDeepStrictEqual } from 'node:util';
import type { Batch } from '@sluice/sdk';
import fc from 'fast-check';
import { throughJson } from '../json-trip.js';
import { demand } from '../rule.js';
import { show } from '../show.js';
import { canonicalRow } from '../values/canonical.js';
import { demandNoMoreThan, demandSameRows } from '../values/row-multiset.js';
import { type Mark, readFinely, readSplit, readWhole, rowsOf } from './reading.js';
import { canReplay, type SourceRule } from './source-rule.js';
import type { SourceSession } from './source-subject.js';

export const resumeRules: readonly SourceRule[] = [
  {
    id: 'SRC-30',
    per: 'mode',
    must: 'The last row of a split MUST be followed by a checkpoint, which seals a bulk split, once and last, and never seals another.',
    fix: 'Yield checkpoint(position, true) as the very last message of a bulk split, also of an empty one, and checkpoint(position) behind the last row of others.',
    async check(session) {
      for (const { planned, reading } of await readWhole(session, { batchRows: 64 })) {
        const { id, phase } = planned.split;
        const sealed = reading.marks.filter((mark) => mark.sealed).length;
        demand(
          reading.afterSeal === 0,
          `split ${id}: ${reading.afterSeal} messages follow the sealed checkpoint`,
        );
        demand(
          reading.unmarked === 0,
          `split ${id}: no checkpoint follows the last ${reading.unmarked} rows`,
        );
        const wanted = phase === 'bulk' ? 1 : 0;
        demand(sealed === wanted, `split ${id} of phase ${phase} was sealed ${sealed} times`);
      }
    },
  },
  {
    id: 'SRC-31',
    per: 'mode',
    concerns: ({ expected }) => expected !== undefined,
    must: 'All splits together MUST yield every row of the system exactly once, as it stands there.',
    fix: 'Look for bounds that overlap or leave gaps between splits, and for values that change on their way.',
    async check(session) {
      const batches = (await readWhole(session)).flatMap(({ reading }) => reading.batches);
      for (const [stream, rows] of Object.entries((await session.expected())!)) {
        const { fields } = await schemaOf(session, stream);
        const wanted = rows.map((row) => canonicalRow(fields, row));
        demandSameRows(plainTexts(batches, stream), wanted, `stream ${stream}`);
      }
    },
  },
  {
    id: 'SRC-32',
    per: 'mode',
    concerns: canReplay,
    must: 'Rows MUST be the same whatever the bounds of batches are.',
    fix: 'Look at what happens to the row on which a batch ends.',
    async check(session) {
      const wanted = rowsOf(await readWhole(session));
      const sizes = fc.record({
        batchRows: fc.integer({ min: 1, max: 200 }),
        batchBytes: fc.integer({ min: 1, max: 20_000 }),
      });
      for (const bounds of [
        { batchRows: 1 },
        { batchBytes: 1 },
        ...fc.sample(sizes, { seed: session.seed, numRuns: 4 }),
      ]) {
        demandSameRows(rowsOf(await readWhole(session, bounds)), wanted, `read with ${show(bounds)}`);
      }
    },
  },
  {
    id: 'SRC-33',
    per: 'mode',
    concerns: canReplay,
    must: 'A split that is not volatile MUST yield exactly the remaining rows when it is opened again at any of its checkpoints.',
    fix: 'A position names the first row that was not yielded before the checkpoint; look for one row too few or too many there.',
    async check(session) {
      for (const resumable of session.mode === 'full' ? [false, true] : [false]) {
        for (const { planned, reading } of await readFinely(session, { resumable })) {
          if (planned.split.volatile) continue;
          for (const mark of someOf(reading.marks.filter(({ sealed }) => !sealed))) {
            const rest = await readSplit(session, planned, { at: mark.position });
            const where = `split ${planned.split.id} opened again at ${show(mark.position)}`;
            demandSameRows(rest.rows, reading.rows.slice(mark.rows), where);
            const sealed = rest.marks.filter((found) => found.sealed).length;
            demand(sealed === (planned.split.phase === 'bulk' ? 1 : 0), `${where} is sealed ${sealed} times`);
          }
        }
      }
    },
  },
  {
    id: 'SRC-34',
    per: 'mode',
    concerns: canReplay,
    must: 'A reader that is resumed again and again, a checkpoint at a time, MUST come to the end with the same rows.',
    fix: 'Positions that a resumed reader yields have to count from the split’s start, not from where it was opened.',
    async check(session) {
      for (const { planned, reading } of await readFinely(session)) {
        if (planned.split.volatile) continue;
        const { batchRows, rows } = await readInSteps(session, planned, reading.marks.length);
        demandSameRows(rows, reading.rows, `split ${planned.split.id} read ${batchRows} rows at a time`);
      }
    },
  },
  {
    id: 'SRC-35',
    per: 'mode',
    concerns: canReplay,
    must: 'A batch MUST end at every cut.',
    fix: 'Compare the positions in `OpenRequest.cuts` with where a batch would end, and end it at a cut that comes first.',
    async check(session) {
      for (const { planned, reading } of await readFinely(session)) {
        if (planned.split.volatile) continue;
        const marks = reading.marks.filter(({ rows, sealed }) => rows > 0 && !sealed);
        const cuts = [marks[Math.floor(marks.length / 3)], marks[Math.floor((2 * marks.length) / 3)]];
        const wanted = cuts.filter((mark): mark is Mark => mark !== undefined);
        const whole = await readSplit(session, planned, { cuts: wanted.map(({ position }) => position) });
        demandSameRows(whole.rows, reading.rows, `split ${planned.split.id} with cuts`);
        for (const { position, rows } of wanted) {
          const ends = batchEnds(whole.batches);
          const where = `the cut at ${show(position)}, behind ${rows} rows`;
          demand(ends.includes(rows), () => `no batch ends at ${where}; batches end behind ${show(ends)}`);
          demandSameRows(whole.rows.slice(0, rows), reading.rows.slice(0, rows), `rows before ${where}`);
        }
      }
    },
  },
  {
    id: 'SRC-42',
    per: 'incremental',
    concerns: canReplay,
    must: 'An incremental read that continues where the last one ended MUST yield no row twice and, where nothing is new, none.',
    fix: 'Begin behind the position; with a cursor, ties at its last value have to be told apart.',
    async check(session) {
      const { known, ends } = await readToEnd(session);
      const again = await continueFrom(session, known, ends);
      demand(
        again.length === 0,
        () => `nothing is new, and ${again.length} rows came again: ${show(again.slice(0, 3))}`,
      );
    },
  },
  {
    id: 'SRC-43',
    per: 'incremental',
    concerns: (options) => canReplay(options) && options.mutate !== undefined,
    must: 'An exact incremental read MUST yield each row that came since exactly once.',
    fix: 'Take the upper bound before reading, and begin the next read at it; rows that commit late have to fall behind the bound.',
    async check(session) {
      const { known, ends } = await readToEnd(session);
      const added = await session.options.mutate!(session.rawConfig);
      const wanted: string[] = [];
      for (const [stream, rows] of Object.entries(added)) {
        const { fields } = await schemaOf(session, stream);
        wanted.push(...rows.map((row) => `${stream}: ${canonicalRow(fields, row)}`));
      }
      const found = await continueFrom(session, known, ends);
      if (session.connect().capabilities.incremental === 'exact') {
        return demandSameRows(found, wanted, 'rows since the last read');
      }
      demandNoMoreThan(found, wanted, 'rows since the last read');
    },
  },
  {
    id: 'SRC-45',
    per: 'full',
    must: 'A stream of which a split is distinct MUST have a key that no two rows of its generation share.',
    fix: 'Say `distinct` only where the system itself keeps the key unique; leave it out where the job declares the key.',
    async check(session) {
      for (const resumable of session.canReplay ? [false, true] : [false]) {
        const parts = await readWhole(session, {}, { resumable });
        const streams = new Set(
          parts.flatMap(({ planned: { split } }) => (split.distinct ? split.streams : [])),
        );
        for (const stream of streams) {
          const { fields, key } = await schemaOf(session, stream);
          demand(key.length > 0, `stream ${stream} has no key, and a split of it is distinct`);
          const names = fields.filter(({ name }) => key.includes(name));
          const batches = parts.flatMap(({ reading }) => reading.batches);
          const own = batches.filter((batch) => batch.stream === stream);
          const keys = own.flatMap((batch) => batch.rows().map((row) => canonicalRow(names, row)));
          const seen = new Set<string>();
          const twice = keys.find((text) => seen.size === seen.add(text).size);
          demand(twice === undefined, `stream ${stream}: several rows have the key ${twice}`);
        }
      }
    },
  },
  {
    id: 'SRC-46',
    per: 'incremental',
    concerns: (options) => canReplay(options) && options.mutate !== undefined,
    must: 'idle, where there is one, MUST answer for each poll in order, and MUST NOT call one idle that would read rows.',
    fix: 'Answer false where it is not certain: the poll is opened then, which costs no more than time.',
    async check(session) {
      const { known, ends } = await readToEnd(session);
      const polls = known.filter(({ split }) => split.phase === 'poll');
      const places = polls.map(({ split, reads }) => ({ split, reads, at: ends.get(split.id)! }));
      await session.options.mutate!(session.rawConfig);
      const answers = await known[0]?.planner.idle?.(throughJson(places), session.context);
      if (answers === undefined) return;
      demand(answers.length === places.length, `${places.length} polls, and ${answers.length} answers`);
      for (const [i, planned] of polls.entries()) {
        if (!answers[i]) continue;
        const { rows } = await readSplit(session, planned, { at: places[i]!.at });
        demand(rows.length === 0, `split ${planned.split.id} is called idle, and has ${rows.length} rows`);
      }
    },
  },
];

/** A rule that tries checkpoints tries this many at most, spread evenly. */
const MOST_MARKS = 48;

function someOf(marks: readonly Mark[]): Mark[] {
  if (marks.length <= MOST_MARKS) return [...marks];
  return Array.from(
    { length: MOST_MARKS },
    (_, i) => marks[Math.round((i * (marks.length - 1)) / (MOST_MARKS - 1))]!,
  );
}

type Planned = Parameters<SourceSession['open']>[0];

/** Opens, reads to the first checkpoint, closes, and so on from there. */
async function readInSteps(session: SourceSession, planned: Planned, steps: number) {
  const rows: string[] = [];
  const batchRows = 16;
  let at = planned.split.start;
  for (let opened = 0; opened < steps * 64; opened++) {
    const reader = await session.open(planned, { at, batchRows });
    const batches: Batch[] = [];
    let mark: { position: typeof at; sealed?: boolean } | undefined;
    for await (const message of reader) {
      if (message.kind === 'batch') batches.push(message);
      if (message.kind !== 'checkpoint') continue;
      mark = message;
      break;
    }
    await session.close(reader);
    rows.push(
      ...batches.flatMap((batch) =>
        plainTexts([batch], batch.stream).map((text) => `${batch.stream}: ${text}`),
      ),
    );
    if (mark === undefined || mark.sealed) break;
    if (batches.length === 0 && isDeepStrictEqual(mark.position, at)) break;
    at = mark.position;
  }
  return { rows, batchRows };
}

function batchEnds(batches: readonly Batch[]): number[] {
  let rows = 0;
  return batches.map((batch) => {
    rows += batch.rowCount;
    return rows;
  });
}

function plainTexts(batches: readonly Batch[], stream: string): string[] {
  const own = batches.filter((batch) => batch.stream === stream);
  return own.flatMap((batch) => batch.rows().map((row) => canonicalRow(batch.schema.fields, row)));
}

async function schemaOf(session: SourceSession, stream: string) {
  const found = (await session.catalog()).streams.find(({ schema }) => schema.stream === stream);
  demand(found !== undefined, `discovery does not find stream ${stream}`);
  return found.schema;
}

/** Reads everything that is there, and says where each split stands then. */
async function readToEnd(session: SourceSession) {
  const parts = await readWhole(session, { batchRows: 64 });
  const known = parts.map(({ planned }) => planned);
  const ends = new Map(
    parts.map(({ planned, reading }) => [
      planned.split.id,
      reading.marks.at(-1)?.position ?? planned.split.start,
    ]),
  );
  return { known, ends };
}

async function continueFrom(
  session: SourceSession,
  known: readonly Planned[],
  ends: ReadonlyMap<string, Mark['position']>,
): Promise<string[]> {
  const fresh = await session.plan({ known: known.map(({ split }) => split) });
  const rows: string[] = [];
  // What is sealed is not opened again.
  const going = known.filter(({ split }) => split.phase !== 'bulk');
  for (const planned of [...going, ...fresh]) {
    const { batches } = await readSplit(session, planned, {
      at: ends.get(planned.split.id) ?? planned.split.start,
    });
    for (const batch of batches)
      rows.push(...plainTexts([batch], batch.stream).map((text) => `${batch.stream}: ${text}`));
  }
  return rows;
}

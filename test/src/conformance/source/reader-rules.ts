/** Rules of a reader's life: closing, aborting, acknowledging, several at once. */
import type { Message, Reader } from '@sluice/sdk';
import { leakOf } from '../open-resources.js';
import { type Outcome, outcome, soon } from '../patience.js';
import { demand } from '../rule.js';
import { show } from '../show.js';
import { demandSameRows } from '../values/row-multiset.js';
import { readFinely, readSplit, readWhole, textsOf } from './reading.js';
import { canReplay, type SourceRule } from './source-rule.js';
import { contextOf, type PlannedSplit, SourceSession } from './source-subject.js';

export const readerRules: readonly SourceRule[] = [
  {
    id: 'SRC-36',
    per: 'mode',
    concerns: canReplay,
    must: 'close MUST end a pending read soon, and a closed reader MUST NOT seal what it did not yield.',
    fix: 'Let close() wake whatever the read waits for (a socket, a timer, a queue), and leave the loop without the final checkpoint.',
    async check(session) {
      const { patienceMs } = session;
      for (const planned of (await session.plan()).slice(0, 2)) {
        const whole = await readSplit(session, planned);
        for (const messagesBefore of [0, 1]) {
          const reader = await session.open(planned, { batchRows: 8 });
          const messages = reader[Symbol.asyncIterator]();
          const seen: Outcome<IteratorResult<Message>>[] = [];
          for (let i = 0; i < messagesBefore; i++) seen.push({ value: await messages.next() });
          const pending = outcome(messages.next());
          await soon(session.close(reader), patienceMs, 'close during a pending read');
          seen.push(await soon(pending, patienceMs, 'the read that was pending at close'));
          await demandHonestEnd(messages, seen, whole.rows, patienceMs, 'closed');
        }
      }
    },
  },
  {
    id: 'SRC-37',
    per: 'mode',
    concerns: canReplay,
    must: 'Closing readers and sources MUST free everything that they opened, wherever reading stood.',
    fix: 'Release connections, files and timers in close(), in a finally block of the generator too.',
    async check(session) {
      const { options, rawConfig, mode, patienceMs } = session;
      for (const messages of [0, 1, Infinity]) {
        const leak = await leakOf(async () => {
          const own = new SourceSession(options, rawConfig, mode);
          const [planned] = await own.plan();
          const reader = await own.open(planned!, { batchRows: 8 });
          await readSome(reader, messages);
          await own.end();
        }, patienceMs);
        const where =
          messages === 0 ? 'before the first message' : messages === 1 ? 'after one message' : 'at the end';
        demand(leak === undefined, `closed ${where}, each reader left open: ${leak}`);
      }
    },
  },
  {
    id: 'SRC-38',
    per: 'mode',
    concerns: canReplay,
    must: 'When the context’s signal is aborted, reading MUST end soon and MUST NOT seal what it did not yield.',
    fix: 'Pass `c.signal` to whatever waits, and call signal.throwIfAborted() between batches.',
    async check(session) {
      const { patienceMs } = session;
      const [planned] = await session.plan();
      const whole = await readSplit(session, planned!);
      for (const abortFirst of [true, false]) {
        const stop = new AbortController();
        if (abortFirst) stop.abort(new Error('stopped by the conformance kit'));
        const context = contextOf(session.options.cwd, stop.signal);
        const opened = await soon(
          outcome(session.open(planned!, { batchRows: 8, context })),
          patienceMs,
          'open under an aborted signal',
        );
        if ('error' in opened) {
          demand(abortFirst, () => `open failed: ${String('error' in opened && opened.error)}`);
          continue;
        }
        const messages = opened.value[Symbol.asyncIterator]();
        const seen: Outcome<IteratorResult<Message>>[] = [];
        if (!abortFirst) seen.push({ value: await messages.next() });
        stop.abort(new Error('stopped by the conformance kit'));
        await demandHonestEnd(messages, seen, whole.rows, patienceMs, 'aborted');
        await soon(session.close(opened.value), patienceMs, 'close after an abort');
      }
    },
  },
  {
    id: 'SRC-39',
    per: 'mode',
    concerns: canReplay,
    must: 'ack MUST be repeatable, at the end of a read and before the first message of the next, and MUST change nothing but what the system keeps for us.',
    fix: 'Confirm positions monotonically: one that is confirmed already needs nothing more.',
    async check(session) {
      for (const { planned, reading } of await readFinely(session)) {
        const mark = reading.marks[Math.floor(reading.marks.length / 2)];
        if (planned.split.volatile || mark === undefined || mark.sealed) continue;
        const reader = await session.open(planned, { at: mark.position });
        await reader.ack?.(mark.position);
        await reader.ack?.(mark.position);
        const rest: string[] = [];
        for await (const message of reader) if (message.kind === 'batch') rest.push(...textsOf(message));
        const last = reading.marks.at(-1)!.position;
        await reader.ack?.(last);
        await reader.ack?.(last);
        await session.close(reader);
        demandSameRows(
          rest,
          reading.rows.slice(mark.rows),
          `split ${planned.split.id} after acknowledging ${show(mark.position)} twice`,
        );
      }
    },
  },
  {
    id: 'SRC-40',
    per: 'mode',
    concerns: canReplay,
    must: 'open MUST need nothing but the split: the object that planned it may be gone, unless the split is volatile.',
    fix: 'Put what open() needs into `start` and `spec`, and connect in open().',
    async check(session) {
      const wanted = await readWhole(session);
      const planning = new SourceSession(session.options, session.rawConfig, session.mode);
      const planned = await planning.plan();
      await planning.end();
      for (const part of planned) {
        if (part.split.volatile) continue;
        const { rows } = await readSplit(session, part);
        const before = wanted.find((other) => other.planned.split.id === part.split.id);
        demandSameRows(rows, before?.reading.rows ?? [], `split ${part.split.id}, whose planner is closed`);
      }
    },
  },
  {
    id: 'SRC-41',
    per: 'mode',
    concerns: canReplay,
    must: 'Several readers MUST be able to read at once, also the same split.',
    fix: 'A reader owns its connection, its buffers and its place; the source object has nothing that reading changes.',
    async check(session) {
      const planned = await session.plan();
      const alone: string[] = [];
      const together: PlannedSplit[] = [...planned.slice(0, 3), planned[0]!];
      for (const part of together) alone.push(...(await readSplit(session, part)).rows);
      const on = session.connect();
      const readers = await Promise.all(together.map((part) => session.open(part, { batchRows: 8, on })));
      demandSameRows(await inTurns(readers), alone, 'splits read in turns');
      for (const reader of readers) await session.close(reader);
    },
  },
];

async function readSome(reader: Reader, count: number): Promise<void> {
  const messages = reader[Symbol.asyncIterator]();
  for (let i = 0; i < count; i++) if ((await messages.next()).done) return;
}

/** Reads on after a close or an abort: that ends, and a seal only comes with every row. */
async function demandHonestEnd(
  messages: AsyncIterator<Message>,
  seen: Outcome<IteratorResult<Message>>[],
  whole: readonly string[],
  patienceMs: number,
  how: string,
): Promise<void> {
  const end = performance.now() + patienceMs;
  const rows: string[] = [];
  for (let i = 0; ; i++) {
    const next = seen[i] ?? (await soon(outcome(messages.next()), patienceMs, `a read that was ${how}`));
    if ('error' in next || next.value.done) return;
    const message = next.value.value;
    if (message.kind === 'batch') rows.push(...textsOf(message));
    const sealed = message.kind === 'checkpoint' && message.sealed === true;
    demand(
      !sealed || rows.length === whole.length,
      `the reader was ${how} after ${rows.length} of ${whole.length} rows, and sealed the split`,
    );
    demand(performance.now() < end, `the reader was ${how} and goes on reading for ${patienceMs} ms`);
  }
}

async function inTurns(readers: readonly Reader[]): Promise<string[]> {
  const rows: string[] = [];
  let open = readers.map((reader) => reader[Symbol.asyncIterator]());
  while (open.length > 0) {
    const ended = new Set<AsyncIterator<Message>>();
    const nexts = await Promise.all(open.map((messages) => messages.next()));
    for (const [i, { done, value }] of nexts.entries()) {
      if (done) ended.add(open[i]!);
      else if (value.kind === 'batch') rows.push(...textsOf(value));
    }
    open = open.filter((messages) => !ended.has(messages));
  }
  return rows;
}

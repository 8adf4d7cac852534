/** Rules of crashes: after any verb, the next run ends in the same data. */
import type { Row, Split, TablePlan, Token } from '@sluice/sdk';
import fc from 'fast-check';
import { demand } from '../rule.js';
import { canonicalRow } from '../values/canonical.js';
import { demandNoLessThan, demandNoMoreThan, demandSameRows } from '../values/row-multiset.js';
import { order, orderRange, orders } from './sample-rows.js';
import { type SinkRule, withRecord } from './sink-rule.js';
import { type SinkLane, type SinkRun, splitOf } from './sink-run.js';
import { SinkSession } from './sink-subject.js';

export const crashRules: readonly SinkRule[] = [
  {
    id: 'SNK-37',
    per: 'mode',
    reads: true,
    must: 'Whichever verb a crash follows, the next run MUST end in the same data.',
    fix: 'Think of each verb as done and its reply as lost: the next run calls it again with the same arguments, from a new object.',
    async check(session) {
      const steps = await countSteps(session);
      for (let step = 1; step <= steps.length; step++) {
        const own = await SinkSession.begin(session.options, session.write);
        const job = new SmallJob(own);
        try {
          await job.run(step);
          demand(false, `the job has no step ${step}`);
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
        }
        await own.crash();
        const table = await job.run();
        await job.demandDone(table, `rows after a crash behind step ${step}, ${steps[step - 1]}`);
        await own.end();
      }
    },
  },
  {
    id: 'SNK-38',
    per: 'mode',
    reads: true,
    concerns: withRecord,
    must: 'Any order of writes, aborts, commits and crashes MUST leave exactly the rows that were committed.',
    fix: 'The message shows an order that does not; look at what the writer keeps between its verbs.',
    async check(session) {
      const batch = fc
        .array(fc.integer({ min: 0, max: 30 }), { maxLength: 8 })
        .map((ids) => ({ do: 'write', ids }) as const);
      const plain = fc.constantFrom(
        { do: 'commit' } as const,
        { do: 'abort' } as const,
        { do: 'crash' } as const,
      );
      const history = fc.array(fc.oneof({ weight: 3, arbitrary: batch }, { weight: 2, arbitrary: plain }), {
        minLength: 8,
        maxLength: 20,
      });
      const property = fc.asyncProperty(history, (actions) => demandHistory(session, actions));
      const { failed, errorInstance } = await fc.check(property, {
        seed: session.seed,
        numRuns: 8,
        endOnFailure: true,
      });
      if (failed) throw errorInstance;
    },
  },
];

class Crash extends Error {}

const EPOCH_ROWS = 3;
/** How many epochs each split has. */
const EPOCHS = [2, 1] as const;

/** A full copy in two splits of a few epochs, with the steps of an engine and a ledger that survives. */
class SmallJob {
  private readonly prepared = new Map<
    string,
    { token: Token; lane: SinkLane; epoch: ReturnType<SinkLane['epoch']> }
  >();
  private readonly splits: readonly Split[] = [splitOf('orders', 0), splitOf('orders', 1)];
  private crashAt = 0;
  readonly steps: string[] = [];

  constructor(private readonly session: SinkSession) {}

  /** Runs from wherever the last run stopped; throws {@link Crash} behind the given step. */
  async run(crashAt = 0): Promise<TablePlan> {
    this.crashAt = crashAt;
    this.steps.length = 0;
    const run = await this.session.run();
    this.step('attach');
    await this.recover(run);
    const table = await run.plan(orders());
    await run.adopt('orders', 1, this.splits);
    this.step('adopt');
    await run.applySchema(table);
    this.step('applySchema');
    for (const [part, split] of this.splits.entries()) await this.copy(run, table, split, part);
    if (this.session.usesGenerations) {
      await run.publish(table, 1, false);
      this.step('publish');
    }
    await this.session.crash();
    return table;
  }

  /** The rows of both splits are there; once, but for sinks that may repeat. */
  async demandDone(table: TablePlan, what: string): Promise<void> {
    const wanted = EPOCHS.flatMap((epochs, part) =>
      Array.from({ length: epochs }, (_, i) => this.rowsOf(part, i + 1)).flat(),
    );
    const texts = wanted.map((row) => canonicalRow(table.schema.fields, row));
    const found = await this.session.rowsOf(table);
    if (this.session.protocol !== 'append') return demandSameRows(found, texts, what);
    demandNoLessThan(found, texts, what);
    demandNoMoreThan([...new Set(found)], texts, what);
  }

  private rowsOf(part: number, epoch: number): Row[] {
    const from = part * 100 + epoch * 10;
    return orderRange(from, from + EPOCH_ROWS);
  }

  private async recover({ sink, job, context }: SinkRun): Promise<void> {
    for (const [id, { token, lane, epoch }] of this.prepared) {
      const [state] = (await sink.recover?.(job, [token], context)) ?? [];
      if (state === 'committable') await sink.commitPrepared?.(job, [token], context);
      this.step('commitPrepared');
      if (state !== 'lost') lane.committed(epoch);
      this.prepared.delete(id);
    }
  }

  private async copy(run: SinkRun, table: TablePlan, split: Split, part: number): Promise<void> {
    const lane = await run.lane(table, { split });
    this.step('open');
    for (let number = this.stand(run, split) + 1; number <= EPOCHS[part]!; number++) {
      const rows = this.rowsOf(part, number);
      await lane.write(rows.slice(0, 1));
      await lane.write(rows.slice(1));
      this.step('write');
      await this.commit(lane, number, number === EPOCHS[part]);
    }
    await run.closeLane(lane);
  }

  private stand(run: SinkRun, split: Split): number {
    const ledger = this.session.ledger.get(`${run.job.id}\n${split.id}`)?.epoch ?? 0;
    return Math.max(run.standOf(split).epoch, ledger);
  }

  private async commit(lane: SinkLane, number: number, sealed: boolean): Promise<void> {
    const { writer } = lane;
    const epoch = lane.epoch({ number, position: { epoch: number }, sealed });
    if (writer.protocol === 'atomic') await writer.commit(epoch);
    else if (writer.protocol === 'two-phase') {
      const token = await writer.prepare(epoch);
      this.step('prepare');
      this.prepared.set(lane.split.id, { token, lane, epoch });
      this.step('prepare and its ledger entry');
      await writer.commit(token);
    } else await writer.flush(epoch);
    this.step('commit');
    lane.committed(epoch);
    this.prepared.delete(lane.split.id);
    this.step('commit and its ledger entry');
  }

  private step(name: string): void {
    this.steps.push(name);
    if (this.steps.length === this.crashAt) throw new Crash(name);
  }
}

async function countSteps(session: SinkSession): Promise<readonly string[]> {
  const job = new SmallJob(session);
  await job.demandDone(await job.run(), 'rows after a run without a crash');
  return job.steps;
}

type Action =
  | { readonly do: 'write'; readonly ids: readonly number[] }
  | { readonly do: 'commit' | 'abort' | 'crash' };

/** Plays a history against a new place, and compares with what a list or a map would hold. */
async function demandHistory(session: SinkSession, actions: readonly Action[]): Promise<void> {
  const own = await SinkSession.begin(session.options, session.write);
  try {
    const committed: Row[] = [];
    let pending: Row[] = [];
    let lane = await nextLane(own);
    let name = 0;
    for (const action of actions) {
      if (action.do === 'write') {
        // A full copy has each key once; what is appended or written by key may have it again.
        const rows = action.ids.map((id) =>
          order(session.write === 'replace' ? name : id, `write ${name++}`),
        );
        await lane.write(rows);
        pending.push(...rows);
      } else if (action.do === 'commit') {
        await lane.commit();
        committed.push(...pending);
        pending = [];
      } else {
        pending = [];
        if (action.do === 'abort') await lane.writer.abort();
        else {
          await own.crash();
          lane = await nextLane(own);
        }
      }
    }
    await own.crash();
    const table = lane.tables[0]!;
    if (own.usesGenerations) {
      const run = await own.run();
      await run.begin(orders());
      await run.publish(table, 1, true);
    }
    const byKey = new Map(committed.map((row) => [row['id'], row]));
    const wanted = session.write === 'upsert' || session.write === 'mirror' ? [...byKey.values()] : committed;
    await own.demandRows(table, wanted, `rows after ${JSON.stringify(actions)}`);
  } finally {
    await own.end();
  }
}

async function nextLane(session: SinkSession): Promise<SinkLane> {
  const run = await session.run();
  return run.lane(await run.begin(orders()));
}

/**
 * Writes dead letters once more: from where they were refused, through the transforms that are left, into the sink
 * that they were meant for. Letters of one stream are an epoch of a split of their own, and are dropped behind it:
 *
 * | step that is interrupted | what the same command finds |
 * |---|---|
 * | before the sink has committed | nothing; it writes them |
 * | sink committed, ledger not | the sink's record of the split, which it takes over, and drops the letters |
 * | letters not dropped | the split is done in the ledger: it drops the letters |
 *
 * What is refused again stays, with its new reason.
 */
import {
  Batch,
  failpoint,
  type JsonObject,
  type Logger,
  OPS,
  type Op,
  type SluiceError,
  type Split,
  toSluiceError,
} from '@sluice/sdk';
import type { DeadLetter, Ledger, LetterFilter } from '../ledger/ledger.js';
import type { FlowPlan, SinkPlan, StreamPlan } from '../plan/flow-plan.js';
import type { JobPlan } from '../plan/plan-job.js';
import { tablesOf } from '../plan/routed-table.js';
import { commitEpoch, versionOf } from '../run/commit-epoch.js';
import type { LeaseKeeper } from '../run/lease-keeper.js';
import { sinkJobOf, takeStock } from '../run/settle.js';
import { holdJob, settling } from '../state/hold-job.js';
import { rowFromJson } from './payload.js';
import { isReplay, lettersOfSplit, replaySplit } from './replay-split.js';

export interface ReplayOptions {
  /** The caller closes it. */
  readonly plan: JobPlan;
  readonly ledger: Ledger;
  readonly filter: LetterFilter;
  readonly log?: Logger;
}

export interface Replayed {
  /** Letters whose rows are in their sink now. */
  readonly kept: number;
  /** Those that were refused again. */
  readonly refused: number;
  /** Those that cannot be written from here, and why. */
  readonly left: readonly { readonly reason: string; readonly letters: number }[];
}

/** Letters of one split. */
const AT_ONCE = 1000;

/** Rejects with `SLUICE-CORE-0101` while a run is under way. */
export async function replayLetters(options: ReplayOptions): Promise<Replayed> {
  const { plan, ledger, log } = options;
  return holdJob(ledger, plan.name, (keeper) => new Replay(options, keeper).run(), log);
}

class Replay {
  private kept = 0;
  private refused = 0;
  private readonly left = new Map<string, number>();

  constructor(
    private readonly o: ReplayOptions,
    private readonly keeper: LeaseKeeper,
  ) {}

  async run(): Promise<Replayed> {
    const { plan, ledger, filter } = this.o;
    for (const flow of plan.flows) {
      if (filter.flow !== undefined && filter.flow !== flow.key.flow) continue;
      await takeStock(settling(flow, plan, ledger, this.keeper, this.o.log));
      await this.dropWritten(flow);
      for (const sink of flow.sinks) {
        for (const plan of flow.streams) {
          for (const stream of lettersOf(plan, sink)) await this.replay(flow, sink, plan, stream);
        }
      }
    }
    const left = [...this.left].map(([reason, letters]) => ({ reason, letters }));
    return { kept: this.kept, refused: this.refused, left };
  }

  /** Letters that an earlier attempt has written and not dropped. */
  private async dropWritten({ key }: FlowPlan): Promise<void> {
    const { ledger } = this.o;
    const { splits, sinks } = await ledger.flow(key);
    const written = Object.values(splits)
      .map(({ split }) => split)
      .filter((split) => isReplay(split) && isDone(split, sinks));
    await ledger.dropLetters(this.keeper.lease, written.flatMap(lettersOfSplit));
  }

  private async replay(flow: FlowPlan, sink: SinkPlan, plan: StreamPlan, stream: string): Promise<void> {
    const { ledger, filter } = this.o;
    const of = { flow: flow.key.flow, sink: sink.key.sink, stream };
    if (Object.entries(of).some(([key, value]) => (filter[key as 'flow'] ?? value) !== value)) return;
    const all = await ledger.letters(flow.key.job, { ...filter, ...of }, Number.MAX_SAFE_INTEGER);
    const reason = this.obstacle(plan, sink);
    const letters = all.filter(({ stage }) => {
      const why =
        stage === 'read'
          ? 'they could not be read: correct them in the source'
          : stage !== 'sink' && plan.read.once === true
            ? 'their places in the log are not known any more: correct the cause and copy the stream with `sluice resync`'
            : reason;
      if (why !== undefined) this.left.set(why, (this.left.get(why) ?? 0) + 1);
      return why === undefined;
    });
    const generation = (await ledger.flow(flow.key)).streams[plan.stream]?.generation;
    if (generation === undefined) return;
    for (const stage of new Set(letters.map((letter) => letter.stage))) {
      const same = letters.filter((letter) => letter.stage === stage);
      for (let from = 0; from < same.length; from += AT_ONCE) {
        await this.write(flow, sink, plan, generation, same.slice(from, from + AT_ONCE));
      }
    }
  }

  private obstacle({ read, targets }: StreamPlan, { key }: SinkPlan): string | undefined {
    const write = targets[key.sink]?.table.write;
    if (write === undefined) return `sink ${key.sink} no longer takes their stream`;
    if (read.mode === 'cdc' && write !== 'append') {
      return 'later changes of the same rows may be in the target: correct the cause, then copy the stream with `sluice resync` or compare its rows with `sluice verify --repair`';
    }
    if (write === 'append' || write === 'upsert') return undefined;
    return `write mode ${write} makes its target anew: correct the cause and run the job`;
  }

  /** Writes letters of one stage; those that the sink refuses are found by halving. */
  private async write(
    flow: FlowPlan,
    sink: SinkPlan,
    plan: StreamPlan,
    generation: number,
    letters: readonly DeadLetter[],
  ): Promise<void> {
    const { ledger } = this.o;
    try {
      await this.writeAll(flow, sink, plan, generation, letters);
    } catch (error) {
      const coded = toSluiceError(error);
      if (coded.class !== 'data') throw error;
      const [letter] = letters;
      if (letters.length === 1 && letter !== undefined) {
        await ledger.addLetters(this.keeper.lease, [refusedAgain(letter, coded)]);
        this.refused++;
        return;
      }
      const half = letters.length >> 1;
      await this.write(flow, sink, plan, generation, letters.slice(0, half));
      await this.write(flow, sink, plan, generation, letters.slice(half));
      return;
    }
    failpoint('replay.before-drop');
    await ledger.dropLetters(
      this.keeper.lease,
      letters.map(({ id }) => id),
    );
    this.kept += letters.length;
  }

  private async writeAll(
    flow: FlowPlan,
    plan: SinkPlan,
    { stream, read, transforms, targets }: StreamPlan,
    generation: number,
    letters: readonly DeadLetter[],
  ): Promise<void> {
    const { ledger, plan: job, log } = this.o;
    const { lease } = this.keeper;
    const { context } = settling(flow, job, ledger, this.keeper, log);
    const { table, casts } = targets[plan.key.sink]!;
    const { stage } = letters[0]!;
    const steps = stage === 'sink' ? [] : [...transforms.slice(stage as number), ...casts];
    const refusing = tablesOf(table).find((each) => each.stream === letters[0]!.stream) ?? table;
    const schema =
      stage === 'sink' ? refusing.schema : stage === 0 ? read.schema : transforms[(stage as number) - 1]!.out;
    const rows = letters.map(({ payload }) => rowFromJson(schema, payload as JsonObject));
    const op = Uint8Array.from(letters, (letter) => OPS.indexOf(letter.op ?? 'insert'));
    let batches: readonly Batch[] = [Batch.ofRows(schema, rows, { op: oneOp(letters) ?? op })];
    for (const step of steps) batches = batches.flatMap((batch) => step.apply(batch));

    const split = replaySplit(stream, letters);
    const state = await ledger.flow(flow.key);
    if (isDone(split, { [plan.key.sink]: state.sinks[plan.key.sink]! })) return;
    await ledger.addSplits(lease, flow.key, [{ split, generation }]);
    const sinkJob = sinkJobOf({ plan: flow, keeper: this.keeper }, plan);
    const published = (state.sinks[plan.key.sink]?.published[stream]?.generation ?? 0) >= generation;
    const place = { split, generation, epoch: 0, position: 0, sealed: false };
    const record = { streams: { [stream]: { generation, published } }, splits: { [split.id]: place } };
    await plan.sink.adopt(sinkJob, record, context);
    await plan.sink.applySchema(sinkJob, table, generation, context);
    const writer = await plan.sink.open({ job: sinkJob, split, generation, tables: [table] }, context);
    try {
      for (const batch of batches) if (batch.rowCount > 0) await writer.write(batch);
      const { fence } = lease;
      const epoch = { split, number: 1, generation, fence, version: versionOf(fence, 1), position: 1 };
      const stats = { rows: letters.length, bytes: 0 };
      await commitEpoch({ ledger, lease, key: plan.key }, writer, { ...epoch, sealed: true }, stats);
    } catch (error) {
      await writer.abort().catch(() => {});
      throw error;
    } finally {
      await writer.close();
    }
  }
}

/** The streams that letters speak of: what is read, and for rows that a sink refused its tables, where rows are routed. */
function lettersOf({ stream, targets }: StreamPlan, { key }: SinkPlan): ReadonlySet<string> {
  const target = targets[key.sink];
  return new Set([
    stream,
    ...(target === undefined ? [] : tablesOf(target.table).map((table) => table.stream)),
  ]);
}

/** The op of all of them, where it is one. */
function oneOp([first, ...others]: readonly DeadLetter[]): Op | undefined {
  return others.every(({ op }) => op === first?.op) ? (first?.op ?? 'insert') : undefined;
}

function isDone(
  { id }: Split,
  sinks: {
    readonly [sink: string]: { readonly positions: { readonly [split: string]: { sealed: boolean } } };
  },
): boolean {
  return Object.values(sinks).some(({ positions }) => positions[id]?.sealed === true);
}

function refusedAgain(letter: DeadLetter, { code, message, details }: SluiceError): DeadLetter {
  return { ...letter, error: { code, message, details } };
}

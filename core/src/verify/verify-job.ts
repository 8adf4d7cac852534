/** Compares a job's sources with its sinks, stream by stream. Reads both, and writes only where it is to repair. */
import {
  Batch,
  type BoundTransform,
  type Context,
  type Logger,
  matchesAny,
  type StreamSchema,
  type TablePlan,
  type Transform,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { checkSettings, settingsAt } from '../job/check-settings.js';
import type { Job, JobFlow } from '../job/job.js';
import type { Ledger } from '../ledger/ledger.js';
import type { FlowPlan, SinkPlan, StreamPlan, TargetPlan } from '../plan/flow-plan.js';
import { contextOf, type JobPlan, openSource } from '../plan/plan-job.js';
import { tablesOf } from '../plan/routed-table.js';
import type { Registry } from '../registry/registry.js';
import type { LeaseKeeper } from '../run/lease-keeper.js';
import { takeStock } from '../run/settle.js';
import { holdJob, settling } from '../state/hold-job.js';
import { comparedTable } from './compared-table.js';
import type { StreamComparison, VerifyEvent } from './differences.js';
import { LogWatch } from './log-watch.js';
import { deletesOf, repair, requireRepairable } from './repair.js';
import { TwoSides } from './two-sides.js';
import { verifyStream } from './verify-stream.js';

export interface VerifyOptions {
  readonly job: Job;
  /** The caller closes it. */
  readonly plan: JobPlan;
  readonly registry: Registry;
  readonly ledger: Ledger;
  /** Patterns of the streams that are compared; undefined: all. */
  readonly streams?: readonly string[];
  /** Compare with this sink only. */
  readonly sink?: string;
  /** Write what differs. */
  readonly repair: boolean;
  /** Which rows are compared: a condition on those that arrive in the target. */
  readonly where?: string;
  /** The transform that applies a condition: needed for `where`. */
  readonly filter?: Transform;
  /** Differences of each stream that are told one by one. */
  readonly limit: number;
  /** Milliseconds for which a run that follows a log is waited for. */
  readonly patienceMs: number;
  readonly listener: (event: VerifyEvent) => void;
  readonly log?: Logger;
  readonly signal?: AbortSignal;
}

export interface Verified {
  readonly streams: readonly StreamComparison[];
}

/**
 * Rejects with `SLUICE-CORE-0151` where a log has not been read far enough to tell, `0152` for what cannot be compared or
 * repaired, and where it is to repair with `0101` while a run is under way.
 */
export async function verifyJob(options: VerifyOptions): Promise<Verified> {
  const { ledger, plan, log } = options;
  if (!options.repair) return new Verification(options, undefined).run();
  return holdJob(ledger, plan.name, (keeper) => new Verification(options, keeper).run(), log);
}

/** Looks at which a row has to differ; more while a run may write meanwhile. */
const LOOKS = 2;
const LOOKS_LIVE = 3;

/** Bytes that a row takes that is held: its digests and what keeps them. */
const HELD_ROW = 1024;
const LEAST_HELD = 1000;

/** What is compared: a table of a sink with the stream that it is written from. */
interface Comparison {
  readonly flow: FlowPlan;
  readonly declared: JobFlow;
  readonly sink: SinkPlan;
  readonly plan: StreamPlan;
  readonly target: TargetPlan;
}

class Verification {
  private readonly context: Context;

  constructor(
    private readonly o: VerifyOptions,
    private readonly keeper: LeaseKeeper | undefined,
  ) {
    const signals = [o.signal, keeper?.signal].filter((signal) => signal !== undefined);
    const signal = AbortSignal.any(signals);
    this.context = contextOf(o.job, { ...o, signal }, o.plan.connectorMemory);
  }

  async run(): Promise<Verified> {
    const chosen = this.chosen();
    if (this.keeper !== undefined) await this.prepareRepair(chosen, this.keeper);
    const streams: StreamComparison[] = [];
    for (const comparison of chosen) {
      for (const table of tablesOf(comparison.target.table)) {
        streams.push(await this.compare({ ...comparison, target: { ...comparison.target, table } }));
      }
    }
    return { streams };
  }

  private chosen(): Comparison[] {
    const { job, plan, streams = ['*'], sink: only } = this.o;
    const chosen: Comparison[] = [];
    const [unreachable] = plan.flows.flatMap(({ detached }) =>
      detached.filter(({ sink }) => only === undefined || sink === only),
    );
    if (unreachable !== undefined) throw unreachable.error;
    for (const flow of plan.flows) {
      const declared = job.flows.find(({ name }) => name === flow.key.flow)!;
      for (const sink of flow.sinks.filter(({ key }) => only === undefined || key.sink === only)) {
        for (const stream of flow.streams.filter((each) => matchesAny(streams, each.stream))) {
          const target = stream.targets[sink.key.sink];
          if (target !== undefined) chosen.push({ flow, declared, sink, plan: stream, target });
        }
      }
    }
    if (chosen.length === 0) {
      const names = plan.flows.flatMap((flow) => flow.streams.map(({ stream }) => stream));
      const sinks = plan.flows.flatMap((flow) => flow.sinks.map(({ key }) => key.sink));
      throw coreErrors.verifyRefused(
        `nothing of job ${plan.name} is chosen; its streams are ${names.join(', ')}, its sinks ${sinks.join(', ')}`,
      );
    }
    for (const { flow, sink, target } of chosen) {
      requireReadable(flow, sink);
      requireNow(target);
    }
    return chosen;
  }

  private async prepareRepair(chosen: readonly Comparison[], keeper: LeaseKeeper): Promise<void> {
    const { plan, ledger, log } = this.o;
    for (const { target } of chosen) requireRepairable(target);
    for (const flow of new Set(chosen.map(({ flow }) => flow))) {
      await takeStock(settling(flow, plan, ledger, keeper, log));
    }
  }

  private async compare({ flow, declared, sink, plan, target }: Comparison): Promise<StreamComparison> {
    const { job, registry, ledger, limit, listener, patienceMs } = this.o;
    const { context, keeper } = this;
    const { table } = target;
    if (this.o.where !== undefined && keeper !== undefined) await this.requireKeyCondition(table);
    const sides = new TwoSides({
      flow,
      plan,
      target,
      table,
      openSource: async () => (await openSource(job, declared.connection, registry)).side,
      openTarget: () => {
        const { source, streams } = sink.sink.reads!([table]);
        return { source, stream: streams[0]! };
      },
      tolerant: job.errors !== undefined,
      ...(this.o.where !== undefined && { filter: (schema) => this.bindFilter(schema) }),
      context,
    });
    const found = await sides.targetSchema();
    const compared = comparedTable(table, found ?? table.schema);
    const notes = found === undefined ? ['the target is not there'] : compared.notes;
    const isLogged = plan.read.mode === 'cdc';
    const watch = new LogWatch({
      flow,
      sink: sink.key,
      stream: plan.stream,
      ledger,
      held: keeper === undefined ? (work) => holdJob(ledger, job.name, work, this.o.log) : (work) => work(),
      patienceMs,
      context,
    });
    return verifyStream({
      of: { flow: flow.key.flow, sink: sink.key.sink, stream: table.stream, target: table.target },
      sides,
      table: { ...compared, notes },
      caughtUp: async () => {
        if (isLogged) await watch.caughtUp();
      },
      looks: isLogged && keeper === undefined ? LOOKS_LIVE : LOOKS,
      groupRows: Math.max(LEAST_HELD, Math.floor(context.memory / HELD_ROW)),
      limit,
      ...(keeper !== undefined && {
        repair: (rows, surplus) =>
          repair(
            { job: this.o.plan, flow, sink, stream: plan.stream, table, ledger, keeper },
            corrections(table.schema, rows, surplus),
          ),
      }),
      listener,
    });
  }

  private async bindFilter(schema: StreamSchema): Promise<BoundTransform> {
    const { where, filter, job } = this.o;
    const options = checkSettings(filter!.options, settingsAt([], { where }), job, coreErrors.jobInvalid);
    return filter!.bind(schema, options, { cwd: job.cwd });
  }

  /**
   * A row that meets a condition on one side alone would be taken for one that the other side lacks, and deleted: only
   * conditions on the key say the same of both.
   */
  private async requireKeyCondition({ target, schema }: TablePlan): Promise<void> {
    const { reads } = await this.bindFilter(schema);
    const other = reads.find((column) => !schema.key.includes(column));
    if (other === undefined) return;
    throw coreErrors.verifyRefused(
      `the condition reads ${other}, and rows of ${target} can be repaired by conditions on their key alone: ${schema.key.join(', ')}`,
    );
  }
}

function requireReadable({ capabilities, key }: FlowPlan, { key: { sink }, sink: side }: SinkPlan): void {
  if (!capabilities.replay)
    throw coreErrors.verifyRefused(
      `the source of flow ${key.flow} gives everything once: there is nothing to compare with`,
    );
  if (side.reads === undefined)
    throw coreErrors.verifyRefused(`what sink ${sink} of flow ${key.flow} has written cannot be read`);
}

/** What keeps rows as they were has more than the source has now. */
function requireNow({ table, casts }: TargetPlan): void {
  if (casts.every(({ clear }) => clear === undefined)) return;
  throw coreErrors.verifyRefused(
    `${table.target} keeps what has become of rows, and the source tells only how they are now`,
  );
}

/** Deletes of rows that should not be there, which may stand in the way of others, then rows as they should be. */
async function* corrections(
  schema: StreamSchema,
  rows: AsyncIterable<Batch>,
  surplus: AsyncIterable<Batch>,
): AsyncGenerator<Batch> {
  for await (const batch of surplus) yield deletesOf(schema, batch);
  for await (const batch of rows) {
    yield Batch.ofColumns(batch.schema, batch.columns(), batch.rowCount, { op: 'upsert' });
  }
}

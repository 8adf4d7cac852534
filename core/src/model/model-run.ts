/** Runs the real coordinator over the model's source, sink and ledger. */
import { guaranteeOf, type StreamRead } from '@sluice/sdk';
import type { RunResult } from '../events.js';
import type { Ledger } from '../ledger/ledger.js';
import { MemoryLedger } from '../ledger/memory-ledger.js';
import type { FlowPlan, StreamPlan, TargetPlan } from '../plan/flow-plan.js';
import type { JobPlan } from '../plan/plan-job.js';
import { runJob } from '../run/run-job.js';
import { rewindJob } from '../state/rewind.js';
import { ModelSink, ModelTarget, modelTable } from './model-sinks.js';
import { ModelSource, type ModelStream, modelSchema } from './model-source.js';
import { type Fault, Process, World } from './world.js';

export const LEASE_MS = 60_000;

/** A kind of sink, and how a flow uses it. */
export interface ModelSinkKind extends Pick<ModelTarget, 'protocol' | 'write'> {
  /** Rows of an epoch: 1, the default, commits at every checkpoint. */
  readonly epochRows?: number;
  readonly onFailure?: 'stop' | 'detach';
}

/** One case: what is read, into which kinds of sinks, and everything durable. */
export class Bench {
  readonly world = new World();
  readonly targets: readonly ModelTarget[];
  now = 1_000_000;
  /** Rows that were acknowledged to the source before they were durable; must stay empty. */
  readonly forgotten: string[] = [];
  ledger = this.freshLedger();

  constructor(
    readonly streams: readonly ModelStream[],
    private readonly sinks: readonly ModelSinkKind[],
  ) {
    this.targets = sinks.map(({ protocol, write }) => new ModelTarget(protocol, write));
  }

  freshLedger(): MemoryLedger {
    return new MemoryLedger({ clock: () => this.now });
  }

  /** Starts a run in a process of its own. A crash rejects; every other end resolves. */
  start(fault?: Fault): { readonly process: Process; readonly ended: Promise<RunResult> } {
    const process = new Process(this.world, fault);
    const ended = runJob({
      plan: this.jobPlan(process),
      ledger: steppedLedger(this.ledger, process),
      leaseMs: LEASE_MS,
      progressMs: LEASE_MS,
      retry: { attempts: 3, firstMs: 0, maxMs: 0 },
    });
    return { process, ended };
  }

  /** Sets the job back to a time, in a process of its own. */
  rewind(to: number, fault?: Fault): { readonly process: Process; readonly ended: Promise<unknown> } {
    const process = new Process(this.world, fault);
    const ended = rewindJob({
      plan: this.jobPlan(process),
      ledger: steppedLedger(this.ledger, process),
      to,
      certain: true,
      repeatRows: false,
    });
    return { process, ended };
  }

  /** What outlives a process: late effects land, and its lease runs out. */
  async afterwards(): Promise<void> {
    await this.world.land();
    this.now += 2 * LEASE_MS;
  }

  /** A source must not forget what any sink does not durably have. */
  private checkDurable(stream: string, ids: readonly number[]): void {
    for (const target of this.targets) {
      const landed = new Set(target.visible.get(stream));
      for (const [key, staged] of target.staging)
        if (key.startsWith(`${stream}@`)) for (const id of staged) landed.add(id);
      for (const id of ids) if (!landed.has(id)) this.forgotten.push(`${stream}: ${id}`);
    }
  }

  private jobPlan(process: Process): JobPlan {
    const flows = [this.plan(process)];
    return {
      name: 'model',
      cwd: '/',
      connectorMemory: 0,
      batchMemory: 1 << 20,
      flows,
      close: async () => {},
    };
  }

  private plan(process: Process): FlowPlan {
    const resumable =
      this.targets.some(({ write }) => write === 'append') && this.streams[0]!.mode === undefined;
    const streams = this.streams.map(({ name, mode = 'full' }): StreamPlan => {
      const read: StreamRead = {
        stream: name,
        mode,
        schema: modelSchema(name),
        generation: 0,
        options: {},
        resumable,
      };
      const targets = this.targets.map((target, i): [string, TargetPlan] => {
        const table = modelTable(name, target);
        const guarantee = guaranteeOf(target.protocol);
        return [sinkName(i), { table, casts: [], guarantee, rung: 'rows', notes: [] }];
      });
      const catalog = { schema: read.schema, types: [] };
      const reading = { stream: name, notes: [] };
      const rest = { transforms: [], fills: [], targets: Object.fromEntries(targets) };
      return { stream: name, onFailure: 'stop', read, reading, catalog, ...rest };
    });
    const source = new ModelSource(process, this.streams, (stream, ids) => this.checkDurable(stream, ids));
    return {
      key: { job: 'model', flow: 'main' },
      source,
      sinks: this.sinks.map(({ epochRows = 1, onFailure = 'stop' }, i) => ({
        key: { job: 'model', flow: 'main', sink: sinkName(i) },
        sinkJob: `model/main/${sinkName(i)}`,
        sink: new ModelSink(this.world, process, this.targets[i]!),
        identity: 'model-sink',
        epoch: { ms: Number.MAX_SAFE_INTEGER, rows: epochRows, bytes: Number.MAX_SAFE_INTEGER },
        onFailure,
      })),
      detached: [],
      quarantined: [],
      replan: async () => {
        throw new Error('no stream of the model changes');
      },
      capabilities: source.capabilities,
      sourceIdentity: 'model-source',
      streams,
      batchRows: 1,
      batchBytes: 1,
      laneBytes: 1,
      lanes: 2,
      changes: { whenOver: 'warn' },
      again: false,
      fresh: [],
      allowEmpty: true,
    };
  }
}

/** The i-th sink's name in the flow. */
export function sinkName(i: number): string {
  return `sink-${i}`;
}

/** A ledger whose every verb is a step of the process. */
function steppedLedger(ledger: Ledger, process: Process): Ledger {
  return new Proxy(ledger, {
    get(target, verb) {
      const value: unknown = Reflect.get(target, verb);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) =>
        process.step(`ledger.${String(verb)}`, () => Reflect.apply(value, target, args) as unknown);
    },
  });
}

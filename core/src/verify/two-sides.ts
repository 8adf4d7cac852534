/**
 * The two sides of a comparison: what the source has now, through the job's transforms and what the sink needs behind
 * them, and what is in the target. Each reading shows its side as it is then.
 */
import type {
  Batch,
  BoundTransform,
  Context,
  Source,
  StreamRead,
  StreamSchema,
  TablePlan,
} from '@sluice/sdk';
import type { FlowPlan, StreamPlan, TargetPlan } from '../plan/flow-plan.js';
import { TransformRows } from '../run/transform-rows.js';

export interface SidesOptions {
  readonly flow: FlowPlan;
  readonly plan: StreamPlan;
  readonly target: TargetPlan;
  /** The table of the target that is compared: one of several where rows are routed. */
  readonly table: TablePlan;
  /** A new source over the flow's system. The caller closes it. */
  readonly openSource: () => Promise<Source>;
  /** The target as a stream of a source, a new one each time. */
  readonly openTarget: () => { readonly source: Source; readonly stream: string };
  /** Whether rows may be refused on their way: they are dead letters, and not expected in the target. */
  readonly tolerant: boolean;
  /** Which rows are compared, of either side's shape; undefined: all. */
  readonly filter?: (schema: StreamSchema) => Promise<BoundTransform>;
  readonly context: Context;
}

export class TwoSides {
  private readonly filters = new Map<StreamSchema, Promise<BoundTransform>>();

  constructor(private readonly o: SidesOptions) {}

  /** The target's shape; undefined where there is no target. */
  async targetSchema(): Promise<StreamSchema | undefined> {
    const { source, stream } = this.o.openTarget();
    try {
      return await this.find(source, stream);
    } finally {
      await source.close?.();
    }
  }

  /** The rows that the target should have. */
  async *source(): AsyncGenerator<Batch> {
    const { plan, target, table, tolerant, openSource } = this.o;
    const source = await openSource();
    try {
      const read = inFull(plan.read);
      const transforms = new TransformRows({ ...plan, read }, tolerant, undefined);
      for await (const batch of this.read(source, read)) {
        let batches = transforms.pass(batch).batches.filter(({ stream }) => isOf(stream, table, plan));
        for (const cast of target.casts) batches = batches.flatMap((one) => cast.apply(one));
        for (const one of batches) yield* this.chosen(one);
      }
    } finally {
      await source.close?.();
    }
  }

  /** The rows that the target has. */
  async *target(): AsyncGenerator<Batch> {
    const { source, stream } = this.o.openTarget();
    try {
      const schema = await this.find(source, stream);
      if (schema === undefined) return;
      const read: StreamRead = { stream, mode: 'full', schema, generation: 1, options: {}, resumable: false };
      for await (const batch of this.read(source, read)) yield* this.chosen(batch);
    } finally {
      await source.close?.();
    }
  }

  private async find(source: Source, stream: string): Promise<StreamSchema | undefined> {
    const { streams } = await source.discover([stream], this.o.context);
    const found = streams.find(({ schema }) => schema.stream === stream);
    if (found?.problem !== undefined) throw found.problem;
    return found?.schema;
  }

  private async *read(source: Source, read: StreamRead): AsyncGenerator<Batch> {
    const { flow, context, tolerant } = this.o;
    const { batchRows, batchBytes } = flow;
    for await (const split of source.splits([read], [], context)) {
      const request = { split, at: split.start, cuts: [], reads: [read], batchRows, batchBytes, tolerant };
      const reader = await source.open(request, context);
      try {
        for await (const message of reader) {
          context.signal.throwIfAborted();
          if (message.kind === 'batch') yield message;
        }
      } finally {
        await reader.close();
      }
    }
  }

  private async *chosen(batch: Batch): AsyncGenerator<Batch> {
    const { filter } = this.o;
    if (filter === undefined) {
      if (batch.rowCount > 0) yield batch;
      return;
    }
    let bound = this.filters.get(batch.schema);
    if (bound === undefined) {
      bound = filter(batch.schema);
      this.filters.set(batch.schema, bound);
    }
    for (const one of (await bound).apply(batch)) if (one.rowCount > 0) yield one;
  }
}

/** Whether rows that have come through the transforms go into the table. */
function isOf(stream: string, table: TablePlan, { transforms }: StreamPlan): boolean {
  return transforms.at(-1)?.routes === undefined || stream === table.stream;
}

/** Everything, whatever the job reads of a stream in a run: a log is left alone. */
function inFull({ cursor: _cursor, encoding: _encoding, ...read }: StreamRead): StreamRead {
  return { ...read, mode: 'full', generation: 1, resumable: false };
}

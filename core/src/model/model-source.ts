/**
 * The model's source: streams of numbered rows in splits that can be resumed at every row, or only as a whole; or that
 * are polled for what is new, run after run.
 */
import {
  Batch,
  checkpoint,
  type Message,
  type OpenRequest,
  type Reader,
  type Source,
  type Split,
  type StreamRead,
  type StreamSchema,
  streamSchema,
  types,
} from '@sluice/sdk';
import type { Process } from './world.js';

export interface ModelStream {
  readonly name: string;
  /** Row ids of each split. */
  readonly splits: readonly (readonly number[])[];
  readonly volatile?: boolean;
  /** `incremental`: its splits never end, and rows may be added to them between runs. */
  readonly mode?: 'full' | 'incremental';
}

export function modelSchema(stream: string): StreamSchema {
  return streamSchema(stream, [{ name: 'id', type: types.int32, nullable: false }], ['id']);
}

export class ModelSource implements Source {
  readonly capabilities = {
    replay: true,
    modes: ['full', 'incremental'],
    incremental: 'exact',
    before: false,
  } as const;

  constructor(
    private readonly process: Process,
    private readonly streams: readonly ModelStream[],
    /** Called with the ids that the source may now forget: they must be durable in the sink. */
    private readonly onAck: (stream: string, ids: readonly number[]) => void,
  ) {}

  async check(): Promise<void> {}
  async identity(): Promise<string> {
    return 'model-source';
  }
  async discover() {
    return { streams: this.streams.map(({ name }) => ({ schema: modelSchema(name), types: [] })) };
  }

  async *splits(reads: readonly StreamRead[]): AsyncIterable<Split> {
    await this.process.step('source.splits', () => {});
    for (const { stream } of reads) {
      const of = this.streams.find(({ name }) => name === stream)!;
      const { splits, volatile = false, mode = 'full' } = of;
      const phase = mode === 'full' ? 'bulk' : 'poll';
      for (const i of splits.keys()) {
        const id = `${stream}/${i}`;
        const spec = { split: i, planner: volatile ? this.process.id : 0 };
        yield { id, streams: [stream], phase, start: 0, spec, ...(volatile && { volatile }) };
      }
    }
  }

  async open({ split, at, reads }: OpenRequest): Promise<Reader> {
    const { process, onAck } = this;
    const { split: i, planner } = split.spec as { split: number; planner: number };
    const ids = this.streams.find(({ name }) => name === split.streams[0])!.splits[i]!;
    const ends = split.phase === 'bulk';
    await process.step('source.open', () => {
      if (split.volatile && planner !== process.id) throw new Error('the snapshot of this split is gone');
    });
    const { schema } = reads[0]!;
    return {
      async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
        for (let i = at as number; i < ids.length; i++) {
          await process.step('source.read', () => {});
          yield Batch.ofRows(schema, [{ id: ids[i]! }]);
          if (!split.volatile) yield checkpoint(i + 1, ends && i + 1 === ids.length);
        }
        if (ends && (split.volatile || ids.length === 0 || at === ids.length)) {
          yield checkpoint(ids.length, true);
        }
      },
      async ack(position) {
        await process.step('source.ack', () => onAck(split.streams[0]!, ids.slice(0, position as number)));
      },
      async close() {},
    };
  }
}

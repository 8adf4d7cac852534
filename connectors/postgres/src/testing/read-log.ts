/** Reads change logs for tests, as a run would: planned once, then from position to position. */
import type { Json, Message, OpenRequest, Row, Source, Split, StreamRead } from '@sluice/sdk';
import { collect, testContext } from './copy-run.js';

export interface LoggedRow {
  readonly stream: string;
  readonly op: string;
  readonly row: Row;
  readonly before?: Row;
}

/** What a piece of a log said, each change as one entry. */
export type LoggedChange =
  | LoggedRow
  | { readonly clear: string }
  | { readonly schema: readonly string[] }
  | { readonly position: Json };

/** A job that reads streams in mode cdc. */
export class LogJob {
  private at: Json;

  private constructor(
    readonly source: Source,
    public reads: readonly StreamRead[],
    readonly splits: readonly Split[],
    readonly log: Split,
  ) {
    this.at = log.start;
  }

  /** Plans the streams; from here on their changes are kept. */
  static async begin(source: Source, ...streams: string[]): Promise<LogJob> {
    const c = testContext();
    const reads = await readsOf(source, streams);
    await source.planReads!(reads, c);
    const splits = await collect(source.splits(reads, [], c));
    const log = splits.find(({ phase }) => phase === 'log')!;
    return new LogJob(source, reads, JSON.parse(JSON.stringify(splits)), log);
  }

  /** The streams as they are now. */
  async planAgain(): Promise<void> {
    this.reads = await readsOf(
      this.source,
      this.reads.map(({ stream }) => stream),
    );
  }

  request(more: Partial<OpenRequest> = {}): OpenRequest {
    return {
      split: this.log,
      at: this.at,
      cuts: [],
      reads: this.reads,
      batchRows: 1000,
      batchBytes: 1 << 20,
      ...more,
    };
  }

  /** Everything up to the end of the log; acknowledged as a run does. */
  async read(more: Partial<OpenRequest> = {}): Promise<LoggedChange[]> {
    const reader = await this.source.open(this.request(more), testContext());
    const changes: LoggedChange[] = [];
    try {
      await reader.ack?.(this.at);
      for await (const message of reader) {
        changes.push(...changesOf(message));
        if (message.kind !== 'checkpoint') continue;
        this.at = message.position;
        await reader.ack?.(message.position);
      }
    } finally {
      await reader.close();
    }
    return changes;
  }

  /** The changes of rows up to the end of the log. */
  async rows(more: Partial<OpenRequest> = {}): Promise<LoggedRow[]> {
    return (await this.read(more)).filter((change) => 'op' in change);
  }
}

export async function readsOf(source: Source, streams: readonly string[]): Promise<StreamRead[]> {
  const catalog = await source.discover(streams, testContext());
  return streams.map((stream) => {
    const found = catalog.streams.find(({ schema }) => schema.stream === stream);
    if (found === undefined) throw new Error(`no stream ${stream}`);
    const { schema } = found;
    return { stream, mode: 'cdc', schema, generation: 1, options: {}, resumable: false };
  });
}

export function changesOf(message: Message): LoggedChange[] {
  switch (message.kind) {
    case 'batch': {
      const { stream, before } = message;
      const old = before?.rows();
      return message.rows().map((row, i) => {
        const op = message.opAt(i);
        return { stream, op, row, ...(old !== undefined && op !== 'insert' && { before: old[i]! }) };
      });
    }
    case 'clear':
      return [{ clear: message.stream }];
    case 'schema':
      return [{ schema: message.schema.fields.map(({ name }) => name) }];
    case 'checkpoint':
      return [{ position: message.position }];
  }
}

/** Everything that the source reads of a stream, for tests. */
import type { Json, Message, Row, Split, StreamRead } from '@sluice/sdk';
import duckdb from '../index.js';
import { testContext } from './harness.js';

export interface ReadOptions {
  readonly resumable?: boolean;
  readonly key?: readonly string[];
  readonly cuts?: readonly Json[];
  readonly from?: Json;
  readonly batchRows?: number;
}

export interface ReadResult {
  readonly splits: Split[];
  readonly messages: Message[];
  readonly rows: Row[];
}

export async function readAll(file: string, stream: string, options: ReadOptions = {}): Promise<ReadResult> {
  const { resumable = false, cuts = [], batchRows = 10_000 } = options;
  const c = testContext();
  const source = duckdb.source!.create(duckdb.config.parse({ path: file }));
  const result: ReadResult = { splits: [], messages: [], rows: [] };
  try {
    const [found] = (await source.discover([stream], c)).streams;
    if (found?.problem) throw found.problem;
    const schema = { ...found!.schema, ...(options.key && { key: options.key }) };
    const read: StreamRead = { stream, mode: 'full', schema, generation: 1, options: {}, resumable };
    for await (const split of source.splits([read], [], c)) {
      result.splits.push(split);
      const at = options.from ?? split.start;
      const reader = await source.open({ split, at, cuts, reads: [read], batchRows, batchBytes: 1 << 22 }, c);
      try {
        for await (const message of reader) {
          result.messages.push(message);
          if (message.kind === 'batch') result.rows.push(...message.rows());
        }
      } finally {
        await reader.close();
      }
    }
  } finally {
    await source.close?.();
  }
  return result;
}

/** Parts in Parquet. */
import { openParquet, ParquetWriter, type ParquetWriterOptions, type Storage } from '@sluice/formats';
import { Batch, type Field, streamSchema } from '@sluice/sdk';
import type { PartFormat } from './part-format.js';

const BATCH_ROWS = 16_384;
/** A row group is held back until it is complete, since its columns stand one after the other. */
const MOST_ROW_GROUP = 128 << 20;
const LEAST_ROW_GROUP = 2 << 20;
/** Small enough that the compressors' threads keep little memory for the next page: a megabyte a page costs 200 MiB. */
const PAGE = 256 << 10;

export function parquetParts(options: ParquetWriterOptions): PartFormat {
  return {
    ending: '.parquet',
    leastMemory: LEAST_ROW_GROUP,
    open(fields, out, memory) {
      let bytes = 0;
      const file = async (chunk: Uint8Array) => {
        bytes += chunk.byteLength;
        await out(chunk);
      };
      const writer = new ParquetWriter(fields, file, {
        ...options,
        pageBytes: PAGE,
        rowGroupBytes: Math.min(MOST_ROW_GROUP, Math.max(LEAST_ROW_GROUP, memory)),
      });
      return {
        get bytes() {
          return bytes;
        },
        write: (batch) => writer.write(batch.columns(), batch.rowCount),
        async finish() {
          await writer.finish();
        },
      };
    },
    readParts,
  };
}

async function* readParts(storage: Storage, path: string, fields: readonly Field[]): AsyncIterable<Batch> {
  const { size } = (await storage.stat(path))!;
  const file = await openParquet({ size, read: (offset, length) => storage.readAt(path, offset, length) });
  const schema = streamSchema(path, fields);
  for (let group = 0; group < file.rowGroups.length; group++) {
    for await (const { columns, rows } of file.readRowGroup(group, { batchRows: BATCH_ROWS })) {
      yield Batch.ofColumns(schema, columns, rows);
    }
  }
}

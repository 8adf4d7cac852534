/** Parts in Parquet. */
import { ParquetWriter, type ParquetWriterOptions } from '@sluice/formats';
import type { PartFormat } from './part-format.js';

export function parquetParts(options: ParquetWriterOptions): PartFormat {
  return {
    ending: '.parquet',
    open(fields, out) {
      let bytes = 0;
      const writer = new ParquetWriter(
        fields,
        async (chunk) => {
          bytes += chunk.byteLength;
          await out(chunk);
        },
        options,
      );
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
  };
}

// Measures the Parquet reader beside hyparquet's: node formats/bench/parquet-read.mjs [rows] [batchRows]
// The same file in memory, best of five in turn; hyparquet makes rows, which is the only thing it makes.
import { openParquet, ParquetWriter } from '@sluice/formats';
import { parquetReadObjects } from 'hyparquet';
import { fields, mixedBatches } from './mixed-columns.mjs';

const rows = Number(process.argv[2] ?? 1_000_000);
const batchRows = Number(process.argv[3] ?? 16_384);

async function fileOf(options) {
  const parts = [];
  const writer = new ParquetWriter(fields, async (bytes) => void parts.push(bytes), options);
  for (const batch of mixedBatches(rows, 16_384)) await writer.write(batch.columns, batch.rows);
  await writer.finish();
  return Buffer.concat(parts);
}

async function readColumns(bytes) {
  const read = async (offset, length) => bytes.subarray(offset, offset + length);
  const file = await openParquet({ size: bytes.byteLength, read });
  let count = 0;
  for (const group of file.rowGroups.keys()) {
    for await (const batch of file.readRowGroup(group, { batchRows })) count += batch.rows;
  }
  return count;
}

async function readObjects(bytes) {
  const slice = async (start, end) =>
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + (end ?? bytes.byteLength));
  return (await parquetReadObjects({ file: { byteLength: bytes.byteLength, slice } })).length;
}

const files = {
  none: await fileOf({ codec: 'none' }),
  snappy: await fileOf({}),
  zstd: await fileOf({ codec: 'zstd' }),
};
const best = {};
for (let round = 0; round < 5; round++) {
  for (const [codec, bytes] of Object.entries(files)) {
    for (const [name, read] of Object.entries({ columns: readColumns, 'hyparquet, rows': readObjects })) {
      if (read === readObjects && (codec === 'zstd' || round > 1)) continue;
      const begun = performance.now();
      if ((await read(bytes)) !== rows) throw new Error(`${name} did not read ${rows} rows`);
      const key = `${codec}: ${name}`;
      best[key] = Math.min(best[key] ?? Number.POSITIVE_INFINITY, performance.now() - begun);
    }
  }
}
for (const [name, ms] of Object.entries(best))
  process.stdout.write(`${name.padEnd(26)} ${(ms / 1000).toFixed(2)} s\n`);

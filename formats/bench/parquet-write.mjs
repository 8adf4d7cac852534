// Measures the Parquet writer: node formats/bench/parquet-write.mjs [rows] [batchRows]
// Wall clock and CPU of the main thread, best of five, in turn over the ways to write.
import { readFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ParquetWriter } from '@sluice/formats';
import { fields, mixedBatches } from './mixed-columns.mjs';

const rows = Number(process.argv[2] ?? 1_000_000);
const batches = mixedBatches(rows, Number(process.argv[3] ?? 16_384));
const path = join(tmpdir(), `parquet-write-${process.pid}.parquet`);
const ways = {
  none: { codec: 'none' },
  staging: { codec: 'none', dictionary: false },
  snappy: { codec: 'snappy' },
  'snappy, no dictionary': { codec: 'snappy', dictionary: false },
  gzip: { codec: 'gzip' },
};

/** Seconds of CPU that the main thread has used; Linux only. */
function mainThread() {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
}

async function run(options) {
  const file = await open(path, 'w');
  const wall = performance.now();
  const cpu = mainThread();
  const writer = new ParquetWriter(fields, (bytes) => file.writev([bytes]).then(() => {}), options);
  for (const batch of batches) await writer.write(batch.columns, batch.rows);
  const { bytes } = await writer.finish();
  const result = { wall: (performance.now() - wall) / 1000, cpu: mainThread() - cpu, bytes };
  await file.close();
  return result;
}

const best = {};
for (let round = 0; round < 5; round++) {
  for (const [name, options] of Object.entries(ways)) {
    if (name === 'gzip' && round > 0) continue;
    const result = await run(options);
    best[name] ??= result;
    const held = best[name];
    held.wall = Math.min(held.wall, result.wall);
    held.cpu = Math.min(held.cpu, result.cpu);
  }
}
await rm(path, { force: true });
for (const [name, { wall, cpu, bytes }] of Object.entries(best)) {
  const size = (bytes / 1e6).toFixed(1);
  process.stdout.write(
    `${name.padEnd(24)} ${wall.toFixed(2)} s wall  ${cpu.toFixed(2)} s main thread  ${size} MB\n`,
  );
}

/**
 * The kit's rules for sources, judged on files of every format. Incremental reading of a set of files, where each file
 * is a split that ends, is tested in `source-positions.test.ts`.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CsvWriter, JsonLinesWriter, ParquetWriter } from '@sluice/formats';
import { columnOf, type JsonObject, type Row, types } from '@sluice/sdk';
import { testSource } from '@sluice/test';
import { afterAll, describe } from 'vitest';
import connector from './index.js';

const fields = [
  types.field('id', types.int64),
  types.field('name', types.string),
  types.field('amount', types.decimal(12, 2)),
  types.field('at', types.timestamp),
  types.field('day', types.date),
];

function rowsOf(from: number, to: number): Row[] {
  return Array.from({ length: to - from }, (_, i) => {
    const id = from + i;
    return {
      id: BigInt(id),
      name: id % 7 === 0 ? null : `na"me, ${id}\n😀`,
      amount: `${id}.50`,
      at: 1_700_000_000_000_000n + BigInt(id),
      day: id,
    };
  });
}

async function bytesOf(format: string, rows: readonly Row[]): Promise<Uint8Array> {
  const columns = fields.map((f) =>
    columnOf(
      f,
      rows.map((row) => row[f.name]!),
    ),
  );
  if (format === 'parquet') {
    const chunks: Uint8Array[] = [];
    const writer = new ParquetWriter(fields, async (chunk) => void chunks.push(Uint8Array.from(chunk)), {
      rowGroupBytes: 2000,
    });
    await writer.write(columns, rows.length);
    await writer.finish();
    return Buffer.concat(chunks);
  }
  if (format.startsWith('csv')) {
    const writer = new CsvWriter(fields);
    const text = Buffer.concat([writer.header(), writer.write(columns, rows.length)]);
    return format === 'csv.gz' ? gzipSync(text) : text;
  }
  const lines = Buffer.from(new JsonLinesWriter(fields).write(columns, rows.length)).toString();
  if (format === 'jsonl') return Buffer.from(lines);
  return Buffer.from(`[\n${lines.trimEnd().split('\n').join(',\n')}\n]\n`);
}

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describe.each(['csv', 'csv.gz', 'jsonl', 'json', 'parquet'])('%s', (format) => {
  testSource({
    connector,
    modes: ['full'],
    config: async (): Promise<JsonObject> => {
      const folder = await mkdtemp(join(tmpdir(), 'sluice-file-'));
      folders.push(folder);
      await mkdir(join(folder, 'many'));
      await writeFile(join(folder, `one.${format}`), await bytesOf(format, rowsOf(0, 150)));
      for (let i = 0; i < 3; i++) {
        await writeFile(
          join(folder, 'many', `part-${i}.${format}`),
          await bytesOf(format, rowsOf(i * 40, (i + 1) * 40)),
        );
      }
      return { path: folder, streams: { one: `one.${format}`, many: `many/*.${format}` } };
    },
    expected: { one: rowsOf(0, 150), many: rowsOf(0, 120) },
    unreachable: { path: '/nowhere/at/all.csv' },
  });
});

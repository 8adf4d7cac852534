/** Compressed files that are of several parts, empty, or damaged. */
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { compressTo } from '@sluice/formats';
import type { Row } from '@sluice/sdk';
import { needsPythonReaders, pythonWithReaders } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  context,
  folder,
  makeFolder,
  readOf,
  readStream,
  removeFolder,
  sourceOf,
  write,
} from './source-folder.js';

beforeEach(makeFolder);
afterEach(removeFolder);

async function zstd(text: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const out = compressTo({ write: async (bytes) => void chunks.push(Buffer.from(bytes)) }, 'zstd');
  await out.write(Buffer.from(text));
  await out.finish();
  return Buffer.concat(chunks);
}
const packers = { gz: async (text: string) => gzipSync(text), zst: zstd };

/** Rows that do not compress to nothing, so that a cut is far behind the begin. */
const lines = Array.from({ length: 200_000 }, (_, i) => `${i},${(i * 7_919_993) % 1_000_003}\n`);

describe.each(['gz', 'zst'] as const)('csv.%s', (ending) => {
  test('members that begin within a row are one file', async () => {
    const pack = packers[ending];
    const parts = await Promise.all(['id,x\n1,', '2\n3', '', ',4\n'].map(pack));
    await write({ [`a.csv.${ending}`]: Buffer.concat(parts) });
    const { rows } = await readStream(sourceOf({ path: `a.csv.${ending}` }), 'a');
    expect(rows).toEqual([
      { id: 1n, x: 2n },
      { id: 3n, x: 4n },
    ]);
  });

  test('of one that is cut short the rows before are read, and it is never complete', async () => {
    const whole = await packers[ending](`id,x\n${lines.join('')}`);
    await write({ [`a.csv.${ending}`]: whole.subarray(0, Math.round(whole.byteLength * 0.9)) });
    const source = sourceOf({ path: `a.csv.${ending}` });
    const read = readOf(await source.discover(undefined, context()), 'a');
    for await (const split of source.splits([read], [], context())) {
      const request = {
        split,
        at: split.start,
        cuts: [],
        reads: [read],
        batchRows: 5000,
        batchBytes: 1 << 20,
      };
      const reader = await source.open(request, context());
      const rows: Row[] = [];
      let isSealed = false;
      const readAll = async () => {
        for await (const message of reader) {
          if (message.kind === 'batch') rows.push(...message.rows());
          if (message.kind === 'checkpoint') isSealed ||= message.sealed === true;
        }
      };
      await expect(readAll()).rejects.toMatchObject({
        code: 'SLUICE-COMPRESSION-0001',
        class: 'data',
        message: expect.stringContaining(`a.csv.${ending}`),
      });
      await reader.close();
      expect(isSealed).toBe(false);
      expect(rows.length).toBeGreaterThan(50_000);
      expect(rows.map((row) => `${String(row['id'])},${String(row['x'])}\n`)).toEqual(
        lines.slice(0, rows.length),
      );
    }
  });

  test('an empty one has no header in CSV, and no rows in JSON Lines', async () => {
    await write({
      [`a.csv.${ending}`]: await packers[ending](''),
      [`b.jsonl.${ending}`]: await packers[ending](''),
    });
    await expect(readStream(sourceOf({ path: `a.csv.${ending}` }), 'a')).rejects.toMatchObject({
      code: 'SLUICE-CSV-0008',
    });
    const { rows, positions } = await readStream(sourceOf({ path: `b.jsonl.${ending}` }), 'b');
    expect([rows, positions.length]).toEqual([[], 1]);
  });
});

describe('other programs', () => {
  needsPythonReaders();

  test('what Python has appended to, member by member, is read whole', async () => {
    const script = `
import gzip, sys
for i in range(50):
    with gzip.open(sys.argv[1], 'at') as f: f.write('{"i":%d}\\n' % i)`;
    await write({ 'a.jsonl.gz': '' });
    execFileSync(await pythonWithReaders(), ['-c', script, `${folder}/a.jsonl.gz`]);
    const { rows } = await readStream(sourceOf({ path: 'a.jsonl.gz' }), 'a');
    expect(rows).toEqual(Array.from({ length: 50 }, (_, i) => ({ i: BigInt(i) })));
  });
});

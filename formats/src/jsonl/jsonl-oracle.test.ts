/** JSON Lines against Python's json module, which keeps every digit when asked to. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { columnValues, types, type Value } from '@sluice/sdk';
import { needsPythonReaders, pythonWithReaders } from '@sluice/test';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readJson, readRawJson } from './read.js';

const run = promisify(execFile);

describe('JSON Lines as Python reads and writes them', () => {
  needsPythonReaders();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-json-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('what Python writes, escaped and not', async () => {
    const texts = fc.sample(fc.string({ unit: 'grapheme', maxLength: 15 }), { numRuns: 300, seed: 5 });
    const input = join(folder, 'texts.json');
    await writeFile(input, JSON.stringify(texts));
    for (const escaped of ['True', 'False']) {
      const script = `import json,sys\nfor t in json.load(open(sys.argv[1],encoding="utf-8")): sys.stdout.buffer.write((json.dumps({"t":t,"n":2**60+1},ensure_ascii=${escaped})+"\\n").encode())`;
      const { stdout } = await run(await pythonWithReaders(), ['-c', script, input], { encoding: 'buffer' });
      const fields = [types.field('t', types.string), types.field('n', types.int64)];
      const source = async function* () {
        yield stdout;
      };
      const seen: Value[] = [];
      for await (const { columns, rowCount } of readJson(source(), fields, { file: 'py', batchBytes: 100 })) {
        seen.push(...columnValues(types.string, columns[0]!));
        expect(columnValues(types.int64, columns[1]!)).toEqual(Array(rowCount).fill(2n ** 60n + 1n));
      }
      expect(seen).toEqual(texts);
      const documents: Value[] = [];
      for await (const { columns } of readRawJson(source(), { file: 'py' })) {
        documents.push(...columnValues(types.json, columns[0]!));
      }
      expect(documents).toEqual(stdout.toString().trimEnd().split('\n'));
    }
  });
});

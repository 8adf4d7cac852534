/** Text files in other encodings, as other programs write them. */
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import type { Row } from '@sluice/sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  context,
  makeFolder,
  readOf,
  readStream,
  removeFolder,
  sourceOf,
  typesOf,
  write,
} from './source-folder.js';

beforeEach(makeFolder);
afterEach(removeFolder);

const count = 30;
const rowsOf = (word: string) =>
  Array.from({ length: count }, (_, i) => ({ id: BigInt(i), wört: `${word} ${i}` }));
const csvOf = (word: string) =>
  `id,wört\n${rowsOf(word)
    .map(({ id, wört }) => `${id},"${wört}"\n`)
    .join('')}`;
const jsonOf = (word: string) =>
  rowsOf(word)
    .map(({ id, wört }) => `{"id":${id},"wört":"${wört}"}\n`)
    .join('');

function encode(text: string, encoding: string): Buffer {
  return execFileSync('iconv', ['-f', 'UTF-8', '-t', encoding], { input: text });
}

describe.each([
  ['csv', 'latin1', 'WINDOWS-1252', '“5 €”', csvOf],
  ['csv.gz', 'windows-1252', 'WINDOWS-1252', 'Œuvre', csvOf],
  ['jsonl', 'gb18030', 'GB18030', '中文 😀', jsonOf],
  ['csv', 'utf-16be', 'UTF-16BE', '日本 😀', csvOf],
  // The C library's UTF-16 has a byte order mark.
  ['csv', undefined, 'UTF-16', '日本 😀', csvOf],
  ['jsonl.gz', undefined, 'UTF-16', '日本 😀', jsonOf],
  ['json', 'utf-16', 'UTF-16', '😀', (word: string) => `[${jsonOf(word).trim().replaceAll('\n', ',\n')}]`],
] as const)('%s, %s', (ending, encoding, others, word, content) => {
  test('all rows, and the same ones from every checkpoint on', async () => {
    const bytes = encode(content(word), others);
    await write({ [`a.${ending}`]: ending.endsWith('.gz') ? gzipSync(bytes) : bytes });
    const source = sourceOf({ path: `a.${ending}`, ...(encoding !== undefined && { encoding }) });
    expect(await typesOf(source, 'a')).toEqual({ id: 'int64', wört: 'string' });
    const { rows, positions, splits } = await readStream(source, 'a', { batchRows: 7 });
    expect(rows).toEqual(rowsOf(word));
    const reads = [readOf(await source.discover(undefined, context()), 'a')];
    for (const [i, at] of positions.entries()) {
      const bounds = { cuts: positions.slice(i + 1), batchRows: 100, batchBytes: 1 << 20 };
      const reader = await source.open({ split: splits[0]!, at, reads, ...bounds }, context());
      const rest: Row[] = [];
      for await (const message of reader) if (message.kind === 'batch') rest.push(...message.rows());
      expect(rest).toEqual(rowsOf(word).slice((i + 1) * 7));
    }
  });
});

test('what is not of the encoding ends the read with the file and the place', async () => {
  const good = encode('id,名前\n1,日本\n', 'SHIFT_JIS');
  await write({ 'a.csv': Buffer.concat([good, Buffer.from('99,\x93\n', 'latin1')]) });
  await expect(readStream(sourceOf({ path: 'a.csv', encoding: 'shift_jis' }), 'a')).rejects.toMatchObject({
    code: 'SLUICE-TEXT-0001',
    class: 'data',
    details: { file: 'a.csv', offset: good.byteLength + 3 },
  });
});

test('an encoding that is said counts more than a byte order mark', async () => {
  await write({ 'a.csv': encode('x\n1\n', 'UTF-16') });
  await expect(readStream(sourceOf({ path: 'a.csv', encoding: 'utf-8' }), 'a')).rejects.toMatchObject({
    code: 'SLUICE-CSV-0006',
  });
});

test('an encoding that there is not is refused', () => {
  expect(() => sourceOf({ path: 'a.csv', encoding: 'latin-99' })).toThrow('no encoding is called latin-99');
});

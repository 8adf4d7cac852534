import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodingOfBytes, encodingOfName, utf8Bytes } from './encoding.js';

/** Pieces in one buffer that is used again and again, as a file reader has it. */
async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.max(...sizes, 1));
  for (let at = 0, i = 0; at < bytes.byteLength; i++) {
    const part = bytes.subarray(at, at + sizes[i % sizes.length]!);
    buffer.fill(0xaa);
    buffer.set(part);
    at += part.byteLength;
    yield buffer.subarray(0, part.byteLength);
  }
}

async function decode(bytes: Uint8Array, encoding: string, sizes: readonly number[] = [7]): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of utf8Bytes(async () => pieces(bytes, sizes), encoding, 'f.csv'))
    chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

/** By the system's C library. */
function encode(text: string, encoding: string): Buffer {
  return execFileSync('iconv', ['-f', 'UTF-8', '-t', encoding], { input: text });
}

/** Texts that each encoding holds, with characters of every length that it has. */
const TEXTS: { readonly [encoding: string]: readonly [name: string, text: string] } = {
  latin1: ['WINDOWS-1252', 'naïve café “quoted” – 5 € Ÿ Ž\r\n'],
  'windows-1251': ['WINDOWS-1251', 'Привет, мир; №1\n'],
  'iso-8859-2': ['ISO-8859-2', 'Příliš žluťoučký kůň\n'],
  'koi8-r': ['KOI8-R', 'Привет\n'],
  shift_jis: ['SHIFT_JIS', 'ｱｲｳ 日本語,テスト ソ表\n'],
  'euc-jp': ['EUC-JP', '日本語,ｱ,漢字\n'],
  'iso-2022-jp': ['ISO-2022-JP', 'abc 日本語 def 日本\n'],
  gbk: ['GBK', '中文,测试\n'],
  gb18030: ['GB18030', '中文 😀 é ༀ\n'],
  big5: ['BIG5', '繁體中文,功\n'],
  'euc-kr': ['EUC-KR', '한국어,테스트\n'],
  'utf-16le': ['UTF-16LE', 'a,é,中,😀\n'],
  'utf-16be': ['UTF-16BE', 'a,é,中,😀\n'],
};

describe.each(Object.entries(TEXTS))('%s', (name, [others, text]) => {
  const encoding = encodingOfName(name)!;

  test('is read as another program has written it, wherever it is cut', async () => {
    const bytes = encode(text.repeat(20), others);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }),
        async (sizes) => {
          expect(await decode(bytes, encoding, sizes)).toBe(text.repeat(20));
        },
      ),
      { numRuns: 25 },
    );
  });
});

test('UTF-16: any text comes back, wherever it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
      async (text, sizes) => {
        const little = Buffer.from(text, 'utf16le');
        expect(await decode(little, 'utf-16le', sizes)).toBe(text);
        expect(await decode(Buffer.from(little).swap16(), 'utf-16be', sizes)).toBe(text);
      },
    ),
  );
});

test.each([
  ['half a surrogate pair', 'utf-16le', Buffer.from('ab\ud800cd', 'utf16le'), 4],
  ['the other half', 'utf-16be', Buffer.from('ab\udc00cd', 'utf16le').swap16(), 4],
  ['an odd number of bytes', 'utf-16le', Buffer.from('ab\0', 'latin1').subarray(0, 3), 2],
  ['half a pair at the end', 'utf-16le', Buffer.from('ab\ud83d', 'utf16le'), 4],
  ['a lead byte before what is none', 'shift_jis', Buffer.from('ok,\x93\xfa\x93 ', 'latin1'), 5],
  ['a lead byte at the end', 'gbk', Buffer.from('ok,\x93', 'latin1'), 3],
  ['a byte that means nothing', 'euc-kr', Buffer.from('ok\xff', 'latin1'), 2],
])('%s (%s) is a data error that says where', async (_, encoding, bytes, offset) => {
  for (const size of [1, 2, 3, 1000]) {
    await expect(decode(bytes, encoding, [size])).rejects.toMatchObject({
      code: 'SLUICE-TEXT-0001',
      class: 'data',
      message: `f.csv: what begins at byte ${offset} is not ${encoding}`,
      details: { file: 'f.csv', offset },
    });
  }
});

test('the place of a damage far inside is exact', async () => {
  const text = '日本語,テスト\n'.repeat(20_000);
  const bytes = Buffer.concat([encode(text, 'SHIFT_JIS'), Buffer.of(0x93, 0x0a), encode(text, 'SHIFT_JIS')]);
  await expect(decode(bytes, 'shift_jis', [4096])).rejects.toMatchObject({
    details: { offset: encode(text, 'SHIFT_JIS').byteLength },
  });
});

test('names and byte order marks say the encoding', () => {
  expect(['latin1', 'ISO-8859-1', 'ascii', 'sjis', 'UTF8', 'utf-16', 'x'].map(encodingOfName)).toEqual([
    'windows-1252',
    'windows-1252',
    'windows-1252',
    'shift_jis',
    'utf-8',
    'utf-16le',
    undefined,
  ]);
  expect(encodingOfBytes(Buffer.from('\ufeffa', 'utf16le'))).toBe('utf-16le');
  expect(encodingOfBytes(Buffer.from('\ufeffa', 'utf16le').swap16())).toBe('utf-16be');
  expect(encodingOfBytes(Buffer.from('\ufeffa'))).toBe('utf-8');
  expect(encodingOfBytes(Buffer.alloc(0))).toBe('utf-8');
});

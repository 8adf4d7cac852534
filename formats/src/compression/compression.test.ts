import { execFileSync } from 'node:child_process';
import { gunzipSync, gzipSync } from 'node:zlib';
import { needsPythonReaders, pythonWithReaders } from '@sluice/test';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compressTo } from './compress.js';
import { type Compression, compressionOfBytes, compressionOfPath } from './compression.js';
import { decompress } from './decompress.js';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  // One buffer again and again, as a file reader has it.
  const buffer = new Uint8Array(size);
  for (let at = 0; at < bytes.byteLength; at += size) {
    const part = bytes.subarray(at, at + size);
    buffer.set(part);
    yield buffer.subarray(0, part.byteLength);
    buffer.fill(0xaa);
  }
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function compressed(parts: readonly Uint8Array[], compression: Compression): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const out = { write: async (bytes: Uint8Array) => void chunks.push(Buffer.from(bytes)) };
  const sink = compressTo(out, compression);
  for (const part of parts) await sink.write(part);
  await sink.finish();
  return Buffer.concat(chunks);
}

describe.each(['gzip', 'zstd', 'none'] as const)('%s', (compression) => {
  test('what was compressed comes back, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 999 }),
        async (parts, size) => {
          const packed = await compressed(parts, compression);
          const plain = await collect(decompress(pieces(packed, size), compression, 'x'));
          expect(plain.equals(Buffer.concat(parts))).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('large texts come back', async () => {
    const text = Buffer.from(
      Array.from({ length: 700_000 }, (_, i) => `row ${i} ${(i * 7919) % 1013}\n`).join(''),
    );
    const parts = [text.subarray(0, 5_000_000), text.subarray(5_000_000)];
    const packed = await compressed(parts, compression);
    expect((await collect(decompress(pieces(packed, 65_536), compression, 'x'))).equals(text)).toBe(true);
  });
});

describe('other programs', () => {
  needsPythonReaders();

  test('read what is written, and their files are read', async () => {
    const text = Buffer.from('a,b\n1,2\n'.repeat(100_000));
    expect(gunzipSync(await compressed([text], 'gzip')).equals(text)).toBe(true);
    const read =
      'import sys,pyarrow as pa; i=pa.CompressedInputStream(pa.BufferReader(sys.stdin.buffer.read()),"zstd"); sys.stdout.buffer.write(i.read())';
    const input = await compressed([text, text], 'zstd');
    const theirs = execFileSync(await pythonWithReaders(), ['-c', read], { input, maxBuffer: 1 << 26 });
    expect(theirs.equals(Buffer.concat([text, text]))).toBe(true);
    const write =
      'import sys,pyarrow as pa; sys.stdout.buffer.write(pa.compress(sys.stdin.buffer.read(),"zstd",asbytes=True))';
    const packed = execFileSync(await pythonWithReaders(), ['-c', write], {
      input: text,
      maxBuffer: 1 << 26,
    });
    expect((await collect(decompress(pieces(packed, 100), 'zstd', 'x'))).equals(text)).toBe(true);
  });
});

test('several gzip members are one text', async () => {
  const packed = Buffer.concat([gzipSync('one,'), gzipSync(''), gzipSync('two')]);
  expect((await collect(decompress(pieces(packed, 7), 'gzip', 'x'))).toString()).toBe('one,two');
});

describe('what stands behind the end of a gzip file', () => {
  const member = gzipSync('one,');
  const zeros = Buffer.alloc(700);

  test.each([1, 7, 100_000])('zeros are padding, in pieces of %d', async (size) => {
    const plain = await collect(decompress(pieces(Buffer.concat([member, zeros]), size), 'gzip', 'x'));
    expect(plain.toString()).toBe('one,');
  });

  test.each([
    ['garbage', Buffer.from('garbage')],
    ['garbage behind zeros', Buffer.concat([zeros, Buffer.from('garbage')])],
    ['a member behind zeros', Buffer.concat([zeros, gzipSync('two')])],
    ['the begin of a member', Buffer.of(0x1f)],
  ])('%s is damage, not the end', async (_, behind) => {
    for (const size of [1, 7, 100_000]) {
      const packed = pieces(Buffer.concat([member, behind]), size);
      await expect(collect(decompress(packed, 'gzip', 'data.csv'))).rejects.toMatchObject({
        code: 'SLUICE-COMPRESSION-0001',
        message: expect.stringContaining('data.csv'),
      });
    }
  });
});

/** RFC 8878, section 3.1.2: frames that hold what other programs want to tell. */
function skippable(content: string): Buffer {
  const head = Buffer.of(0x53, 0x2a, 0x4d, 0x18, 0, 0, 0, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, Buffer.from(content)]);
}

test.each([1, 5, 1000])(
  'zstd frames are one text, frames to be skipped are none of it, in pieces of %d',
  async (size) => {
    const [one, two] = [
      await compressed([Buffer.from('one,')], 'zstd'),
      await compressed([Buffer.from('two')], 'zstd'),
    ];
    const whole = [
      skippable('hello'),
      one,
      skippable(''),
      skippable('x'.repeat(3000)),
      two,
      skippable('end'),
    ];
    const plain = await collect(decompress(pieces(Buffer.concat(whole), size), 'zstd', 'x'));
    expect(plain.toString()).toBe('one,two');
  },
);

/** Texts as `zstd --check` (1.5) packs them, by their length. */
const CHECKED: readonly (readonly [length: number, packed: string])[] = [
  [0, 'KLUv/SQAAQAAmenYUQ=='],
  [1, 'KLUv/QRYCQAAYVtujKk='],
  [5, 'KLUv/QRYKQAAYWJlanH4lX+c'],
  [31, 'KLUv/QRY+QAAYWJlanF6a3luZXhzcG9xdHlmb3ptY3RtaGVkZWludegEg0s='],
  [32, 'KLUv/QRYAQEAYWJlanF6a3luZXhzcG9xdHlmb3ptY3RtaGVkZWludWSDQC9r'],
  [
    100,
    'KLUv/QRYhQIAQgYTEqDFA1lzu6UJKYhKe/7//39VA+ZJwIpnFhK9OjmFtuxpUzV8hS1fhkWJNJ5LjizsgkNSwDu1X/KdoExiwLENbHDENx+UFponASueBQDk5LeX',
  ],
  [
    70000,
    'KLUv/QRYlQIAssURErC1AxR2jpDabqNM0trMMAyjIHVbkvjATuHBxEscfc5CjwrHSaOpx+qO/uwzAng3/rZt5I6weKjsAA8kkzcpBqGQgqEFWgUBAJtEhJeHKFCg0O8=',
  ],
];
const lettersOf = (length: number) =>
  Buffer.from(Array.from({ length }, (_, i) => 97 + ((i * i + Math.floor(i / 7)) % 26)));

describe('zstd checksums', () => {
  test.each(CHECKED)('of a text of %d bytes are true, and another one is damage', async (length, packed) => {
    const bytes = Buffer.from(packed, 'base64');
    for (const size of [1, 7, 100_000]) {
      const plain = await collect(decompress(pieces(bytes, size), 'zstd', 'x'));
      expect(plain.equals(lettersOf(length))).toBe(true);
    }
    for (let at = 1; at <= 4; at++) {
      const wrong = Buffer.from(bytes);
      wrong[wrong.byteLength - at]! ^= 1 << at;
      await expect(collect(decompress(pieces(wrong, 7), 'zstd', 'data.csv'))).rejects.toMatchObject({
        code: 'SLUICE-COMPRESSION-0001',
        message: 'data.csv: a checksum is wrong',
      });
    }
  });

  test('find a letter that was changed in the middle of several frames', async () => {
    const frames = CHECKED.map(([, packed]) => Buffer.from(packed, 'base64'));
    const whole = Buffer.concat(frames);
    const text = Buffer.concat(CHECKED.map(([length]) => lettersOf(length)));
    expect((await collect(decompress(pieces(whole, 11), 'zstd', 'x'))).equals(text)).toBe(true);
    // The first 31 letters stand in their frame as they are, behind its header and that of its block.
    const letter = whole.indexOf(lettersOf(31), frames[0]!.byteLength) + 10;
    whole[letter]! ^= 1;
    await expect(collect(decompress(pieces(whole, 11), 'zstd', 'x'))).rejects.toMatchObject({
      code: 'SLUICE-COMPRESSION-0001',
    });
  });
});

test.each(['gzip', 'zstd'] as const)('an empty text in %s is empty', async (compression) => {
  const packed = await compressed([], compression);
  expect((await collect(decompress(pieces(packed, 3), compression, 'x'))).byteLength).toBe(0);
  const nothing = decompress(pieces(skippable('nothing else'), 3), 'zstd', 'x');
  expect((await collect(nothing)).byteLength).toBe(0);
});

test.each(['gzip', 'zstd'] as const)(
  '%s: wherever a file is cut, what comes before the error is its begin',
  async (compression) => {
    const parts = ['first member '.repeat(20), 'second'].map((text) => Buffer.from(text));
    const members = await Promise.all(parts.map((part) => compressed([part], compression)));
    const packed = Buffer.concat(members);
    const text = Buffer.concat(parts).toString();
    for (let length = 1; length < packed.byteLength; length++) {
      let seen = '';
      const read = async () => {
        for await (const chunk of decompress(pieces(packed.subarray(0, length), 9), compression, 'x'))
          seen += Buffer.from(chunk).toString();
      };
      // Where one member ends nobody can tell that another one is missing.
      if (length === members[0]!.byteLength) await read();
      else
        await expect(read(), `cut to ${length}`).rejects.toMatchObject({ code: 'SLUICE-COMPRESSION-0001' });
      expect(text.startsWith(seen)).toBe(true);
    }
  },
);

test.each(['gzip', 'zstd'] as const)(
  'a %s file that is cut short or no such file is a data error',
  async (compression) => {
    const whole = await compressed([Buffer.from('some text '.repeat(5000))], compression);
    for (const bad of [whole.subarray(0, whole.byteLength - 5), Buffer.from('a,b\n1,2\n'), Buffer.alloc(0)]) {
      await expect(collect(decompress(pieces(bad, 64), compression, 'data.csv'))).rejects.toMatchObject({
        code: 'SLUICE-COMPRESSION-0001',
        message: expect.stringContaining('data.csv'),
      });
    }
  },
);

test('a reader that stops early frees the source', async () => {
  let freed = false;
  const packed = gzipSync(Buffer.alloc(3_000_000, 'abc'));
  async function* source() {
    try {
      yield* pieces(packed, 100);
    } finally {
      freed = true;
    }
  }
  for await (const chunk of decompress(source(), 'gzip', 'x')) {
    expect(chunk.byteLength).toBeGreaterThan(0);
    break;
  }
  expect(freed).toBe(true);
});

test('an error of the source is not taken for damage', async () => {
  async function* source() {
    yield gzipSync('x').subarray(0, 5);
    throw new Error('the network is gone');
  }
  await expect(collect(decompress(source(), 'gzip', 'x'))).rejects.toThrow('the network is gone');
});

test('compressions are told by ending and by magic number', () => {
  expect(compressionOfPath('a.CSV.GZ')).toBe('gzip');
  expect(compressionOfPath('a.zst')).toBe('zstd');
  expect(compressionOfPath('a.csv')).toBe('none');
  expect(compressionOfBytes(gzipSync(''))).toBe('gzip');
  expect(compressionOfBytes(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0))).toBe('zstd');
  expect(compressionOfBytes(Uint8Array.of(0x50, 0x2a, 0x4d, 0x18))).toBe('zstd');
  expect(compressionOfBytes(Buffer.from('id,name'))).toBe('none');
  expect(compressionOfBytes(Buffer.alloc(0))).toBe('none');
});

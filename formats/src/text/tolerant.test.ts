/** Records that cannot be read are passed over and told of, wherever blocks and batches end. */
import { createHash } from 'node:crypto';
import { columnValues, field, type Json, types, type Value } from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCsv } from '../csv/read.js';
import { readJson } from '../jsonl/read.js';
import type { TextBatch } from './table-reader.js';

const FIELDS = [
  field('id', types.int32, { nullable: false }),
  field('amount', types.decimal(8, 2)),
  field('note', types.string),
];

interface Record {
  readonly bytes: Buffer;
  readonly lines: number;
  /** The values, or the code of the error. */
  readonly is: readonly Value[] | string;
}

const line = (text: string | Buffer, is: Record['is']): Record => {
  const bytes = Buffer.concat([Buffer.from(text), Buffer.from('\n')]);
  return { bytes, lines: bytes.filter((byte) => byte === 0x0a).length, is };
};
const invalid = Buffer.from([0xc3, 0x28]);

const csvRecord = (id: number): fc.Arbitrary<Record> =>
  fc.constantFrom(
    line(`${id},1.50,plain`, [id, '1.50', 'plain']),
    line(`${id},1.50,plain`, [id, '1.50', 'plain']),
    line(`${id},1.50,plain`, [id, '1.50', 'plain']),
    line(`${id},,"two\nlines, ""quoted"""`, [id, null, 'two\nlines, "quoted"']),
    line(`${id}x,1.50,plain`, 'SLUICE-CSV-0001'),
    line(`${id},much,plain`, 'SLUICE-CSV-0001'),
    line(`x,much,both wrong`, 'SLUICE-CSV-0001'),
    line(`,1.50,no id`, 'SLUICE-CSV-0007'),
    line(`${id},1.50`, 'SLUICE-CSV-0002'),
    line(`${id},1.50,"quoted",more\n`.trimEnd(), 'SLUICE-CSV-0002'),
    line(`${id},1.50,"ab"c`, 'SLUICE-CSV-0004'),
    line(Buffer.concat([Buffer.from(`${id},1.50,`), invalid]), 'SLUICE-CSV-0006'),
  );

const jsonRecord = (id: number): fc.Arbitrary<Record> =>
  fc.constantFrom(
    line(`{"id":${id},"amount":1.50,"note":"plain"}`, [id, '1.50', 'plain']),
    line(`{"id":${id},"amount":1.50,"note":"plain"}`, [id, '1.50', 'plain']),
    line(`{"id":${id}}`, [id, null, null]),
    line(`{"id":"x","note":"plain"}`, 'SLUICE-JSON-0001'),
    line(`{"note":"no id"}`, 'SLUICE-JSON-0006'),
    line(`{"id":${id},`, 'SLUICE-JSON-0002'),
    line(`[${id}]`, 'SLUICE-JSON-0003'),
    line(
      Buffer.concat([Buffer.from(`{"id":${id},"note":"`), invalid, Buffer.from('"}')]),
      'SLUICE-JSON-0005',
    ),
  );

const recordsOf = (one: (id: number) => fc.Arbitrary<Record>) =>
  fc
    .nat(60)
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => one(i))))
    .map((records): Record[] => records);

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.slice(at, at + size);
}

interface Rejection {
  readonly code: string;
  readonly line: Json;
}

/** Rows and rejections, in the order of the file. */
async function inOrder(batches: AsyncIterable<TextBatch>): Promise<(Value[] | Rejection)[]> {
  const all: (Value[] | Rejection)[] = [];
  for await (const { columns, rowCount, rejected } of batches) {
    const values = columns.map((column, i) => columnValues(FIELDS[i]!.type, column!));
    let next = 0;
    for (let row = 0; row <= rowCount; row++) {
      for (; rejected[next]?.before === row; next++) {
        const { code, details } = rejected[next]!.error;
        all.push({ code, line: details['line']! });
      }
      if (row < rowCount) all.push(values.map((column) => column[row]!));
    }
    expect(next).toBe(rejected.length);
  }
  return all;
}

function wanted(records: readonly Record[], firstLine: number): (readonly Value[] | Rejection)[] {
  let at = firstLine;
  return records.map(({ is, lines }) => {
    const from = at;
    at += lines;
    return typeof is === 'string' ? { code: is, line: from } : is;
  });
}

const bounds = fc.record({
  piece: fc.integer({ min: 1, max: 200 }),
  batchBytes: fc.integer({ min: 4, max: 300 }),
  batchRows: fc.integer({ min: 1, max: 20 }),
});

describe('a tolerant reader', () => {
  test('of CSV keeps the good records and tells of the others, in order', async () => {
    await fc.assert(
      fc.asyncProperty(recordsOf(csvRecord), bounds, async (records, { piece, ...more }) => {
        const text = Buffer.concat([Buffer.from('id,amount,note\n'), ...records.map(({ bytes }) => bytes)]);
        const csv = await openCsv(pieces(text, piece), { file: 'a.csv', tolerant: true, ...more });
        expect(await inOrder(csv.batches(FIELDS))).toEqual(wanted(records, 2));
      }),
      { numRuns: 150 },
    );
  });

  test('of JSON Lines keeps the good records and tells of the others, in order', async () => {
    await fc.assert(
      fc.asyncProperty(recordsOf(jsonRecord), bounds, async (records, { piece, ...more }) => {
        const text = Buffer.concat(records.map(({ bytes }) => bytes));
        const batches = readJson(pieces(text, piece), FIELDS, { file: 'a.jsonl', tolerant: true, ...more });
        expect(await inOrder(batches)).toEqual(wanted(records, 1));
      }),
      { numRuns: 150 },
    );
  });

  test('takes up at a position behind bad records', async () => {
    const records = ['1,1.00,a', 'x,1.00,b', '2,2.00,c', '3', '4,4.00,d'];
    const text = Buffer.from(`id,amount,note\n${records.join('\n')}\n`);
    const first = await openCsv(pieces(text, 9), { file: 'a.csv', tolerant: true, batchRows: 2 });
    const seen: TextBatch[] = [];
    for await (const batch of first.batches(FIELDS)) seen.push(batch);
    const whole = seen.flatMap(({ rowCount, rejected }) => [rowCount, rejected.length]);
    expect(whole.reduce((sum, n) => sum + n, 0)).toBe(records.length);
    for (const [i, { position: at }] of seen.entries()) {
      const rest = pieces(text.subarray(at.offset), 9);
      const options = { file: 'a.csv', tolerant: true, batchRows: 2, at, names: first.columns };
      const again = await openCsv(rest, options);
      const later: number[] = [];
      for await (const { rowCount, rejected } of again.batches(FIELDS)) later.push(rowCount, rejected.length);
      const behind = seen.slice(i + 1).flatMap(({ rowCount, rejected }) => [rowCount, rejected.length]);
      expect(later.reduce((sum, n) => sum + n, 0)).toBe(behind.reduce((sum, n) => sum + n, 0));
    }
  });

  test('passes over a record that is too large to hold, and says what it was', async () => {
    const large = `{"id":2,"note":"${'y'.repeat(5_000_000)}"}\n`;
    const before = '{"id":1}\n';
    const text = Buffer.from(`${before}${large}{"id":3}\n`);
    const options = { file: 'a.jsonl', tolerant: true, maxRecordBytes: 100_000, batchBytes: 1 << 16 };
    const rejected: { error: { code: string; details: Json }; payload: Json }[] = [];
    const ids: Value[] = [];
    for await (const batch of readJson(pieces(text, 10_000), FIELDS, options)) {
      ids.push(...columnValues(types.int32, batch.columns[0]!));
      for (const { error, payload } of batch.rejected)
        rejected.push({ error: { code: error.code, details: { ...error.details } }, payload });
    }
    expect(ids).toEqual([1, 3]);
    const sha256 = createHash('sha256').update(large).digest('hex');
    expect(rejected).toEqual([
      {
        error: { code: 'SLUICE-JSON-0004', details: { file: 'a.jsonl', line: 2, offset: before.length } },
        payload: { offset: before.length, length: large.length, sha256 },
      },
    ]);
  });

  test('passes over items of an array that are too large to hold, whatever is in them and however they are cut', async () => {
    const part = fc.constantFrom('"\\""', '"\\\\"', '"a]}b,"', '[1,{}]', '\n1', '{"x":[]}', ' 2 ');
    const large = fc.oneof(
      fc.array(part, { minLength: 30, maxLength: 50 }).map((parts) => `{"id":0,"note":[${parts.join(',')}]}`),
      fc.constantFrom(`"${'\\"],'.repeat(50)}"`, `[${'[['.repeat(40)}${']]'.repeat(40)}]`),
    );
    const item = fc.oneof(
      fc.nat(9).map((id) => ({ text: `{"id":${id}}`, id })),
      large.map((text) => ({ text, id: undefined })),
    );
    const space = fc.constantFrom('', ' ', '\n', ' \n ');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(space, item, space), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 40 }),
        async (items, size) => {
          let text = '[';
          const expected = items.map(([before, { text: own, id }, behind], i) => {
            text += before;
            const [offset, line] = [text.length, text.split('\n').length];
            text += `${own}${behind}${i + 1 < items.length ? ',' : ''}`;
            const sha256 = createHash('sha256').update(own).digest('hex');
            return id ?? { line, payload: { offset, length: own.length, sha256 } };
          });
          const limits = { maxRecordBytes: 16, batchBytes: 8 };
          const options = { file: 'a.json', layout: 'array', tolerant: true, ...limits } as const;
          const seen: unknown[] = [];
          for await (const batch of readJson(
            pieces(Buffer.from(`${text}]\n`), size),
            FIELDS.slice(0, 1),
            options,
          )) {
            const ids = columnValues(types.int32, batch.columns[0]!);
            let taken = 0;
            for (const { before, error, payload } of batch.rejected) {
              seen.push(...ids.slice(taken, before), { line: error.details['line'], payload });
              taken = before;
            }
            seen.push(...ids.slice(taken));
          }
          expect(seen).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('looks through a column that is wrong all over in one pass', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => `x${i},1.00,a`);
    const csv = await openCsv(pieces(Buffer.from(`id,amount,note\n${rows.join('\n')}\n`), 4096), {
      file: 'a.csv',
      tolerant: true,
    });
    const all = await inOrder(csv.batches(FIELDS));
    expect(all).toHaveLength(3000);
    expect(all.every((one) => 'code' in one)).toBe(true);
  });

  test('a quote that is never closed costs its own line', async () => {
    const text = Buffer.from('id,amount,note\n1,1.00,a\n2,2.00,"open\n3,3.00,c\n');
    const csv = await openCsv(pieces(text, 7), { file: 'a.csv', tolerant: true });
    expect(await inOrder(csv.batches(FIELDS))).toEqual([
      [1, '1.00', 'a'],
      { code: 'SLUICE-CSV-0003', line: 3 },
      [3, '3.00', 'c'],
    ]);
  });
});

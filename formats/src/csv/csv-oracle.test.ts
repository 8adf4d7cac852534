/** CSV against readers and writers that others wrote: Python's csv module and DuckDB. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Column, columnOf, columnValues, formatType, types, type Value } from '@sluice/sdk';
import { needsPythonReaders, pythonWithReaders } from '@sluice/test';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LocalStorage } from '../storage/local.js';
import { sampleCsv } from './infer.js';
import { openCsv } from './read.js';
import { CsvWriter } from './write.js';

const data = fileURLToPath(new URL('../../../node_modules/vega-datasets/data', import.meta.url));
const run = promisify(execFile);

async function python(script: string, ...args: string[]): Promise<unknown> {
  const { stdout } = await run(await pythonWithReaders(), ['-c', script, ...args], { maxBuffer: 1 << 28 });
  return JSON.parse(stdout);
}

const READ_CSV =
  'import csv,json,sys; json.dump(list(csv.reader(open(sys.argv[1],newline="",encoding="utf-8-sig"))),sys.stdout)';

describe('CSV as others read and write it', () => {
  needsPythonReaders();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-csv-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([
    'airports.csv',
    'birdstrikes.csv',
    'github.csv',
    'species.csv',
    'zipcodes.csv',
    'us-employment.csv',
  ])('every field of %s is what Python reads', async (name) => {
    const path = join(data, name);
    const [header, ...expected] = (await python(READ_CSV, path)) as string[][];
    const csv = await openCsv(new LocalStorage(data).read(name), { file: name, empty: 'text' });
    expect(csv.columns).toEqual(header);
    const rows: Value[][] = [];
    for await (const batch of csv.batches(csv.columns.map((column) => types.field(column, types.string)))) {
      const values = batch.columns.map((column) => columnValues(types.string, column!));
      for (let i = 0; i < batch.rowCount; i++) rows.push(values.map((column) => column[i]!));
    }
    expect(rows).toEqual(expected);
  });

  test('typed columns add up to what DuckDB computes from the same file', async () => {
    const file = (name: string) => openCsv(new LocalStorage(data).read(name), { file: name });
    const sample = await sampleCsv(await file('birdstrikes.csv'), 20_000, 1 << 24);
    const csv = await file('birdstrikes.csv');
    const fields = csv.columns.map((name, i) => types.field(name, sample.guesses[i]!.type(sample.whole)));
    const at = (name: string) => csv.columns.indexOf(name);
    expect(formatType(fields[at('Flight Date')]!.type)).toBe('date');
    expect(formatType(fields[at('Speed IAS in knots')]!.type)).toBe('int64');
    let [rows, cost, speeds, days] = [0, 0n, 0, 0];
    for await (const batch of csv.batches(fields)) {
      rows += batch.rowCount;
      for (const value of columnValues(types.int64, batch.columns[at('Cost Total $')]!))
        cost += value as bigint;
      for (const value of columnValues(types.int64, batch.columns[at('Speed IAS in knots')]!))
        if (value !== null) speeds++;
      for (const value of columnValues(types.date, batch.columns[at('Flight Date')]!))
        days += value as number;
    }
    const sql = `select count(*), sum("Cost Total $"), count("Speed IAS in knots"),
      sum(datediff('day', date '1970-01-01', "Flight Date")) from read_csv('${join(data, 'birdstrikes.csv')}')`;
    const script =
      'import duckdb,json,sys; print(json.dumps([str(v) for v in duckdb.sql(sys.argv[1]).fetchone()]))';
    expect(await python(script, sql)).toEqual([rows, cost, speeds, days].map(String));
  });

  test('Python reads what we write, and we read what Python writes', async () => {
    const cell = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 10 }),
      fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a'), maxLength: 6 }),
    );
    const tables = fc.sample(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 30 }), {
      numRuns: 40,
      seed: 7,
    });
    const fields = ['a', 'b', 'c'].map((name) => types.field(name, types.string));
    for (const [i, rows] of tables.entries()) {
      const columns = fields.map((f, c) =>
        columnOf(
          f,
          rows.map((row) => row[c]!),
        ),
      );
      const writer = new CsvWriter(fields);
      const path = join(folder, `${i}.csv`);
      await writeFile(path, Buffer.concat([writer.header(), writer.write(columns, rows.length)]));
      await writeFile(join(folder, `${i}.json`), JSON.stringify(rows));
    }
    const script =
      'import csv,json,sys,os\nout=[]\nd=sys.argv[1]\nfor i in range(int(sys.argv[2])):\n' +
      '  out.append(list(csv.reader(open(f"{d}/{i}.csv",newline="",encoding="utf-8"))))\n' +
      '  w=csv.writer(open(f"{d}/{i}.py.csv","w",newline="",encoding="utf-8"))\n  w.writerow("abc")\n' +
      '  w.writerows(json.load(open(f"{d}/{i}.json")))\njson.dump(out,sys.stdout)';
    const theirs = (await python(script, folder, String(tables.length))) as string[][][];
    for (const [i, rows] of tables.entries()) {
      expect(theirs[i]).toEqual([['a', 'b', 'c'], ...rows]);
      const bytes = await readFile(join(folder, `${i}.py.csv`));
      const csv = await openCsv(
        (async function* () {
          yield bytes;
        })(),
        { file: 'py', empty: 'text' },
      );
      const read: Value[][] = [];
      for await (const batch of csv.batches(fields)) {
        const values = (batch.columns as Column[]).map((column) => columnValues(types.string, column));
        for (let row = 0; row < batch.rowCount; row++) read.push(values.map((column) => column[row]!));
      }
      expect(read).toEqual(rows);
    }
  });
});

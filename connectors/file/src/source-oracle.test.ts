import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { needsPythonReaders, pythonWithReaders } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { context, data, makeFolder, readOf, readStream, removeFolder, sourceOf } from './source-folder.js';

beforeEach(makeFolder);
afterEach(removeFolder);

describe('real files, as Python reads them', () => {
  needsPythonReaders();

  async function python(script: string): Promise<unknown> {
    return JSON.parse(
      execFileSync(await pythonWithReaders(), ['-c', script], { maxBuffer: 1 << 28 }).toString(),
    );
  }

  test('movies.json: an array of objects', async () => {
    const path = join(data, 'movies.json');
    const { rows } = await readStream(sourceOf({ path }), 'movies');
    const expected = (await python(
      `import json; print(json.dumps(json.load(open('${path}'), parse_float=str)))`,
    )) as { [name: string]: unknown }[];
    const wanted = expected.map((movie) =>
      Object.fromEntries(
        Object.entries(movie).map(([name, value]) => {
          if (name === 'Title' && value !== null) return [name, String(value)];
          if (name === 'IMDB Rating' && value !== null) return [name, Number(value).toFixed(1)];
          return [name, typeof value === 'number' ? BigInt(value) : value];
        }),
      ),
    );
    expect(rows).toEqual(wanted);
  });

  test('flights-3m.parquet: counts and sums', async () => {
    const path = join(data, 'flights-3m.parquet');
    const source = sourceOf({ path });
    const read = readOf(await source.discover(undefined, context()), 'flights-3m');
    const { schema } = read;
    let [rows, delay, distance, dates] = [0, 0n, 0n, 0n];
    for await (const split of source.splits([read], [], context())) {
      const reader = await source.open(
        { split, at: split.start, cuts: [], reads: [read], batchRows: 65_536, batchBytes: 8 << 20 },
        context(),
      );
      for await (const message of reader) {
        if (message.kind !== 'batch') continue;
        rows += message.rowCount;
        const sum = (name: string) => {
          const column = message.column(schema.fields.findIndex((f) => f.name === name));
          if (column.data.layout !== 'fixed') throw new TypeError(name);
          let total = 0n;
          for (const value of column.data.values) total += BigInt(value);
          return total;
        };
        delay += sum('delay');
        distance += sum('distance');
        dates += sum('date');
      }
      await reader.close();
    }
    const script = `import duckdb,json; print(json.dumps([str(v) for v in duckdb.sql("select count(*), sum(delay), sum(distance), sum(epoch_us(date)::hugeint) from '${path}'").fetchone()]))`;
    expect(await python(script)).toEqual([rows, delay, distance, dates].map(String));
  });
});

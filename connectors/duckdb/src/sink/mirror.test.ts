/** A mirror touches only the rows that differ, and shows each generation whole. */
import { expect, it } from 'vitest';
import { load, SinkJobRun, sql } from '../testing/harness.js';
import { inFile, kept, people, SCHEMA, target } from '../testing/people.js';

const mirror = { write: 'mirror' } as const;

it('shows a generation when it is published, and deletes what it lacks', async () => {
  await inFile(async (file) => {
    await load(file, SCHEMA, [people([1, 'one', 1n], [2, 'two', 2n], [3, 'three', 3n])], mirror);
    const run = await SinkJobRun.start(file, SCHEMA, { ...mirror, generation: 2, fence: 2n });
    expect(run.plan.publish).toBe('merge');
    await run.commit([people([2, 'two', 2n], [3, null, 3n], [4, 'four'])]);
    expect(await kept(run, 'SELECT count(*)::INTEGER AS n FROM main.target')).toEqual([{ n: 3 }]);
    await run.publish();
    await run.publish();
    await run.end();
    expect(await target(file)).toEqual([
      { id: 2, name: 'two', n: '2' },
      { id: 3, name: null, n: '3' },
      { id: 4, name: 'four', n: null },
    ]);
    const left = await sql(
      file,
      "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '\\_sluice\\_%\\_g%' ESCAPE '\\'",
    );
    expect(left).toEqual([]);
  });
});

it('leaves a column that is not the stream’s, a key and an index in peace', async () => {
  await inFile(async (file) => {
    await sql(
      file,
      "CREATE TABLE target (id INTEGER PRIMARY KEY, name VARCHAR, n BIGINT, mine VARCHAR DEFAULT 'new')",
      'CREATE INDEX by_name ON target (name)',
      "INSERT INTO target VALUES (1, 'one', 1, 'a'), (2, 'two', 2, 'b'), (9, 'nine', 9, 'z')",
    );
    await load(file, SCHEMA, [people([1, 'one', 1n], [2, 'other', 2n], [3, 'three', 3n])], mirror);
    expect(await target(file)).toEqual([
      { id: 1, name: 'one', n: '1', mine: 'a' },
      { id: 2, name: 'other', n: '2', mine: 'b' },
      { id: 3, name: 'three', n: '3', mine: 'new' },
    ]);
  });
});

it('refuses a generation without rows over a table that has some', async () => {
  await inFile(async (file) => {
    await load(file, SCHEMA, [people([1, 'one', 1n])], mirror);
    const run = await SinkJobRun.start(file, SCHEMA, { ...mirror, generation: 2, fence: 2n });
    await expect(run.publish()).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0023' });
    await run.end();
    expect(await target(file)).toHaveLength(1);
  });
});

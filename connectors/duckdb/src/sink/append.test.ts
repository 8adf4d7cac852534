/** Appending. */
import { describe, expect, it } from 'vitest';
import { SinkJobRun, sql } from '../testing/harness.js';
import { inFile, people, SCHEMA, target } from '../testing/people.js';

describe('append', () => {
  it('adds rows in the order in which they came, over several epochs', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      const writer = await run.writer();
      await writer.write(people([3, 'c'], [1, 'a']));
      await writer.commit(run.epoch(2));
      await writer.write(people([2, 'b']));
      await writer.write(people([1, 'again']));
      await writer.commit(run.epoch({ at: 4 }, true));
      await writer.close();
      await run.end();
      const rows = await sql(file, 'SELECT id, name FROM main.target ORDER BY rowid');
      expect(rows.map((row) => [row['id'], row['name']])).toEqual([
        [3, 'c'],
        [1, 'a'],
        [2, 'b'],
        [1, 'again'],
      ]);
      const [commit] = await sql(file, 'SELECT epoch, generation, position, sealed FROM _sluice_commits');
      expect(commit).toEqual({ epoch: '2', generation: '1', position: '{"at":4}', sealed: true });
    });
  });

  it('forgets what was aborted, and what was not committed when the writer closes', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      const writer = await run.writer();
      await writer.write(people([1, 'aborted']));
      await writer.abort();
      await writer.write(people([2, 'kept']));
      await writer.commit(run.epoch(1));
      await writer.write(people([3, 'left']));
      await writer.close();
      await run.end();
      expect(await target(file)).toEqual([{ id: 2, name: 'kept', n: null }]);
    });
  });

  it('lets several lanes append to one table at once', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      const lanes = await Promise.all(
        [0, 1, 2].map(async (lane) => {
          const split = { ...run.split, id: `people:${lane}` };
          const writer = await run.sink.open(
            { job: run.job, split, generation: 1, tables: [run.plan] },
            run.c,
          );
          if (writer.protocol !== 'atomic') throw new Error('the sink is atomic');
          return { split, writer, lane };
        }),
      );
      await Promise.all(
        lanes.map(async ({ split, writer, lane }) => {
          for (let number = 1; number <= 5; number++) {
            for (let i = 0; i < 4; i++) await writer.write(people([lane * 1000 + number * 10 + i, 'x']));
            const epoch = {
              split,
              number,
              generation: 1,
              fence: 1n,
              version: 0n,
              position: number,
              sealed: number === 5,
            };
            await writer.commit(epoch);
          }
          await writer.close();
        }),
      );
      await run.end();
      expect(await target(file)).toHaveLength(60);
      const commits = await sql(
        file,
        'SELECT split, epoch FROM _sluice_commits WHERE epoch > 0 ORDER BY split',
      );
      expect(commits).toEqual([0, 1, 2].map((lane) => ({ split: `people:${lane}`, epoch: '5' })));
    });
  });

  it('refuses to take rows back', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      const cleared = run.commit([people([1, 'a']), { kind: 'clear', stream: 'people' }]);
      await expect(cleared).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0025' });
      await run.end();
    });
  });
});

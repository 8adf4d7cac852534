/** What the sink remembers, and whom it refuses. */
import { describe, expect, it } from 'vitest';
import duckdb from '../index.js';
import { SinkJobRun, testContext } from '../testing/harness.js';
import { inFile, people, SCHEMA, target } from '../testing/people.js';

describe('records', () => {
  it('fence off an older run in the same process, whatever it has open', async () => {
    await inFile(async (file) => {
      const old = await SinkJobRun.start(file, SCHEMA);
      const writer = await old.writer();
      await writer.write(people([1, 'zombie']));
      const young = await SinkJobRun.start(file, SCHEMA, { fence: 2n });
      await expect(writer.commit(old.epoch(1))).rejects.toMatchObject({
        code: 'SLUICE-DUCKDB-0011',
        class: 'contract',
      });
      const verbs = [
        () => old.sink.adopt(old.job, { streams: {}, splits: {} }, old.c),
        () => old.sink.applySchema(old.job, old.plan, 1, old.c),
        () => old.publish(),
      ];
      for (const verb of verbs) await expect(verb()).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0011' });
      await young.commit([people([2, 'young'])]);
      await writer.close();
      await old.end();
      await young.end();
      expect(await target(file)).toEqual([{ id: 2, name: 'young', n: null }]);
    });
  });

  it('give the fence as it was found, and are not raised by a lower one', async () => {
    await inFile(async (file) => {
      const c = testContext();
      const sink = duckdb.sink!.create(duckdb.config.parse({ path: file }));
      const attach = (fence: bigint) => sink.attach({ id: 'j', source: 's', fence }, c);
      expect(await attach(5n)).toBeUndefined();
      expect((await attach(7n))?.fence).toBe(5n);
      expect((await attach(6n))?.fence).toBe(7n);
      expect((await attach(7n))?.fence).toBe(7n);
      await sink.close?.();
    });
  });

  it('take a repeated epoch as done, and refuse one of a passed generation', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      const writer = await run.writer();
      const epoch = run.epoch(1);
      await writer.write(people([1, 'once']));
      await writer.commit(epoch);
      await writer.write(people([1, 'once']));
      await writer.commit(epoch);
      const newer = { split: run.split, generation: 2, epoch: 0, position: 0, sealed: false };
      await run.sink.adopt(
        run.job,
        { streams: { people: { generation: 2, published: false } }, splits: { [run.split.id]: newer } },
        run.c,
      );
      await writer.write(people([2, 'late']));
      await expect(writer.commit(run.epoch(2))).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0012' });
      await writer.close();
      await run.end();
      expect(await target(file)).toEqual([{ id: 1, name: 'once', n: null }]);
    });
  });

  it('are never set back by adoption, and forget other generations of adopted streams only', async () => {
    await inFile(async (file) => {
      const run = await SinkJobRun.start(file, SCHEMA);
      await run.commit([people([1, 'a'])], 'far');
      const other = { id: 'other', streams: ['other'], phase: 'bulk' as const, start: 0, spec: null };
      const record = (split: typeof other, generation: number, epoch: number, position: string) => ({
        split,
        generation,
        epoch,
        position,
        sealed: false,
      });
      const adopt = (streams: object, splits: object) =>
        run.sink.adopt(run.job, { streams, splits } as never, run.c);
      await adopt({ other: { generation: 4, published: true } }, { other: record(other, 4, 3, 'there') });
      await adopt(
        { people: { generation: 1, published: false } },
        { 'people:0': record({ ...other, id: 'people:0', streams: ['people'] }, 1, 0, 'near') },
      );
      const attached = await run.sink.attach({ ...run.job, fence: 2n }, run.c);
      expect(attached?.splits['people:0']).toMatchObject({ epoch: 1, position: 'far' });
      expect(attached?.splits['other']).toMatchObject({ epoch: 3, position: 'there' });
      const next = { ...run.job, fence: 2n };
      await run.sink.adopt(
        next,
        { streams: { people: { generation: 2, published: false } }, splits: {} },
        run.c,
      );
      const after = await run.sink.attach(next, run.c);
      expect(after?.streams).toEqual({
        people: { generation: 2, published: false },
        other: { generation: 4, published: true },
      });
      expect(Object.keys(after!.splits)).toEqual(['other']);
      await run.end();
    });
  });
});

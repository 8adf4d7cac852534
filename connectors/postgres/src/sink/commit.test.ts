/** The rows of the tables in docs/design/postgres-commit.md, one test each, by their letters. */
import { describeWithServer, FaultProxy, postgresCommits, psql } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSink } from '../testing/open.js';
import { batchOf, begin, epoch, jobOf, openWriter, orders, planFor, split } from '../testing/sink-lane.js';
import type { PostgresSink } from './postgres-sink.js';

const c = testContext();
const job = jobOf(1n);

describeWithServer('postgres-15', (server) => {
  let url: string;
  let sink: PostgresSink;
  let proxy: FaultProxy;
  /** The same database through the proxy. */
  let through: PostgresSink;

  beforeEach(async () => {
    url = await server().createDatabase();
    sink = openSink(url, { lockTimeout: 300 });
    proxy = await FaultProxy.start(url, postgresCommits);
    through = openSink(proxy.through(url));
  });
  afterEach(async () => {
    await through.close();
    await sink.close();
    await proxy.stop();
  });

  const count = async () => Number(await psql(url, 'SELECT count(*) FROM orders'));
  const position = async (fence = 99n) => (await sink.attach(jobOf(fence), c))?.splits['a']?.position;
  const terminate = (state: string) =>
    psql(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${state}`,
    );

  it('goes on with tables that an earlier version has made', async () => {
    const plan = await planFor(sink);
    await begin(sink, plan, job);
    await psql(url, 'ALTER TABLE _sluice_streams DROP COLUMN filled');
    await sink.close();
    sink = openSink(url, { lockTimeout: 300 });
    const again = await planFor(sink);
    await begin(sink, again, jobOf(2n));
    expect(await psql(url, 'SELECT filled IS NULL FROM _sluice_streams')).toBe('t');
  });

  describe('one run', () => {
    it('commits rows and their place together', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(sink, plan, job);
      await writer.write(batchOf(orders(0, 100)));
      await writer.write(batchOf(orders(100, 150)));
      expect(await count()).toBe(0);
      await writer.commit(epoch(job, 1));
      expect(await count()).toBe(150);
      await writer.write(batchOf(orders(150, 160)));
      await writer.commit(epoch(job, 2, { sealed: true }));
      await writer.close();
      expect(await count()).toBe(160);
      const record = await sink.attach(jobOf(2n), c);
      expect(record).toEqual({
        source: 'postgres:1/2',
        fence: 1n,
        streams: { 'shop.orders': { generation: 1, published: false } },
        splits: { a: { split: split('a'), generation: 1, epoch: 2, position: { at: 2 }, sealed: true } },
      });
    });

    it('commits a place without rows', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(sink, plan, job);
      await writer.commit(epoch(job, 1));
      await writer.close();
      expect(await position()).toEqual({ at: 1 });
    });

    it('forgets rows that were given up, and goes on', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(sink, plan, job);
      await writer.write(batchOf(orders(0, 10)));
      await writer.abort();
      await writer.write(batchOf(orders(10, 15)));
      await writer.commit(epoch(job, 1));
      await writer.close();
      expect(await psql(url, 'SELECT min(id), count(*) FROM orders')).toBe('10|5');
    });

    it('A: a connection that breaks while rows are copied leaves nothing', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(through, plan, job);
      await writer.write(batchOf(orders(0, 1000)));
      proxy.cut();
      const failure = { class: 'transient', code: 'SLUICE-PG-0010' };
      await expect(writer.commit(epoch(job, 1))).rejects.toMatchObject(failure);
      await expect(writer.write(batchOf(orders(0, 1)))).rejects.toMatchObject(failure);
      await writer.close();
      expect(await count()).toBe(0);
      expect(await position()).toBeUndefined();
    });

    it('A: a session that is ended while rows are copied leaves nothing', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(sink, plan, job);
      await writer.write(batchOf(orders(0, 1000)));
      await terminate("query LIKE 'COPY%'");
      await expect(writer.commit(epoch(job, 1))).rejects.toMatchObject({
        class: 'transient',
        code: 'SLUICE-PG-0011',
      });
      await writer.close();
      expect(await count()).toBe(0);
    });

    it('C: a session that ends before COMMIT arrives leaves nothing', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(through, plan, job);
      await writer.write(batchOf(orders(0, 1000)));
      const holding = proxy.holdRequest();
      const commit = writer.commit(epoch(job, 1)).catch((error: unknown) => error);
      await holding;
      await terminate("state = 'idle in transaction'");
      expect(await commit).toMatchObject({ class: 'transient' });
      await writer.close();
      expect(await count()).toBe(0);
      expect(await position()).toBeUndefined();
    });

    it('D: a COMMIT whose reply is lost is an error, and the record tells that it happened', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(through, plan, job);
      await writer.write(batchOf(orders(0, 1000)));
      const lost = proxy.loseReply();
      await expect(writer.commit(epoch(job, 1))).rejects.toMatchObject({
        class: 'transient',
        code: 'SLUICE-PG-0010',
      });
      await lost;
      await writer.close();
      expect(await position()).toEqual({ at: 1 });
      expect(await count()).toBe(1000);
    });

    it('E: attach waits for a COMMIT that is on its way', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(through, plan, job);
      await writer.write(batchOf(orders(0, 1000)));
      const holding = proxy.holdRequest();
      const commit = writer.commit(epoch(job, 1));
      const held = await holding;
      await expect(sink.attach(jobOf(2n), c)).rejects.toMatchObject({
        class: 'transient',
        code: 'SLUICE-PG-0013',
      });
      const patient = openSink(url, { lockTimeout: 20_000 });
      const attached = patient.attach(jobOf(2n), c);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await held.deliver();
      await commit;
      expect((await attached)?.splits['a']?.position).toEqual({ at: 1 });
      await patient.close();
      await writer.close();
      expect(await count()).toBe(1000);
    });

    it('E: attach waits for a COMMIT that lands after its writer is gone, and finds what it did', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(through, plan, job);
      await writer.write(batchOf(orders(0, 1000)));
      const holding = proxy.holdRequest();
      const commit = writer.commit(epoch(job, 1)).catch((error: unknown) => error);
      const held = await holding;
      held.cutClient();
      expect(await commit).toMatchObject({ class: 'transient', code: 'SLUICE-PG-0010' });
      await writer.close();
      const patient = openSink(url, { lockTimeout: 20_000 });
      const attached = patient.attach(jobOf(2n), c);
      await expect
        .poll(() => psql(url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
        .toBe('1');
      await held.deliver();
      expect((await attached)?.splits['a']?.position).toEqual({ at: 1 });
      await patient.close();
      expect(await count()).toBe(1000);
    });

    it('G: an epoch that is repeated changes nothing', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      for (const number of [1, 2, 1, 2]) {
        const writer = await openWriter(sink, plan, job);
        await writer.write(batchOf(orders(number * 100, number * 100 + 10)));
        await writer.commit(epoch(job, number));
        await writer.close();
      }
      expect(await count()).toBe(20);
      expect(await position()).toEqual({ at: 2 });
    });

    it('H: a place that was taken away is written anew', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(sink, plan, job);
      await writer.commit(epoch(job, 1));
      await psql(url, 'DELETE FROM _sluice_commits');
      await writer.commit(epoch(job, 2));
      await writer.close();
      expect(await position()).toEqual({ at: 2 });
    });
  });

  describe('two runs', () => {
    const newer = jobOf(5n);

    it('I: rows of an old run are refused once a new one has attached', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const zombie = await openWriter(sink, plan, job);
      await zombie.write(batchOf(orders(0, 1000)));
      await begin(sink, plan, newer);
      await expect(zombie.commit(epoch(job, 1))).rejects.toMatchObject({
        class: 'contract',
        code: 'SLUICE-PG-0024',
      });
      await zombie.close();
      expect(await count()).toBe(0);
      const writer = await openWriter(sink, plan, newer);
      await writer.write(batchOf(orders(0, 10)));
      await writer.commit(epoch(newer, 1));
      await writer.close();
      expect(await count()).toBe(10);
    });

    it('K: a fence that is not greater is left as it is', async () => {
      await sink.attach(newer, c);
      for (const fence of [1n, 4n, 5n]) expect((await sink.attach(jobOf(fence), c))?.fence).toBe(5n);
      expect((await sink.attach(jobOf(6n), c))?.fence).toBe(5n);
      expect((await sink.attach(jobOf(7n), c))?.fence).toBe(6n);
    });

    it('L: an old run can neither change tables, nor adopt, nor publish', async () => {
      const plan = await planFor(sink, { write: 'replace' });
      await begin(sink, plan, job);
      await begin(sink, plan, newer);
      const refused = { class: 'contract', code: 'SLUICE-PG-0024' };
      const record = { streams: { 'shop.orders': { generation: 9, published: false } }, splits: {} };
      await expect(sink.adopt(job, record, c)).rejects.toMatchObject(refused);
      await expect(sink.applySchema(job, plan, 9, c)).rejects.toMatchObject(refused);
      await expect(sink.publish(job, plan, 1, { allowEmpty: true }, c)).rejects.toMatchObject(refused);
      expect((await sink.attach(jobOf(6n), c))?.streams['shop.orders']?.generation).toBe(1);
    });

    it('M: staging that an old run still fills is not dropped under it', async () => {
      const plan = await planFor(sink, { write: 'replace' });
      await begin(sink, plan, job);
      const zombie = await openWriter(sink, plan, job);
      await zombie.write(batchOf(orders(0, 10)));
      await sink.attach(newer, c);
      const record = { streams: { 'shop.orders': { generation: 2, published: false } }, splits: {} };
      await sink.adopt(newer, record, c);
      await expect(sink.applySchema(newer, plan, 2, c)).rejects.toMatchObject({
        class: 'transient',
        code: 'SLUICE-PG-0013',
      });
      await zombie.abort();
      await sink.applySchema(newer, plan, 2, c);
      await expect(zombie.write(batchOf(orders(0, 10)))).rejects.toMatchObject({
        class: 'contract',
        code: 'SLUICE-PG-0019',
      });
      await zombie.close();
    });

    it('N: an epoch of an older generation is refused', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(sink, plan, job);
      await writer.commit(epoch(job, 1, { generation: 2 }));
      await writer.write(batchOf(orders(0, 10)));
      await expect(writer.commit(epoch(job, 9))).rejects.toMatchObject({
        class: 'contract',
        code: 'SLUICE-PG-0026',
      });
      await writer.close();
      expect(await count()).toBe(0);
    });

    it('two writers of one run commit side by side', async () => {
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writers = await Promise.all(['a', 'b', 'c'].map((id) => openWriter(sink, plan, job, id)));
      for (let number = 1; number <= 20; number++) {
        await Promise.all(
          writers.map(async (writer, i) => {
            await writer.write(batchOf(orders(i * 1000 + number * 10, i * 1000 + number * 10 + 10)));
            await writer.commit(epoch(job, number, { id: 'abc'[i]! }));
          }),
        );
      }
      await Promise.all(writers.map((writer) => writer.close()));
      expect(await psql(url, 'SELECT count(*), count(DISTINCT id) FROM orders')).toBe('600|600');
    });
  });

  describe('the record', () => {
    it('is created once by runs that begin at the same time', async () => {
      const sinks = Array.from({ length: 6 }, () => openSink(url, { schema: 'fresh' }));
      await Promise.all(sinks.map((each, i) => each.attach({ ...jobOf(1n), id: `job ${i}` }, c)));
      await Promise.all(sinks.map((each) => each.close()));
      expect(await psql(url, 'SELECT count(*) FROM fresh._sluice_jobs')).toBe('6');
    });

    it('is undefined for a job that the sink has never seen, and only then', async () => {
      expect(await sink.attach(job, c)).toBeUndefined();
      expect(await sink.attach(jobOf(2n), c)).toEqual({
        source: 'postgres:1/2',
        fence: 1n,
        streams: {},
        splits: {},
      });
    });

    it('keeps the furthest position of a generation, and forgets other generations of the same streams', async () => {
      await sink.attach(job, c);
      const of = (generation: number, epochNumber: number) => ({
        split: split('a'),
        generation,
        epoch: epochNumber,
        position: { g: generation, e: epochNumber },
        sealed: false,
      });
      const other = { ...of(7, 1), split: { ...split('z'), id: 'z', streams: ['shop.other'] } };
      const streams = (generation: number) => ({ 'shop.orders': { generation, published: false } });
      await sink.adopt(
        job,
        {
          streams: { ...streams(1), 'shop.other': { generation: 7, published: true } },
          splits: { a: of(1, 5), z: other },
        },
        c,
      );
      await sink.adopt(job, { streams: streams(1), splits: { a: of(1, 3) } }, c);
      expect(await position(1n)).toEqual({ g: 1, e: 5 });
      await sink.adopt(job, { streams: streams(1), splits: { a: of(1, 6) } }, c);
      expect(await position(1n)).toEqual({ g: 1, e: 6 });
      await sink.adopt(job, { streams: streams(2), splits: {} }, c);
      const record = await sink.attach(job, c);
      expect(Object.keys(record!.splits)).toEqual(['z']);
      expect(record!.streams).toEqual({
        'shop.orders': { generation: 2, published: false },
        'shop.other': { generation: 7, published: true },
      });
      await sink.adopt(job, { streams: streams(2), splits: { a: of(2, 0) } }, c);
      expect(await position(1n)).toEqual({ g: 2, e: 0 });
    });

    it('names the source anew when it is adopted from another one', async () => {
      await sink.attach(job, c);
      await sink.adopt({ ...job, source: 'postgres:9/9' }, { streams: {}, splits: {} }, c);
      expect((await sink.attach(jobOf(2n), c))?.source).toBe('postgres:9/9');
    });
  });
});

describeWithServer(
  'postgres-15',
  (server) => {
    it('F: a server that crashes before COMMIT is where it was, after COMMIT where it went', async () => {
      const url = await server().createDatabase();
      const sink = openSink(url);
      const plan = await planFor(sink);
      await begin(sink, plan, job);
      const writer = await openWriter(sink, plan, job);
      await writer.write(batchOf(orders(0, 10)));
      await writer.commit(epoch(job, 1));
      await writer.write(batchOf(orders(10, 1000)));
      await server().kill();
      await expect(writer.commit(epoch(job, 2))).rejects.toMatchObject({ class: 'transient' });
      await writer.close();
      await server().restart();
      expect((await sink.attach(jobOf(2n), c))?.splits['a']).toMatchObject({ epoch: 1, position: { at: 1 } });
      expect(await psql(url, 'SELECT count(*) FROM orders')).toBe('10');
      await sink.close();
    });
  },
  { settings: { fsync: 'on' } },
);

/** Full copies become visible whole: by swap where nothing hangs on the target, else by refill. */
import type { Row, TablePlan } from '@sluice/sdk';
import { describeWithServer, FaultProxy, postgresCommits, psql } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSink } from '../testing/open.js';
import {
  batchOf,
  begin,
  epoch,
  jobOf,
  openWriter,
  orders,
  type PlanOptions,
  planFor,
} from '../testing/sink-lane.js';
import type { PostgresSink } from './postgres-sink.js';

const c = testContext();
let fence = 0n;

describeWithServer('postgres-15', (server) => {
  let url: string;
  let sink: PostgresSink;

  beforeEach(async () => {
    url = await server().createDatabase();
    sink = openSink(url, { lockTimeout: 400 });
  });
  afterEach(() => sink.close());

  const sql = (text: string) => psql(url, text);
  const notes = () => sql('SELECT DISTINCT note FROM orders ORDER BY 1');
  const stagingTables = () => sql("SELECT count(*) FROM pg_class WHERE relname ~ '^_sluice_[0-9a-f]{12}_g'");

  /** A generation in staging, sealed and not published. */
  async function stage(generation: number, rows: readonly Row[], options: PlanOptions = {}) {
    const job = jobOf(++fence);
    const plan = await planFor(sink, { write: 'replace', ...options });
    await begin(sink, plan, job, generation);
    const writer = await openWriter(sink, plan, job, 'a', generation);
    await writer.write(batchOf(rows));
    await writer.commit(epoch(job, 1, { generation, sealed: true }));
    await writer.close();
    return { job, plan };
  }

  async function replace(
    generation: number,
    rows: readonly Row[],
    options: PlanOptions = {},
  ): Promise<TablePlan> {
    const { job, plan } = await stage(generation, rows, options);
    await sink.publish(job, plan, generation, { allowEmpty: false }, c);
    return plan;
  }

  const isRefilled = async (work: () => Promise<unknown>) => {
    const before = await sql("SELECT 'orders'::regclass::oid");
    await work();
    return (await sql("SELECT 'orders'::regclass::oid")) === before;
  };

  it('shows nothing before it is published, then everything, with its key', async () => {
    const { job, plan } = await stage(1, orders(0, 100));
    expect(plan).toMatchObject({ publish: 'swap', exists: false, protocol: 'atomic' });
    expect(await sql("SELECT to_regclass('orders') IS NULL")).toBe('t');
    await sink.publish(job, plan, 1, { allowEmpty: false }, c);
    expect(await sql('SELECT count(*), min(id), max(id) FROM orders')).toBe('100|0|99');
    expect(
      await sql(
        "SELECT pg_get_constraintdef(oid), conname FROM pg_constraint WHERE conrelid = 'orders'::regclass",
      ),
    ).toBe('PRIMARY KEY (id)|orders_pkey');
    expect(await stagingTables()).toBe('0');
  });

  it('swaps its own table, again and again', async () => {
    for (const generation of [1, 2, 3]) {
      const refilled =
        generation > 1 && (await isRefilled(() => replace(generation, orders(0, 10, `g${generation}`))));
      if (generation === 1) await replace(1, orders(0, 10, 'g1'));
      expect(refilled).toBe(false);
      expect(await notes()).toBe(`g${generation}`);
      expect(await sql("SELECT conname FROM pg_constraint WHERE conrelid = 'orders'::regclass")).toBe(
        'orders_pkey',
      );
    }
    expect(await stagingTables()).toBe('0');
  });

  it('drops staging of generations that were given up', async () => {
    await stage(1, orders(0, 10));
    await stage(2, orders(0, 10));
    expect(await stagingTables()).toBe('1');
  });

  it('follows the stream: columns that it lost go, new ones come', async () => {
    await replace(1, orders(0, 3));
    await sql('ALTER TABLE orders ADD COLUMN extra integer');
    const plan = await replace(2, orders(0, 4));
    expect(plan).toMatchObject({ publish: 'refill', notes: ['refilled instead of swapped: column extra'] });
    expect(await sql('SELECT count(*), count(extra) FROM orders')).toBe('4|0');
  });

  const HUNG: { readonly [what: string]: string } = {
    'a view': 'CREATE VIEW seen AS SELECT id FROM orders',
    'a materialised view': 'CREATE MATERIALIZED VIEW seen AS SELECT id FROM orders',
    'a grant': 'CREATE ROLE reader_ROLE; GRANT SELECT ON orders TO reader_ROLE',
    'a grant to everybody': 'GRANT SELECT ON orders TO public',
    'a grant on a column': 'CREATE ROLE reader_ROLE; GRANT SELECT (id) ON orders TO reader_ROLE',
    'a foreign key to it':
      'CREATE TABLE lines (order_id bigint REFERENCES orders DEFERRABLE INITIALLY DEFERRED)',
    'a foreign key from it':
      "CREATE TABLE kinds (note text PRIMARY KEY); INSERT INTO kinds VALUES ('new'), ('g1'), ('g2'); ALTER TABLE orders ADD FOREIGN KEY (note) REFERENCES kinds",
    'a trigger':
      "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER tr BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION t()",
    'a rule': 'CREATE RULE r AS ON UPDATE TO orders DO ALSO NOTHING',
    'a policy': 'CREATE POLICY p ON orders USING (true)',
    'row security': 'ALTER TABLE orders ENABLE ROW LEVEL SECURITY',
    'a publication': 'CREATE PUBLICATION pub FOR TABLE orders',
    'an index': 'CREATE INDEX ON orders (note)',
    'a check': 'ALTER TABLE orders ADD CHECK (id >= 0)',
    'a default': "ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'x'",
    'a comment': "COMMENT ON TABLE orders IS 'ours'",
    'a comment on a column': "COMMENT ON COLUMN orders.note IS 'ours'",
    'another owner': 'CREATE ROLE owner_ROLE; ALTER TABLE orders OWNER TO owner_ROLE',
    'a child table': 'CREATE TABLE child () INHERITS (orders)',
    'a function on its rows': "CREATE FUNCTION f(orders) RETURNS bigint LANGUAGE sql AS 'SELECT $1.id'",
    'a column of its type': 'CREATE TABLE pairs (a orders)',
    'a function that reads it':
      'CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM orders; END',
    'extended statistics': 'CREATE STATISTICS st ON id, note FROM orders',
    'storage options': 'ALTER TABLE orders SET (fillfactor = 70)',
    'a replica identity': 'ALTER TABLE orders REPLICA IDENTITY FULL',
    'no logging': 'ALTER TABLE orders SET UNLOGGED',
    'a sequence': 'CREATE SEQUENCE s OWNED BY orders.id',
  };

  it.for(Object.entries(HUNG))('keeps %s by refilling', async ([, statement]) => {
    await replace(1, orders(0, 10, 'g1'));
    const role = `_${process.pid}_${++fence}`;
    await sql(statement.replaceAll('_ROLE', role));
    let plan: TablePlan | undefined;
    const refilled = await isRefilled(async () => {
      plan = await replace(2, orders(5, 15, 'g2'));
    });
    expect(plan).toMatchObject({ publish: 'refill' });
    expect(refilled).toBe(true);
    expect(await sql('SELECT count(*), min(id), max(id), max(note) FROM ONLY orders')).toBe('10|5|14|g2');
    expect(await stagingTables()).toBe('0');
    if (/_ROLE/.test(statement)) {
      await sql(
        `DROP OWNED BY ${/\w+_ROLE/.exec(statement)![0].replace('_ROLE', role)}; DROP ROLE ${/\w+_ROLE/.exec(statement)![0].replace('_ROLE', role)}`,
      );
    }
  });

  it('refills a table that somebody else made, and keeps what fills itself there', async () => {
    await sql(
      "CREATE TABLE orders (id bigint, n serial, note varchar(20), at date DEFAULT '2020-01-01'); INSERT INTO orders (id, note) VALUES (-1, 'old')",
    );
    const plan = await replace(1, orders(0, 3, 'g1'));
    expect(plan.publish).toBe('refill');
    expect(plan.notes).toEqual(['refilled instead of swapped: the table was not created by this job']);
    expect(await sql('SELECT id, note, at FROM orders ORDER BY id')).toBe(
      '0|g1|2020-01-01\n1|g1|2020-01-01\n2|g1|2020-01-01',
    );
  });

  it('S: refills when something was hung on the target after the plan', async () => {
    await replace(1, orders(0, 10, 'g1'));
    const { job, plan } = await stage(2, orders(0, 5, 'g2'));
    expect(plan.publish).toBe('swap');
    await sql('CREATE VIEW seen AS SELECT * FROM orders');
    await sink.publish(job, plan, 2, { allowEmpty: false }, c);
    expect(await sql('SELECT count(*), max(note) FROM seen')).toBe('5|g2');
  });

  it('publishes once: a repetition changes nothing', async () => {
    const { job, plan } = await stage(1, orders(0, 10));
    for (let i = 0; i < 3; i++) {
      await sink.publish(job, plan, 1, { allowEmpty: false }, c);
      expect(await sql('SELECT count(*) FROM orders')).toBe('10');
      await sql('DELETE FROM orders WHERE id = 3; INSERT INTO orders VALUES (3, NULL)');
    }
    await sink.applySchema(job, plan, 1, c);
    expect(await stagingTables()).toBe('0');
  });

  it('Q: a publication whose COMMIT reply is lost has happened', async () => {
    const { job, plan } = await stage(1, orders(0, 10));
    const proxy = await FaultProxy.start(url, postgresCommits);
    const behind = openSink(proxy.through(url));
    const lost = proxy.loseReply();
    await expect(behind.publish(job, plan, 1, { allowEmpty: false }, c)).rejects.toMatchObject({
      class: 'transient',
    });
    await lost;
    await sink.publish(job, plan, 1, { allowEmpty: false }, c);
    expect(await sql('SELECT count(*) FROM orders')).toBe('10');
    await behind.close();
    await proxy.stop();
  });

  it('R: says that the staging table is gone', async () => {
    const { job, plan } = await stage(1, orders(0, 10));
    await sql(
      "SELECT format('DROP TABLE %s', oid::regclass) FROM pg_class WHERE relname ~ '^_sluice_[0-9a-f]{12}_g' \\gexec",
    );
    await expect(sink.publish(job, plan, 1, { allowEmpty: false }, c)).rejects.toMatchObject({
      class: 'contract',
      code: 'SLUICE-PG-0027',
    });
  });

  it('T: waits for readers, and gives up without a trace', async () => {
    await replace(1, orders(0, 10, 'g1'));
    const { job, plan } = await stage(2, orders(0, 5, 'g2'));
    const reading = sql('BEGIN; SELECT count(*) FROM orders; SELECT pg_sleep(2); COMMIT');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const failure = { class: 'transient', code: 'SLUICE-PG-0013' };
    await expect(sink.publish(job, plan, 2, { allowEmpty: false }, c)).rejects.toMatchObject(failure);
    expect(await notes()).toBe('g1');
    await reading;
    await sink.publish(job, plan, 2, { allowEmpty: false }, c);
    expect(await notes()).toBe('g2');
  });

  it('does not put nothing in the place of something unless that is meant', async () => {
    await replace(1, orders(0, 10, 'g1'));
    const { job, plan } = await stage(2, []);
    const failure = { class: 'contract', code: 'SLUICE-PG-0028' };
    await expect(sink.publish(job, plan, 2, { allowEmpty: false }, c)).rejects.toMatchObject(failure);
    expect(await notes()).toBe('g1');
    await sink.publish(job, plan, 2, { allowEmpty: true }, c);
    expect(await sql('SELECT count(*) FROM orders')).toBe('0');
    await replace(3, []);
  });

  it('says which key is there twice', async () => {
    const { job, plan } = await stage(1, [...orders(0, 3), ...orders(2, 4)]);
    await expect(sink.publish(job, plan, 1, { allowEmpty: false }, c)).rejects.toMatchObject({
      class: 'data',
      code: 'SLUICE-PG-0016',
      message: expect.stringContaining('(id)=(2)'),
    });
  });

  describe('save modes', () => {
    it('recreate takes away what hangs on a table, but not what others hang on', async () => {
      await sql(
        "CREATE TABLE orders (id text, more integer); CREATE INDEX ON orders (more); INSERT INTO orders VALUES ('x', 1)",
      );
      const plan = await replace(1, orders(0, 3, 'g1'), { save: 'recreate' });
      expect(plan.publish).toBe('swap');
      expect(
        await sql(
          "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0",
        ),
      ).toBe('id bigint, note text');
      await sql('CREATE VIEW seen AS SELECT id FROM orders');
      const staged = await stage(2, orders(0, 1, 'g2'), { save: 'recreate' });
      await expect(sink.publish(staged.job, staged.plan, 2, { allowEmpty: false }, c)).rejects.toMatchObject({
        class: 'config',
      });
      expect(await notes()).toBe('g1');
    });

    it('require wants the table, fail wants none but its own', async () => {
      const required = { code: 'SLUICE-PG-0032', class: 'config' };
      await expect(planFor(sink, { write: 'replace', save: 'require' })).rejects.toMatchObject(required);
      await replace(1, orders(0, 3), { save: 'fail' });
      await replace(2, orders(0, 4), { save: 'fail' });
      await sql('DROP TABLE orders; CREATE TABLE orders (id bigint, note text)');
      const failed = { code: 'SLUICE-PG-0031', class: 'config' };
      await expect(planFor(sink, { write: 'replace', save: 'fail' })).rejects.toMatchObject(failed);
      await replace(3, orders(0, 5), { save: 'require' });
      expect(await sql('SELECT count(*) FROM orders')).toBe('5');
    });
  });
});

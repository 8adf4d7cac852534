/** A mirror touches only the rows that differ, and shows each copy whole. */
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PostgresSource } from '../source/postgres-source.js';
import { copyStream } from '../testing/copy-run.js';
import { openSink, openSource } from '../testing/open.js';
import type { PostgresSink } from './postgres-sink.js';

describeWithServer('postgres-15', (server) => {
  let from: string;
  let to: string;
  let source: PostgresSource;
  let sink: PostgresSink;

  beforeEach(async () => {
    from = await server().createDatabase();
    to = await server().createDatabase();
    source = openSource(from);
    sink = openSink(to);
    await psql(
      from,
      `CREATE TABLE items (id bigint PRIMARY KEY, name text, price numeric, doc json, spot point, ratio double precision);
       INSERT INTO items SELECT g, 'item ' || g, g, '{"a": 1}', point(g, g), 0 FROM generate_series(1, 100) g`,
    );
  });
  afterEach(async () => {
    await source.close();
    await sink.close();
  });

  const mirror = (more: { allowEmpty?: boolean } = {}) =>
    copyStream({ source, sink, stream: 'public.items', target: 'mirror.items', write: 'mirror', ...more });
  const dump = (url: string, table: string) => psql(url, `SELECT * FROM ${table} ORDER BY id`);
  const same = async () => expect(await dump(to, 'mirror.items')).toBe(await dump(from, 'items'));
  /** Which transaction wrote each row. */
  const versions = () => psql(to, 'SELECT id, xmin FROM mirror.items ORDER BY id');

  it('writes what differs, however little, and leaves the other rows as they are', async () => {
    expect((await mirror()).plan.publish).toBe('swap');
    await same();
    const before = (await versions()).split('\n');
    await psql(
      from,
      `DELETE FROM items WHERE id <= 10; INSERT INTO items VALUES (101, NULL, NULL, NULL, NULL, NULL);
       UPDATE items SET name = NULL WHERE id = 11; UPDATE items SET price = 12.0 WHERE id = 12;
       UPDATE items SET doc = '{"a":  1}' WHERE id = 13; UPDATE items SET spot = point(0, 0) WHERE id = 14;
       UPDATE items SET ratio = '-0' WHERE id = 15`,
    );
    expect((await mirror()).plan.publish).toBe('merge');
    await same();
    const after = (await versions()).split('\n');
    expect(after.slice(5, -1)).toEqual(before.slice(15));
    expect(after.slice(0, 5).filter((row) => before.includes(row))).toEqual([]);
    await mirror();
    expect((await versions()).split('\n')).toEqual(after);
  });

  it('leaves alone what people have hung on the table, columns of theirs among it', async () => {
    await mirror();
    await psql(
      to,
      `ALTER TABLE mirror.items ADD mine text DEFAULT 'new'; UPDATE mirror.items SET mine = 'kept ' || id;
       CREATE TABLE parts (item bigint REFERENCES mirror.items ON DELETE CASCADE); INSERT INTO parts VALUES (1), (2);
       CREATE VIEW cheap AS SELECT * FROM mirror.items WHERE price < 5;
       CREATE TABLE seen (what text);
       CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO seen VALUES (TG_OP || ' ' || COALESCE(NEW.id, OLD.id)); RETURN NULL; END $$;
       CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON mirror.items FOR EACH ROW EXECUTE FUNCTION see()`,
    );
    await psql(
      from,
      "DELETE FROM items WHERE id = 1; UPDATE items SET name = 'x' WHERE id = 2; INSERT INTO items (id) VALUES (101)",
    );
    await mirror();
    expect(await psql(to, 'SELECT what FROM seen ORDER BY what')).toBe('DELETE 1\nINSERT 101\nUPDATE 2');
    expect(await psql(to, 'SELECT item FROM parts')).toBe('2');
    expect(await psql(to, 'SELECT mine FROM mirror.items WHERE id IN (2, 101) ORDER BY id')).toBe(
      'kept 2\nnew',
    );
  });

  it('shows nothing of a copy that is not complete, and an empty one only when that is meant', async () => {
    await mirror();
    await psql(from, 'DELETE FROM items');
    await expect(mirror()).rejects.toMatchObject({ code: 'SLUICE-PG-0028' });
    expect(await psql(to, 'SELECT count(*) FROM mirror.items')).toBe('100');
    await mirror({ allowEmpty: true });
    expect(await psql(to, 'SELECT count(*) FROM mirror.items')).toBe('0');
  });

  it('needs a unique index on the key of a table that is there', async () => {
    await psql(to, 'CREATE SCHEMA mirror; CREATE TABLE mirror.items (id bigint, name text)');
    await expect(mirror()).rejects.toMatchObject({ code: 'SLUICE-PG-0030' });
    await psql(
      to,
      'CREATE UNIQUE INDEX ON mirror.items (id); INSERT INTO mirror.items VALUES (5, NULL), (500, NULL)',
    );
    await mirror();
    await same();
  });
});

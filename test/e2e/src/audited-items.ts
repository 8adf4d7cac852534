/** A table of which every change is noted by a trigger as it is made, and writers that change it in every way. */
/** Its values of `bio` are stored outside of their rows, so that updates of other columns do not send them. */
export const ITEMS = `CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL, bio text);
  ALTER TABLE items ALTER bio SET STORAGE EXTERNAL;
  INSERT INTO items SELECT g, 'item ' || g, repeat(md5(g::text), 100) FROM generate_series(1, 3) g`;

/** Every state that a row was ever in has a number of its own, and a trigger notes each change as it is made. */
export const AUDITED = `${ITEMS}; CREATE SEQUENCE versions; ALTER TABLE items ADD v bigint;
  UPDATE items SET v = nextval('versions');
  CREATE TABLE audit (seq bigserial, id integer, op text, v bigint, bio text, moved boolean, tx xid8 DEFAULT pg_current_xact_id());
  INSERT INTO audit (id, op, v, bio) SELECT id, 'insert', v, md5(bio) FROM items;
  CREATE FUNCTION number_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v = nextval('versions'); RETURN NEW; END $$;
  CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN INSERT INTO audit (id, op) VALUES (OLD.id, 'delete');
    ELSIF TG_OP = 'UPDATE' AND OLD.id <> NEW.id THEN
      INSERT INTO audit (id, op, v, bio, moved) VALUES (OLD.id, 'delete', NULL, NULL, NULL), (NEW.id, 'insert', NEW.v, md5(NEW.bio), true);
    ELSE INSERT INTO audit (id, op, v, bio) VALUES (NEW.id, lower(TG_OP), NEW.v, md5(NEW.bio)); END IF;
    RETURN NULL; END $$;
  CREATE TRIGGER number_it BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION number_it();
  CREATE TRIGGER note_it AFTER INSERT OR UPDATE OR DELETE ON items FOR EACH ROW EXECUTE FUNCTION note_it()`;

/** What one of several writers does, each with keys of its own: short, long, nested, prepared and failed transactions. */
export function writing(writer: number, random: () => number, transactions: number): string {
  const integer = (to: number) => 1 + Math.floor(random() * to);
  const id = () => integer(40) * 4 + writer;
  const change = () =>
    [
      `INSERT INTO items VALUES (${id()}, 'new', repeat(md5('${id()}'), 100)) ON CONFLICT DO NOTHING`,
      `UPDATE items SET name = 'n${id()}' WHERE id = ${id()}`,
      `UPDATE items SET id = id + 1000 WHERE id = ${id()} AND NOT EXISTS (SELECT FROM items i WHERE i.id = items.id + 1000)`,
      `DELETE FROM items WHERE id IN (${id()}, ${id()} + 1000)`,
    ][integer(4) - 1]!;
  return Array.from({ length: transactions }, (_, n) => {
    const sleep = `SELECT pg_sleep(${n % 40 === 17 ? 2.5 : integer(40) / 1000})`;
    const nested = `SAVEPOINT s; ${change()}; ROLLBACK TO s; SAVEPOINT s; ${change()}; RELEASE s`;
    // Some are known to the server long before they come to the table.
    const early = n % 3 === 1 ? 'SELECT pg_current_xact_id(), pg_sleep(0.3);' : '';
    const body = `BEGIN; ${early} ${change()}; ${change()}; ${sleep}; ${nested}; ${change()}`;
    const prepared = `PREPARE TRANSACTION 'p${writer}_${n}'; ${sleep}; COMMIT PREPARED 'p${writer}_${n}'`;
    return `${body}; ${n % 7 === 3 ? 'ROLLBACK' : n % 9 === 4 ? prepared : 'COMMIT'};`;
  }).join('\n');
}

/** Changes that come whatever the writers have been at: every row that is there, one transaction after the other. */
export const EACH_AGAIN = Array.from({ length: 5 }, (_, n) => `UPDATE items SET name = 'again ${n}'`).join(
  '; ',
);

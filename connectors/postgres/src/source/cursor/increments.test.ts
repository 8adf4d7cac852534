/** Increments by a cursor: what commits late, out of order and across the bound is read, once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cursor, Json, Split, StreamRead, Value } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testContext } from '../../testing/copy-run.js';
import { openSource } from '../../testing/open.js';
import { planRead, planSplits, readParts } from '../../testing/read-split.js';
import type { PostgresSource } from '../postgres-source.js';

/** Longer than what a transaction may be overlooked for. */
const SETTLES = 700;

const NOTES = `CREATE TABLE notes (id integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), note text);
  CREATE INDEX ON notes (at);`;

const byDatabase: Cursor = { column: 'at', clock: 'database' };

/** A stream that is read run after run, each by a source of its own. */
class Repeated {
  private at: Json | undefined;
  private split: Split | undefined;

  constructor(
    private readonly url: string,
    private readonly stream: string,
    private readonly cursor: Cursor,
    private readonly batchRows = 1000,
  ) {}

  /** The first column of the rows that a run reads. */
  async run(): Promise<Value[]> {
    return (await this.parts()).flatMap(({ rows }) => rows.map(([first]) => first!));
  }

  async parts() {
    const source = openSource(this.url);
    try {
      const read = await this.read(source);
      const splits = await planSplits(source, read, this.split === undefined ? [] : [this.split]);
      this.split ??= splits[0]!;
      const { batchRows } = this;
      const parts = await readParts(source, read, this.split, {
        ...(this.at !== undefined && { at: this.at }),
        batchRows,
      });
      this.at = parts.at(-1)!.position;
      return parts;
    } finally {
      await source.close();
    }
  }

  private async read(source: PostgresSource): Promise<StreamRead> {
    const read = await planRead(source, this.stream);
    return { ...read, mode: 'incremental', cursor: this.cursor };
  }
}

describeWithServer('postgres-15', (server) => {
  let url: string;
  const clients: pg.Client[] = [];

  beforeEach(async () => {
    url = await server().createDatabase();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
  });

  async function client(): Promise<pg.Client> {
    const made = new pg.Client({ connectionString: url });
    await made.connect();
    clients.push(made);
    return made;
  }

  describe('by the time of the database', () => {
    it('read what is new, and nothing twice', async () => {
      await psql(url, `${NOTES} INSERT INTO notes SELECT i FROM generate_series(1, 5) i`);
      const notes = new Repeated(url, 'public.notes', byDatabase);
      await sleep(SETTLES);
      expect(await notes.run()).toEqual([1, 2, 3, 4, 5]);
      expect(await notes.run()).toEqual([]);
      await psql(url, "INSERT INTO notes VALUES (6); UPDATE notes SET at = now(), note = 'new' WHERE id = 2");
      await sleep(SETTLES);
      expect((await notes.run()).sort()).toEqual([2, 6]);
      expect(await notes.run()).toEqual([]);
    });

    it('wait for a transaction that began before the bound and commits behind it', async () => {
      await psql(url, NOTES);
      const notes = new Repeated(url, 'public.notes', byDatabase);
      const late = await client();
      await late.query('BEGIN');
      await late.query('INSERT INTO notes VALUES (1)');
      await psql(url, 'INSERT INTO notes VALUES (2)');
      await sleep(SETTLES);
      expect(await notes.run()).toEqual([]);
      await late.query('INSERT INTO notes VALUES (3)');
      await late.query('COMMIT');
      expect((await notes.run()).sort()).toEqual([1, 2, 3]);
    });

    it('wait for a transaction that has begun and written nothing yet', async () => {
      await psql(url, NOTES);
      const notes = new Repeated(url, 'public.notes', byDatabase);
      const late = await client();
      await late.query('BEGIN');
      await late.query('SELECT 1');
      await psql(url, 'INSERT INTO notes VALUES (1)');
      await sleep(SETTLES);
      expect(await notes.run()).toEqual([]);
      await late.query('INSERT INTO notes VALUES (2)');
      await late.query('COMMIT');
      expect(await notes.run()).toEqual([2, 1]);
    });

    it('wait for a transaction that is prepared', async () => {
      await psql(url, NOTES);
      const notes = new Repeated(url, 'public.notes', { ...byDatabase, lag: 1000 });
      const late = await client();
      await late.query('BEGIN');
      await late.query('INSERT INTO notes VALUES (1)');
      await late.query("PREPARE TRANSACTION 'notes'");
      await sleep(SETTLES);
      await psql(url, 'INSERT INTO notes VALUES (2)');
      await sleep(SETTLES);
      expect(await notes.run()).toEqual([]);
      await late.query("COMMIT PREPARED 'notes'");
      expect(await notes.run()).toEqual([1, 2]);
    });

    it('keep rows of one value together, however small the batches', async () => {
      await psql(
        url,
        `${NOTES} INSERT INTO notes SELECT i, timestamptz '2024-01-01 00:00:00+00' + (i / 40) * interval '1 s'
         FROM generate_series(1, 200) i`,
      );
      const notes = new Repeated(url, 'public.notes', byDatabase, 7);
      const parts = await notes.parts();
      expect(parts.length).toBeGreaterThan(28);
      // From every checkpoint on, the rest and no more.
      const all = parts.flatMap(({ rows }) => rows.map(([id]) => id));
      expect(all).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
      const source = openSource(url);
      const read = {
        ...(await planRead(source, 'public.notes')),
        mode: 'incremental' as const,
        cursor: byDatabase,
      };
      const [split] = await planSplits(source, read);
      let seen = 0;
      for (const { rows, position } of parts) {
        seen += rows.length;
        const rest = (await readParts(source, read, split!, { at: position })).flatMap((part) => part.rows);
        expect(rest.map(([id]) => id)).toEqual(all.slice(seen));
      }
      await source.close();
    });

    it('are exact while transactions overlap and runs repeat', async () => {
      await psql(url, NOTES);
      const notes = new Repeated(url, 'public.notes', byDatabase, 20);
      const found: Value[] = [];
      let writing = true;
      let next = 1;
      const writer = async (hold: number) => {
        const session = await client();
        while (next <= 300) {
          await session.query('BEGIN');
          for (let i = 0; i < 3; i++) {
            await session.query('INSERT INTO notes VALUES ($1)', [next++]);
            await sleep(Math.random() * hold);
          }
          await session.query(Math.random() < 0.2 ? 'ROLLBACK' : 'COMMIT');
        }
      };
      const writers = Promise.all([writer(3), writer(20), writer(60), writer(200)]).then(() => {
        writing = false;
      });
      while (writing) found.push(...(await notes.run()));
      await writers;
      await sleep(SETTLES);
      found.push(...(await notes.run()));
      const kept = await psql(url, 'SELECT id FROM notes ORDER BY id');
      expect(found.map(Number).sort((a, b) => a - b)).toEqual(kept.split('\n').map(Number));
    });

    it('end where the clock of the server is behind what was read', async () => {
      await psql(url, `${NOTES} INSERT INTO notes VALUES (1, '2024-01-01')`);
      const source = openSource(url);
      const read = {
        ...(await planRead(source, 'public.notes')),
        mode: 'incremental' as const,
        cursor: byDatabase,
      };
      const [split] = await planSplits(source, read);
      const at = { before: '2999-01-01 00:00:00+00' };
      await expect(readParts(source, read, split!, { at })).rejects.toMatchObject({ code: 'SLUICE-PG-0044' });
      await source.close();
    });
  });

  describe('by other clocks', () => {
    it('leave writers the time of the lag', async () => {
      await psql(url, `${NOTES} INSERT INTO notes VALUES (1, now() - interval '2 s'), (2, now())`);
      const notes = new Repeated(url, 'public.notes', { column: 'at', lag: 1500 });
      expect(await notes.run()).toEqual([1]);
      await psql(url, "INSERT INTO notes VALUES (3, now() - interval '1 s')");
      await sleep(2100);
      expect((await notes.run()).sort()).toEqual([2, 3]);
    });

    it('are compared as the clocks of their zone show them, also while those are set back', async () => {
      await psql(url, 'CREATE TABLE shown (id integer PRIMARY KEY, at timestamp NOT NULL)');
      await psql(
        url,
        `INSERT INTO shown VALUES (1, now() AT TIME ZONE 'Asia/Tokyo' - interval '2 s'),
         (2, now() AT TIME ZONE 'Asia/Tokyo' + interval '1 hour')`,
      );
      const cursor: Cursor = { column: 'at', clock: 'database', zone: 'Asia/Tokyo' };
      expect(await new Repeated(url, 'public.shown', cursor).run()).toEqual([1]);
    });
  });

  describe('by the numbers of a sequence', () => {
    const RISING = 'CREATE TABLE rising (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)';

    it('wait for a transaction that has drawn a lower number', async () => {
      await psql(url, RISING);
      const rising = new Repeated(url, 'public.rising', { column: 'id' });
      const late = await client();
      await late.query('BEGIN');
      await late.query('INSERT INTO rising DEFAULT VALUES');
      await psql(url, 'INSERT INTO rising DEFAULT VALUES');
      expect(await rising.run()).toEqual([]);
      await late.query('COMMIT');
      expect(await rising.run()).toEqual([1n, 2n]);
      expect(await rising.run()).toEqual([]);
    });

    it('do not wait for those who read other streams', async () => {
      await psql(
        url,
        `${RISING}; ${NOTES} INSERT INTO notes SELECT i, '2024-01-01' FROM generate_series(1, 20) i`,
      );
      const source = openSource(url);
      const read = {
        ...(await planRead(source, 'public.notes')),
        mode: 'incremental' as const,
        cursor: byDatabase,
      };
      const [split] = await planSplits(source, read);
      const request = { split: split!, at: null, cuts: [], reads: [read], batchRows: 5, batchBytes: 1 << 20 };
      const reader = await source.open(request, testContext());
      try {
        await psql(url, 'INSERT INTO rising DEFAULT VALUES');
        expect(await new Repeated(url, 'public.rising', { column: 'id' }).run()).toEqual([1n]);
      } finally {
        await reader.close();
        await source.close();
      }
    });

    it('go on under transactions that overlap for ever', async () => {
      await psql(url, RISING);
      const rising = new Repeated(url, 'public.rising', { column: 'id' });
      const [one, other] = [await client(), await client()];
      await one.query('BEGIN');
      await one.query('INSERT INTO rising DEFAULT VALUES');
      await psql(url, 'INSERT INTO rising DEFAULT VALUES');
      expect(await rising.run()).toEqual([]);
      await other.query('BEGIN');
      await other.query('INSERT INTO rising DEFAULT VALUES');
      await one.query('COMMIT');
      // One is done, the other began behind the first look.
      expect(await rising.run()).toEqual([1n, 2n]);
      await psql(url, 'INSERT INTO rising DEFAULT VALUES');
      await other.query('COMMIT');
      expect(await rising.run()).toEqual([3n, 4n]);
    });
  });

  describe('the plan', () => {
    async function planOf(stream: string, cursor: Cursor | undefined) {
      const source = openSource(url);
      try {
        const read = await planRead(source, stream);
        const wanted = { ...read, mode: 'incremental' as const, ...(cursor && { cursor }) };
        return (await source.planReads([wanted], testContext()))[0]!;
      } finally {
        await source.close();
      }
    }

    it('says what is exact and what is lagged, and why', async () => {
      await psql(
        url,
        `${NOTES} CREATE TABLE plain (id integer, seen timestamptz);
         CREATE TABLE cached (id bigint GENERATED ALWAYS AS IDENTITY (CACHE 10) PRIMARY KEY)`,
      );
      expect(await planOf('public.notes', byDatabase)).toEqual({
        stream: 'public.notes',
        increments: 'exact',
        notes: ['transactions that are prepared count as begun at most 60000 ms before that'],
      });
      const plain = await planOf('public.plain', { column: 'seen' });
      expect(plain.increments).toBe('lagged');
      expect(plain.notes.join('\n')).toMatch(/lagged: .*"clock": "database"/);
      expect(plain.notes.join('\n')).toMatch(/rows without seen are not read/);
      expect(plain.notes.join('\n')).toMatch(/CREATE INDEX ON "public"."plain" \("seen"\)/);
      expect((await planOf('public.cached', { column: 'id' })).increments).toBe('lagged');
    });

    it('is lagged for a user who cannot see the transactions of others', async () => {
      await psql(url, `${NOTES} CREATE ROLE looker LOGIN; GRANT SELECT ON notes TO looker`);
      const other = new URL(url);
      other.username = 'looker';
      const source = openSource(other.href);
      try {
        const read = await planRead(source, 'public.notes');
        const [plan] = await source.planReads(
          [{ ...read, mode: 'incremental', cursor: byDatabase }],
          testContext(),
        );
        expect(plan).toMatchObject({ increments: 'lagged' });
        expect(plan!.notes[0]).toMatch(/GRANT pg_read_all_stats/);
      } finally {
        await source.close();
        await psql(url, 'DROP OWNED BY looker; DROP ROLE looker');
      }
    });

    it.each([
      ['no cursor', undefined, /no cursor is set/],
      ['a column that is not there', { column: 'att' }, /did you mean at\?/],
      ['a text', { column: 'note' }, /is text/],
    ])('refuses %s', async (_, cursor, message) => {
      await psql(url, NOTES);
      await expect(planOf('public.notes', cursor)).rejects.toMatchObject({
        code: 'SLUICE-PG-0042',
        message: expect.stringMatching(message),
      });
    });

    it('refuses times without a zone, and zones that nobody knows', async () => {
      await psql(url, 'CREATE TABLE shown (id integer PRIMARY KEY, at timestamp NOT NULL)');
      await expect(planOf('public.shown', { column: 'at' })).rejects.toThrow(/add "zone"/);
      await expect(planOf('public.shown', { column: 'at', zone: 'Mars/Base' })).rejects.toThrow(/Mars\/Base/);
    });
  });

  it('refuses to go on by another column', async () => {
    await psql(url, `${NOTES} ALTER TABLE notes ADD changed timestamptz`);
    const source = openSource(url);
    const read = { ...(await planRead(source, 'public.notes')), mode: 'incremental' as const };
    const known = await planSplits(source, { ...read, cursor: byDatabase });
    const other = { ...read, cursor: { column: 'changed' } };
    await expect(planSplits(source, other, known)).rejects.toMatchObject({ code: 'SLUICE-PG-0043' });
    await source.close();
  });

  it('warns of rows that have no place in the order', async () => {
    await psql(
      url,
      `CREATE TABLE holes (id integer PRIMARY KEY, at timestamptz);
       INSERT INTO holes VALUES (1, '2024-01-01'), (2, NULL), (3, 'infinity')`,
    );
    const source = openSource(url);
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (message: string) => void warnings.push(message) };
    const read = {
      ...(await planRead(source, 'public.holes')),
      mode: 'incremental' as const,
      cursor: byDatabase,
    };
    const [split] = await planSplits(source, read);
    const parts = await readParts(source, read, split!, {}, { ...testContext(), log });
    expect(parts.flatMap(({ rows }) => rows.map(([id]) => id))).toEqual([1]);
    expect(warnings).toEqual(['rows of public.holes are not read: their at is null or infinite']);
    await source.close();
  });

  it('knows the earliest that a clock will show when it is set back', async () => {
    const { earliestShown } = await import('./horizon.js');
    const at = (instant: string) => earliestShown(`timestamptz '${instant}'`, 'Europe/Berlin');
    const shown = async (instant: string) => psql(url, `SELECT ${at(instant)}`);
    // At 01:00 UTC of that day clocks in Berlin go from 03:00 back to 02:00.
    expect(await shown('2024-10-26 12:07:00+00')).toBe('2024-10-26 14:07:00');
    expect(await shown('2024-10-27 00:37:00+00')).toBe('2024-10-27 02:00:00');
    expect(await shown('2024-10-27 00:00:00+00')).toBe('2024-10-27 02:00:00');
    expect(await shown('2024-10-27 01:20:00+00')).toBe('2024-10-27 02:20:00');
  });
});

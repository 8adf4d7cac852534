/** Increments of a file that others write between the runs. */
import path from 'node:path';
import type { Cursor, Json, Split, StreamRead, Value } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import duckdb from '../index.js';
import { sql, testContext, withFolder } from '../testing/harness.js';

const inFile = (task: (file: string) => Promise<void>) =>
  withFolder((folder) => task(path.join(folder, 'source.duckdb')));

/** A stream that is read run after run, each by a source of its own. */
class Repeated {
  private at: Json | undefined;
  private split: Split | undefined;
  readonly warnings: string[] = [];

  constructor(
    private readonly file: string,
    private readonly stream: string,
    private readonly cursor: Cursor | undefined,
    private readonly config: { readonly readOnly?: boolean } = {},
  ) {}

  /** The first column of the rows that a run reads. */
  async run(): Promise<Value[]> {
    const rows: Value[] = [];
    await this.using(async (source, read, c) => {
      for await (const split of source.splits([read], this.split ? [this.split] : [], c))
        this.split ??= split;
      const split = this.split!;
      const at = this.at ?? split.start;
      const reader = await source.open(
        { split, at, cuts: [], reads: [read], batchRows: 7, batchBytes: 1 << 20 },
        c,
      );
      for await (const message of reader) {
        if (message.kind === 'checkpoint') this.at = message.position;
        if (message.kind === 'batch') {
          for (const row of message.rows()) rows.push(Object.values(row)[0]!);
        }
      }
      await reader.close();
    });
    return rows;
  }

  plan() {
    return this.using(async (source, read, c) => (await source.planReads!([read], c))[0]!);
  }

  private async using<T>(
    work: (
      source: ReturnType<NonNullable<typeof duckdb.source>['create']>,
      read: StreamRead,
      c: ReturnType<typeof testContext>,
    ) => Promise<T>,
  ): Promise<T> {
    const log = { ...testContext().log, warn: (message: string) => void this.warnings.push(message) };
    const c = { ...testContext(), log };
    const source = duckdb.source!.create(duckdb.config.parse({ path: this.file, ...this.config }));
    try {
      const [found] = (await source.discover([this.stream], c)).streams;
      const { stream, cursor } = this;
      const { schema } = found!;
      const base: StreamRead = {
        stream,
        mode: 'incremental',
        schema,
        generation: 0,
        options: {},
        resumable: false,
      };
      return await work(source, { ...base, ...(cursor && { cursor }) }, c);
    } finally {
      await source.close?.();
    }
  }
}

describe('increments', () => {
  it('by the time of the database read what is new, ties and all', () =>
    inFile(async (file) => {
      await sql(
        file,
        'CREATE TABLE notes (id INTEGER, "at" TIMESTAMPTZ)',
        "INSERT INTO notes SELECT n, TIMESTAMPTZ '2024-01-01 00:00:00Z' FROM range(20) t(n)",
      );
      const notes = new Repeated(file, 'main.notes', { column: 'at', clock: 'database' });
      expect((await notes.run()).sort()).toEqual(Array.from({ length: 20 }, (_, n) => n).sort());
      expect(await notes.run()).toEqual([]);
      await sql(file, 'INSERT INTO notes VALUES (100, now()), (101, NULL)');
      expect(await notes.run()).toEqual([100]);
      expect(notes.warnings.at(-1)).toBe('rows of main.notes are not read: their at is null or infinite');
      expect(await notes.run()).toEqual([]);
    }));

  it('by another clock leave writers the time of the lag', () =>
    inFile(async (file) => {
      await sql(
        file,
        'CREATE TABLE notes (id INTEGER, "at" TIMESTAMP)',
        "INSERT INTO notes VALUES (1, (now() AT TIME ZONE 'Asia/Tokyo') - INTERVAL 2 HOURS), (2, now() AT TIME ZONE 'Asia/Tokyo')",
      );
      const cursor: Cursor = { column: 'at', zone: 'Asia/Tokyo', lag: 3_600_000 };
      const notes = new Repeated(file, 'main.notes', cursor);
      expect(await notes.run()).toEqual([1]);
      expect(await notes.plan()).toMatchObject({ increments: 'lagged' });
    }));

  it('by a number go on behind the highest', () =>
    inFile(async (file) => {
      await sql(
        file,
        'CREATE TABLE counted (id BIGINT PRIMARY KEY)',
        'INSERT INTO counted SELECT * FROM range(20)',
      );
      const counted = new Repeated(file, 'main.counted', { column: 'id', clock: 'database' });
      expect((await counted.run()).length).toBe(20);
      await sql(file, 'INSERT INTO counted VALUES (20)');
      expect(await counted.run()).toEqual([20n]);
      expect(await counted.plan()).toMatchObject({ increments: 'exact' });
    }));

  it('of a file that may be written to are lagged', () =>
    inFile(async (file) => {
      await sql(file, 'CREATE TABLE notes (id INTEGER, "at" TIMESTAMPTZ NOT NULL)');
      const cursor: Cursor = { column: 'at', clock: 'database' };
      expect(await new Repeated(file, 'main.notes', cursor).plan()).toEqual({
        stream: 'main.notes',
        increments: 'exact',
        notes: [],
      });
      const open = await new Repeated(file, 'main.notes', cursor, { readOnly: false }).plan();
      expect(open).toMatchObject({
        increments: 'lagged',
        notes: [expect.stringMatching(/60000 ms late.*readOnly/)],
      });
    }));

  it('end where the clock is behind what was read', () =>
    inFile(async (file) => {
      await sql(file, 'CREATE TABLE notes (id INTEGER, "at" TIMESTAMPTZ NOT NULL)');
      const notes = new Repeated(file, 'main.notes', { column: 'at', clock: 'database' });
      Object.assign(notes, { at: { before: '2999-01-01 00:00:00+00' } });
      await expect(notes.run()).rejects.toMatchObject({ code: 'SLUICE-DUCKDB-0030' });
    }));

  it.each([
    ['no cursor', undefined, /no cursor is set/],
    ['a text', { column: 'note' }, /a cursor is a timestamp, a date or an integer/],
    ['times without a zone', { column: 'local' }, /add "zone"/],
    ['zones that nobody knows', { column: 'local', zone: 'Mars/Base' }, /Mars\/Base/],
  ])('refuse %s', (_, cursor, message) =>
    inFile(async (file) => {
      await sql(file, 'CREATE TABLE notes (note VARCHAR, "local" TIMESTAMP)');
      await expect(new Repeated(file, 'main.notes', cursor).plan()).rejects.toMatchObject({
        code: 'SLUICE-DUCKDB-0028',
        message: expect.stringMatching(message),
      });
    }),
  );
});

/** Streams that change their shape between runs and on the way, and what the job lets become of that. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JobSpec } from '@sluice/sdk';
import {
  describeWithServer,
  dumpDuckdb,
  dumpPostgres,
  expectSameRows,
  killAt,
  runProgram,
} from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resultOf, SLUICE, Workspace } from './cli-workspace.js';

const MINUTES = 60_000;
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

describeWithServer('postgres-15', (server) => {
  let source: string;
  let target: string;

  beforeEach(async () => {
    source = await server().createDatabase();
    target = await server().createDatabase();
    await server().psql(
      `CREATE TABLE orders (id integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), qty smallint NOT NULL, note text NOT NULL);
       CREATE INDEX ON orders (at);
       INSERT INTO orders (id, qty, note) SELECT g, g, 'note ' || g FROM generate_series(1, 50) g`,
      source,
    );
  });

  function job(more: Partial<JobSpec> = {}): string {
    return place.job('job.json', {
      name: 'orders',
      connections: {
        shop: { connector: 'postgres', url: source },
        mart: { connector: 'postgres', url: target },
        lake: { connector: 'duckdb', path: 'lake.duckdb' },
      },
      flows: {
        main: {
          source: 'shop',
          mode: 'incremental',
          streams: { 'public.orders': { cursor: { column: 'at', clock: 'database' } } },
          sinks: { mart: { to: 'mart', write: 'upsert' }, lake: { to: 'lake', write: 'upsert' } },
        },
      },
      ...more,
    } as JobSpec);
  }

  async function run(file: string, code = 0) {
    // Longer than what a transaction may be overlooked for.
    await new Promise((resolve) => setTimeout(resolve, 700));
    const exit = await place.sluice(['run', file, '--quiet']);
    expect(exit.code, exit.stderr + exit.stdout).toBe(code);
    return resultOf(exit.stdout);
  }

  /** Both targets hold what the source holds, in these columns. */
  async function expectSame(columns: string): Promise<void> {
    const wanted = await dumpPostgres(source, `SELECT ${columns} FROM orders`);
    const mart = await dumpPostgres(target, `SELECT ${columns} FROM orders`);
    expectSameRows(wanted, mart, { expected: 'source', actual: 'mart' });
    const lake = await dumpDuckdb(place.path('lake.duckdb'), `SELECT ${columns} FROM public.orders`);
    expectSameRows(wanted, lake, { expected: 'source', actual: 'lake' });
  }

  it(
    'are followed by the targets: columns that come and go, that widen, and that may be null',
    async () => {
      const file = job();
      await run(file);
      await expectSame('id::text AS id, qty::text AS qty, note');
      const change = async (sql: string) => {
        await server().psql(`${sql}; UPDATE orders SET at = now()`, source);
        return run(file);
      };
      await change("ALTER TABLE orders ADD extra text; UPDATE orders SET extra = 'x' || id WHERE id % 2 = 0");
      await expectSame('id::text AS id, qty::text AS qty, note, extra');
      await change('ALTER TABLE orders ALTER qty TYPE bigint; UPDATE orders SET qty = qty + 10000000000');
      await expectSame('id::text AS id, qty::text AS qty, note, extra');
      await change('ALTER TABLE orders ALTER note DROP NOT NULL; UPDATE orders SET note = NULL WHERE id = 7');
      await expectSame('id::text AS id, qty::text AS qty, note, extra');
      await server().psql('ALTER TABLE orders DROP qty; INSERT INTO orders (id) VALUES (51)', source);
      await run(file);
      await expectSame('id::text AS id, note, extra');
      expect(await server().psql('SELECT qty IS NULL FROM orders WHERE id = 51', target)).toBe('t');
    },
    3 * MINUTES,
  );

  it(
    'end the run where they are frozen, before anything is written, until the job takes them',
    async () => {
      const frozen = job({ schema: { columns: 'freeze' } });
      await run(frozen);
      await server().psql(
        "ALTER TABLE orders ADD extra text DEFAULT 'x'; UPDATE orders SET at = now()",
        source,
      );
      const { error } = await run(frozen, 4);
      expect(error).toMatchObject({
        code: 'SLUICE-CORE-0115',
        message: 'stream public.orders has changed: column extra is new',
      });
      const plan = await place.sluice(['plan', 'job.json']);
      expect(plan.code).toBe(4);
      await run(job({ schema: { columns: 'evolve' } }));
      await expectSame('id::text AS id, extra');
      // Known now, and frozen as it is.
      await run(job({ schema: { columns: 'freeze' } }));
    },
    2 * MINUTES,
  );

  it(
    'are kept out of the targets, values or rows',
    async () => {
      await run(job());
      await server().psql(
        `ALTER TABLE orders ADD extra text;
         ALTER TABLE orders ALTER qty TYPE integer;
         UPDATE orders SET at = now(), note = 'again';
         UPDATE orders SET extra = 'x' WHERE id = 1;
         UPDATE orders SET qty = 1000000 WHERE id = 2`,
        source,
      );
      const values = job({ schema: { columns: 'discard_value', types: 'discard_value' } });
      const plan = await place.sluice(['plan', values]);
      expect(plan.stdout).toContain('column extra is new; its values are discarded');
      await run(values);
      const shown = (id: number) => server().psql(`SELECT note, qty FROM orders WHERE id = ${id}`, target);
      expect(await shown(1)).toBe('again|1');
      expect(await shown(2)).toBe('again|');
      expect(
        await server().psql(
          "SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'extra'",
          target,
        ),
      ).toBe('0');

      await server().psql("UPDATE orders SET at = now(), note = 'third'", source);
      const rows = job({
        schema: { columns: 'discard_row', types: 'discard_row' },
        errors: { max: 10 },
      });
      const result = await run(rows);
      expect(result.streams[0]).toMatchObject({ read: 50, rejected: 2, committed: 48 });
      expect(await shown(1)).toBe('again|1');
      expect(await shown(3)).toBe('third|3');
    },
    2 * MINUTES,
  );
});

/** A log of rows, each with its own columns; a reader of it is told of others only by `schema`. */
const SCRIPT = `
import { readFileSync } from 'node:fs';
import { Batch, checkpoint, defineConnector, field, streamSchema, types } from '@sluice/sdk';
import { z } from 'zod';

const kinds = { text: types.string, int: types.int32, long: types.int64 };
const fieldsOf = (columns) => Object.entries(columns).map(([name, kind]) => field(name, kinds[kind]));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

export default defineConnector({
  name: 'script',
  version: '1.0.0',
  title: 'Script',
  config: z.strictObject({ path: z.string() }),
  source: {
    options: z.strictObject({}),
    create: ({ path }) => {
      const log = JSON.parse(readFileSync(path, 'utf8'));
      return {
        capabilities: { replay: true, modes: ['incremental'], incremental: 'exact', before: false },
        check: async () => {},
        identity: async () => 'script',
        discover: async () => {
          const fields = fieldsOf(log.planned);
          const types = fields.map(({ name }) => ({ column: name, from: '', to: '', verdict: 'exact' }));
          return { streams: [{ schema: streamSchema('log', fields, ['id']), types }] };
        },
        async *splits(reads, known) {
          if (known.length === 0) yield { id: 'log', streams: ['log'], phase: 'poll', start: 0, spec: null };
        },
        open: async ({ at, reads: [{ schema }] }) => ({
          async *[Symbol.asyncIterator]() {
            let behind = true;
            for (let i = at; i < log.entries.length; i++) {
              const { columns, row, commit } = log.entries[i];
              const own = fieldsOf(columns);
              const planned = new Map(schema.fields.map((f) => [f.name, f]));
              if (!own.every((f) => same(planned.get(f.name)?.type, f.type))) {
                const fields = behind ? own : [...schema.fields.filter(({ name }) => !(name in columns)), ...own];
                yield { kind: 'schema', schema: { ...schema, fields } };
                return;
              }
              const whole = Object.fromEntries(schema.fields.map(({ name, type }) => {
                const value = row[name] ?? null;
                return [name, value !== null && type.bits === 64 ? BigInt(value) : value];
              }));
              yield Batch.ofRows(schema, [whole]);
              behind = commit;
              if (commit) yield checkpoint(i + 1);
            }
          },
          close: async () => {},
        }),
      };
    },
  },
});
`;

describe('a stream that changes on the way', () => {
  const v1 = { id: 'text', n: 'int' };
  const v2 = { id: 'text', n: 'int', extra: 'text' };
  const v3 = { id: 'text', n: 'long', extra: 'text' };
  const v4 = { id: 'text', extra: 'text' };
  const ENTRIES = [
    { columns: v1, row: { id: 'a', n: 1 }, commit: true },
    { columns: v2, row: { id: 'b', n: 2, extra: 'x' }, commit: true },
    // Within one transaction.
    { columns: v2, row: { id: 'c', n: 3, extra: 'y' }, commit: false },
    { columns: { ...v2, more: 'text' }, row: { id: 'd', n: 4, extra: 'y', more: 'm' }, commit: true },
    { columns: v3, row: { id: 'e', n: 5_000_000_000, extra: 'z' }, commit: true },
    { columns: v4, row: { id: 'f', extra: 'z' }, commit: true },
  ];
  const WANTED = [
    '"a","1",,',
    '"b","2","x",',
    '"c","3","y",',
    '"d","4","y","m"',
    '"e","5000000000","z",',
    '"f",,"z",',
  ];

  function prepare(planned: object, more: object = {}): string {
    mkdirSync(place.path('node_modules/@sluice'), { recursive: true });
    symlinkSync(`${ROOT}/sdk`, place.path('node_modules/@sluice/sdk'));
    symlinkSync(`${ROOT}/sdk/node_modules/zod`, place.path('node_modules/zod'));
    place.write('script.mjs', SCRIPT);
    place.write('log.json', JSON.stringify({ planned, entries: ENTRIES }));
    return place.job('job.json', {
      name: 'script',
      source: { connector: './script.mjs', path: place.path('log.json') },
      mode: 'incremental',
      sink: { connector: 'duckdb', path: 'lake.duckdb' },
      write: 'upsert',
      ...more,
    });
  }

  async function expectWhole(): Promise<void> {
    const dump = await dumpDuckdb(
      place.path('lake.duckdb'),
      'SELECT id, n::VARCHAR AS n, extra, more FROM main.log ORDER BY id',
    );
    expect(dump.rows).toEqual(WANTED);
  }

  it.each([
    ['what it was at first', v1],
    ['what it is at last', v4],
  ])(
    'is planned anew in its place, from %s',
    async (_, planned) => {
      const exit = await place.sluice(['run', prepare(planned), '--quiet']);
      expect(exit.code, exit.stderr + exit.stdout).toBe(0);
      expect(resultOf(exit.stdout)).toMatchObject({ status: 'succeeded' });
      await expectWhole();
      const again = await place.sluice(['run', 'job.json', '--quiet']);
      expect(again.code, again.stderr).toBe(0);
      await expectWhole();
    },
    2 * MINUTES,
  );

  it.each(['reshape.before@1', 'reshape.after-schema@2', 'reshape.after-schema@3', 'commit.before-ledger@2'])(
    'goes on behind a kill at %s',
    async (point) => {
      const program = {
        command: process.execPath,
        args: [SLUICE, 'run', prepare(v1), '--quiet'],
        cwd: place.folder,
      };
      await killAt(program, point);
      const exit = await runProgram(program);
      expect(exit.code, exit.stderr + exit.stdout).toBe(0);
      await expectWhole();
    },
    2 * MINUTES,
  );

  it(
    'ends the run where it is frozen, with everything before the change kept',
    async () => {
      const exit = await place.sluice(['run', prepare(v1, { schema: { columns: 'freeze' } }), '--quiet']);
      expect(exit.code).toBe(4);
      expect(resultOf(exit.stdout).error?.code).toBe('SLUICE-CORE-0115');
      const dump = await dumpDuckdb(place.path('lake.duckdb'), 'SELECT id FROM main.log');
      expect(dump.rows).toEqual(['"a"']);
    },
    MINUTES,
  );

  it(
    'is given up where no shape is the right one',
    async () => {
      const file = prepare(v1);
      place.write(
        'script.mjs',
        SCRIPT.replace('return;', 'return; // for ever').replace('!own.every', 'i > 0 || !own.every'),
      );
      const exit = await place.sluice(['run', file, '--quiet']);
      expect(exit.code).toBe(4);
      expect(resultOf(exit.stdout).error?.code).toBe('SLUICE-CORE-0109');
    },
    MINUTES,
  );
});

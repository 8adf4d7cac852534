/** `sluice verify`: rows of both sides compared, with differences that other software has put there. */
import { DuckDBInstance } from '@duckdb/node-api';
import type { Difference, StreamComparison } from '@sluice/core';
import type { JobSpec } from '@sluice/sdk';
import { describeWithServer, dumpPostgres, expectSameRows, killAt, seededRandom } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lines, SLUICE, Workspace } from './cli-workspace.js';

const MINUTES = 60_000;

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

async function run(job: string): Promise<void> {
  const exit = await place.sluice(['run', job, '--quiet']);
  expect(exit.code, exit.stderr + exit.stdout).toBe(0);
}

/** What `verify --json` tells, and its exit code. */
async function verify(job: string, ...args: string[]) {
  const exit = await place.sluice(['verify', job, '--json', ...args]);
  const events = lines(exit.stdout).map((line) => JSON.parse(line) as { event: string });
  return {
    code: exit.code,
    stderr: exit.stderr,
    differences: events.filter(({ event }) => event === 'difference') as unknown as Difference[],
    streams: events.filter(({ event }) => event === 'stream') as unknown as StreamComparison[],
    result: events.find(({ event }) => event === 'result') as
      | { equal: boolean; differences: number; repaired: number }
      | undefined,
  };
}

/** Differences as short texts, sorted. */
function told(differences: readonly Difference[]): string[] {
  return differences
    .map(({ kind, row, columns }) => [kind, Object.values(row).join(' '), ...columns].join(' '))
    .sort();
}

async function inDuckdb(file: string, ...statements: string[]): Promise<void> {
  const instance = await DuckDBInstance.create(place.path(file));
  const connection = await instance.connect();
  for (const sql of statements) await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

const half = { nulls: 0.2 };
/** A column of every kind that all sinks have a place for. */
const COLUMNS = {
  id: { type: 'sequence' },
  tiny: { type: 'int', bits: 8, ...half },
  long: { type: 'int', bits: 64, ...half },
  unsigned: { type: 'int', bits: 64, signed: false, ...half },
  single: { type: 'float', bits: 32, min: -1, ...half },
  double: { type: 'float', min: -1e9, max: 1e9, ...half },
  money: { type: 'decimal', precision: 12, scale: 2, ...half },
  large: { type: 'decimal', precision: 30, scale: 10, ...half },
  unbounded: { type: 'decimal', ...half },
  text: { type: 'text', min: 0, max: 3, alphabet: 'a",\n;é ', ...half },
  label: { type: 'pick', values: ['a', 'b', ''], as: 'enum', ...half },
  bytes: { type: 'bytes', ...half },
  uuid: { type: 'uuid', ...half },
  flag: { type: 'bool', ...half },
  date: { type: 'date', ...half },
  time: { type: 'time', ...half },
  fine_time: { type: 'time', unit: 'ns', ...half },
  instant: { type: 'timestamp', from: '1950-01-01T00:00:00Z', ...half },
  fine_instant: { type: 'timestamp', unit: 'ns', from: '1950-01-01T00:00:00Z', ...half },
  reading: { type: 'timestamp', zone: 'none', ...half },
  with_offset: { type: 'timestamp', zone: 'offset', ...half },
  interval: { type: 'interval', ...half },
  duration: { type: 'duration', ...half },
  fine_duration: { type: 'duration', unit: 'ns', ...half },
  native: { type: 'native', name: 'mood', values: ['sad', 'Glad'], ...half },
  nothing: { type: 'null' },
  json: { type: 'json', fields: { a: { type: 'int' }, b: { type: 'text' } }, ...half },
  list: { type: 'list', item: { type: 'int', ...half }, ...half },
  instants: { type: 'list', item: { type: 'timestamp' }, ...half },
  struct: {
    type: 'struct',
    fields: { a: { type: 'int' }, b: { type: 'text', ...half }, c: { type: 'date' } },
    ...half,
  },
  map: { type: 'map', key: { type: 'text' }, value: { type: 'decimal', precision: 10, scale: 2 }, ...half },
};
const SPECIALS = {
  double: { ...COLUMNS.double, special: { share: 0.1, values: ['NaN', 'Infinity', '-Infinity'] } },
  unbounded: { ...COLUMNS.unbounded, special: { share: 0.1, values: ['NaN'] } },
  date: { ...COLUMNS.date, special: { share: 0.1, values: ['infinity', '-infinity', '0044-03-15 BC'] } },
  instant: { ...COLUMNS.instant, special: { share: 0.1, values: ['infinity', '-infinity'] } },
};

function generated(name: string, sink: object, columns: object = COLUMNS, options?: object): string {
  return place.job(`${name}.json`, {
    name,
    source: { connector: 'generate', rows: 400, streams: { things: { columns } } },
    sink,
    write: 'replace',
    ...(options && { options }),
    types: { lossy: 'warn' },
  });
}

async function expectEqual(job: string): Promise<void> {
  await run(job);
  const { code, differences, result, stderr } = await verify(job);
  expect(differences).toEqual([]);
  expect(result, stderr).toMatchObject({ equal: true });
  expect(code).toBe(0);
}

describe('after a run nothing differs, whatever the types', () => {
  it.each([
    ['duckdb', { connector: 'duckdb', path: 'a.duckdb' }, { ...COLUMNS, ...SPECIALS }],
    ['parquet', { connector: 'file', path: 'out', format: 'parquet' }, COLUMNS],
    ['csv', { connector: 'file', path: 'out', format: 'csv' }, COLUMNS],
    ['jsonl', { connector: 'file', path: 'out', format: 'jsonl' }, COLUMNS],
    ['one file', { connector: 'file', path: 'out.csv.gz' }, COLUMNS],
  ])('in %s', async (_, sink, columns) => {
    await expectEqual(generated('kinds', sink, columns));
  });

  it.each(['parquet', 'csv'])('in folders of partitions of %s', async (format) => {
    const sink = { connector: 'file', path: 'out', format };
    await expectEqual(generated('parts', sink, COLUMNS, { partitionBy: ['flag', 'label'] }));
  });
});

describe('differences in a DuckDB file', () => {
  const csv = 'id,name,price\n1,one,1.50\n2,"",2.50\n3,,3.50\n4,four,4.50\n';

  function copy(more: Partial<JobSpec> = {}): string {
    place.write('in/items.csv', csv);
    return place.job('items.json', {
      name: 'items',
      source: { connector: 'file', path: 'in', types: { price: 'decimal(10,2)' } },
      streams: { items: { key: ['id'] } },
      sink: { connector: 'duckdb', path: 'out.duckdb' },
      write: 'upsert',
      ...more,
    } as JobSpec);
  }

  const SPOIL = [
    'DELETE FROM main.items WHERE id = 1',
    'UPDATE main.items SET name = NULL WHERE id = 2',
    "UPDATE main.items SET name = '' WHERE id = 3",
    'UPDATE main.items SET price = price + 0.01 WHERE id = 4',
    "INSERT INTO main.items VALUES (5, 'five', 5.5)",
  ];

  it('are told by key and column, and repaired', async () => {
    const job = copy();
    await run(job);
    await inDuckdb('out.duckdb', ...SPOIL);
    const found = await verify(job);
    expect(found.code).toBe(4);
    expect(told(found.differences)).toEqual([
      'different 2 name',
      'different 3 name',
      'different 4 price',
      'missing 1',
      'surplus 5',
    ]);
    expect(found.streams).toMatchObject([
      { missing: 1, surplus: 1, different: 3, rows: { source: 4, target: 4 } },
    ]);
    expect(found.stderr).toContain('SLUICE-CORE-0150');
    const repaired = await verify(job, '--repair');
    expect(repaired.result).toMatchObject({ differences: 5, repaired: 5 });
    expect(repaired.code).toBe(0);
    expect(await place.query('out.duckdb', 'SELECT id, name, price FROM main.items ORDER BY id')).toEqual([
      ['1', 'one', '1.50'],
      ['2', '', '2.50'],
      ['3', null, '3.50'],
      ['4', 'four', '4.50'],
    ]);
    expect((await verify(job)).code).toBe(0);
    await run(job);
    expect((await verify(job)).code).toBe(0);
  });

  it('are only counted beyond the limit', async () => {
    const job = copy();
    await run(job);
    await inDuckdb('out.duckdb', 'DELETE FROM main.items');
    const { differences, streams } = await verify(job, '--limit', '2');
    expect(differences).toHaveLength(2);
    expect(streams).toMatchObject([{ missing: 4 }]);
  });

  it('are those of rows that the transforms let through, as they make them', async () => {
    const job = copy({
      transforms: [
        { use: 'filter', where: 'price > 2' },
        { use: 'compute', columns: { double: 'price * 2' } },
      ],
    } as Partial<JobSpec>);
    await run(job);
    expect((await verify(job)).code).toBe(0);
    await inDuckdb('out.duckdb', "INSERT INTO main.items VALUES (1, 'one', 1.50, 3)");
    expect(told((await verify(job)).differences)).toEqual(['surplus 1']);
  });

  it('are those of the rows for which a condition holds', async () => {
    const job = copy();
    await run(job);
    await inDuckdb('out.duckdb', ...SPOIL);
    const exit = await place.sluice(['resync', job, 'items', '--where', 'id >= 3 && id < 5']);
    expect(exit.stdout).toContain('2 different, 2 repaired');
    expect(exit.code, exit.stderr).toBe(0);
    expect(told((await verify(job)).differences)).toEqual(['different 2 name', 'missing 1', 'surplus 5']);
    const other = await place.sluice(['resync', job, 'items', '--where', 'price > 2']);
    expect(other.stderr).toContain('SLUICE-CORE-0152');
  });

  it('are told of a target that is not there', async () => {
    const job = copy();
    await run(job);
    await inDuckdb('out.duckdb', 'DROP TABLE main.items');
    const { streams, code } = await verify(job);
    expect(streams).toMatchObject([{ missing: 4, notes: ['the target is not there'] }]);
    expect(code).toBe(4);
  });

  it('cannot be told of a target that lacks a column', async () => {
    const job = copy();
    await run(job);
    await inDuckdb('out.duckdb', 'ALTER TABLE main.items DROP COLUMN price');
    const { stderr, code } = await verify(job);
    expect(stderr).toContain('SLUICE-CORE-0152');
    expect(code).toBe(2);
  });
});

describe('what has no key', () => {
  it('is compared row by row, each as often as it is there', async () => {
    place.write('in/words.csv', 'word,n\na,1\na,1\nb,2\n');
    const job = place.job('words.json', {
      name: 'words',
      source: { connector: 'file', path: 'in' },
      sink: { connector: 'file', path: 'out', format: 'parquet' },
      write: 'replace',
    });
    await run(job);
    expect((await verify(job)).code).toBe(0);
    place.write('in/words.csv', 'word,n\na,1\nb,2\nb,2\nab,\n');
    const { differences, code } = await verify(job);
    expect(told(differences)).toEqual(['missing ab ', 'missing b 2', 'surplus a 1']);
    expect(code).toBe(4);
    expect((await verify(job, '--repair')).stderr).toContain('SLUICE-CORE-0152');
  });
});

it.each([
  ['a sink that cannot be read', { connector: 'generate' }, { connector: 'blackhole' }],
  ['a source that gives everything once', { connector: 'stdin' }, { connector: 'duckdb', path: 'o.duckdb' }],
])('%s is refused', async (_, source, sink) => {
  const job = place.job('no.json', { name: 'no', source, sink });
  const exit = await place.sluice(['verify', job], { input: '{"a":1}\n' });
  expect(exit.stderr).toContain('SLUICE-CORE-0152');
  expect(exit.code).toBe(2);
});

/** Types of PostgreSQL with awkward values, as SQL. */
const NATIVE_TYPES: readonly (readonly [type: string, ...values: string[]])[] = [
  ['boolean', 'true', 'false'],
  ['smallint', '-32768', '32767'],
  ['bigint', '-9223372036854775808', '9007199254740993'],
  ['real', '3.4028235e38', "'NaN'", '0.1'],
  ['double precision', "'-0'", "'-Infinity'", '5e-324', '0.1'],
  ['numeric', '1.500', "'NaN'", '-12345678901234567890123456789012345678901234567890.123456789', '1e30'],
  ['numeric(12,2)', '-0.05', '9999999999.99'],
  ['text', "''", "' '", "E'\\t\\n'", "'null'", "'\u{1F680}'"],
  ['character(5)', "'ab'", "''"],
  ['character varying(5)', "'ab '", "''"],
  ['"char"', "'x'", "''"],
  ['bytea', "''", "'\\x00ff'"],
  ['uuid', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
  ['date', "'0044-03-15 BC'", "'infinity'", "'9999-12-31'"],
  ['time', "'00:00'", "'24:00'", "'23:59:59.999999'"],
  ['timetz', "'12:00:00+05:30'"],
  ['timestamp', "'-infinity'", "'0044-03-15 12:00:00.5 BC'", "'1969-12-31 23:59:59.999999'"],
  ['timestamp(3)', "'2024-01-01 00:00:00.123'"],
  ['timestamptz', "'infinity'", "'1969-12-31 23:59:59.999999+00'"],
  ['interval', "'1 mon -2 days 00:00:03.5'", "'-1 day'", "'24:00:00'"],
  ['json', `'{"b": 1.50,  "a": [1 ,2]}'`, `'"x"'`],
  ['jsonb', `'{"b": 1.50, "a": []}'`, `'"x"'`, "'1e2'"],
  ['inet', "'10.0.0.1'", "'::1/64'"],
  ['money', "'-12.34'"],
  ['bit varying', "'1010'"],
  ['xml', "'<a/>'"],
  ['int4range', "'[1,5)'", "'empty'"],
  ['point', "'(1,2.5)'"],
  ['integer[]', "'{}'", "'{1,NULL,3}'"],
  ['text[]', `'{"a,b","",NULL}'`],
  ['numeric(10,2)[]', "'{1.50,-0.01}'"],
  ['timestamptz[]', "'{2024-01-01 00:00:00+00}'"],
];

describeWithServer('postgres-15', (server) => {
  let source: string;
  let target: string;
  const onSource = (sql: string) => server().psql(sql, source);
  const onTarget = (sql: string) => server().psql(sql, target);

  beforeEach(async () => {
    source = await server().createDatabase();
    target = await server().createDatabase();
  });
  afterEach(async () => {
    await onSource(
      `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid IS NOT NULL AND database = current_database();
       SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND database = current_database()`,
    );
  });

  function job(mode: string, write: string, more: object = {}): string {
    return place.job('job.json', {
      name: 'pairs',
      source: { connector: 'postgres', url: source },
      mode,
      sink: { connector: 'postgres', url: target },
      write,
      ...more,
    });
  }

  it('after a run nothing differs, whatever the types', async () => {
    await expectEqual(
      generated('kinds', { connector: 'postgres', url: target }, { ...COLUMNS, ...SPECIALS }),
    );
    const back = place.job('back.json', {
      name: 'back',
      source: { connector: 'postgres', url: target },
      sink: { connector: 'duckdb', path: 'back.duckdb' },
      write: 'replace',
    });
    await expectEqual(back);
    const again = place.job('again.json', {
      name: 'again',
      source: { connector: 'duckdb', path: 'back.duckdb' },
      sink: { connector: 'postgres', url: source },
      write: 'replace',
      types: { lossy: 'warn' },
    });
    await expectEqual(again);
  });

  it('after a run nothing differs, whatever the types of PostgreSQL', async () => {
    const rows = Math.max(...NATIVE_TYPES.map(([, ...values]) => values.length)) + 1;
    const columns = NATIVE_TYPES.map(([type], i) => `c${i} ${type}`);
    const values = Array.from({ length: rows }, (_, row) =>
      [row, ...NATIVE_TYPES.map(([type, ...values]) => `(${values[row] ?? 'NULL'})::${type}`)].join(', '),
    );
    await onSource(`CREATE TABLE native (id int PRIMARY KEY, ${columns.join(', ')});
      INSERT INTO native VALUES ${values.map((row) => `(${row})`).join(', ')}`);
    await expectEqual(job('full', 'replace'));
    const lossy = {
      types: { lossy: 'warn' },
      name: 'lake',
      sink: { connector: 'duckdb', path: 'lake.duckdb' },
    };
    await expectEqual(job('full', 'replace', lossy));
  });

  it(
    'a single value that is another is found in each column',
    async () => {
      const file = generated('kinds', { connector: 'postgres', url: target });
      await run(file);
      const others: { readonly [column: string]: string } = {
        tiny: 'tiny + 1',
        long: 'long - 1',
        single: 'single + 0.25',
        double: 'double + 0.5',
        money: 'money + 0.01',
        unbounded: 'unbounded + 0.0000000001',
        text: "text || ' '",
        bytes: "bytes || '\\x00'",
        uuid: 'gen_random_uuid()',
        flag: 'NOT flag',
        date: 'date + 1',
        time: "time + interval '1 microsecond'",
        instant: "instant + interval '1 microsecond'",
        reading: "reading - interval '1 microsecond'",
        interval: "interval + interval '1 microsecond'",
        nothing: "''",
        json: "'{}'",
        list: 'list || 1',
        struct: "jsonb_set(struct, '{a}', '0')",
      };
      let id = 0;
      const expected: string[] = [];
      for (const [column, other] of Object.entries(others)) {
        const where = column === 'nothing' ? 'true' : `${column} IS NOT NULL`;
        const rest = await onTarget(
          `UPDATE things SET ${column} = ${other} WHERE id = (SELECT min(id) FROM things WHERE id > ${id} AND ${where}) RETURNING id`,
        );
        id = Number.parseInt(rest, 10);
        expected.push(`different ${id} ${column}`);
      }
      expect(told((await verify(file, '--limit', '100')).differences)).toEqual(expected.sort());
    },
    MINUTES,
  );

  it(
    'differences are repaired, wherever that is interrupted',
    async () => {
      await onSource(`CREATE TABLE t (id int PRIMARY KEY, v text, other int UNIQUE);
      INSERT INTO t SELECT g, 'v' || g, g FROM generate_series(1, 500) g; ANALYZE`);
      const file = job('full', 'upsert');
      await run(file);
      const args = [SLUICE, 'verify', file, '--repair'];
      const program = { command: process.execPath, args, cwd: place.folder };
      const points = [
        'repair.before-commit',
        'commit.before-sink',
        'commit.before-ledger',
        'repair.after-commit',
      ];
      for (const point of points) {
        await onTarget(`DELETE FROM t WHERE id % 7 = 0; UPDATE t SET v = '' WHERE id % 11 = 0;
        INSERT INTO t SELECT -g, 'x', -g FROM generate_series(1, 20) g`);
        expect((await killAt(program, `${point}@1`)).signal).toBe('SIGKILL');
        const { code, stderr } = await verify(file, '--repair');
        expect(code, stderr).toBe(0);
        const sql = 'SELECT id, v, other FROM t';
        expectSameRows(await dumpPostgres(target, sql), await dumpPostgres(source, sql));
      }
      await run(file);
      expect((await verify(file)).code).toBe(0);
    },
    MINUTES,
  );

  it(
    'cannot be told, where the source has changed since the job has run',
    async () => {
      await onSource(`CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')`);
      const file = job('cdc', 'upsert');
      await run(file);
      expect((await verify(file)).code).toBe(0);
      await onSource("UPDATE t SET v = 'c' WHERE id = 2");
      const open = await verify(file);
      expect(open.stderr).toContain('SLUICE-CORE-0151');
      expect(open.code).toBe(75);
      await run(file);
      await onTarget("UPDATE t SET v = 'd' WHERE id = 1");
      expect(told((await verify(file)).differences)).toEqual(['different 1 v']);
      expect((await verify(file, '--repair')).code).toBe(0);
      await onSource("UPDATE t SET v = 'e' WHERE id = 1");
      await run(file);
      expect((await verify(file)).code).toBe(0);
    },
    MINUTES,
  );

  it(
    'tells rows on their way from rows that differ, while changes are followed',
    async () => {
      await onSource(`CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL, w text);
      INSERT INTO t SELECT g, 0, repeat('w', 50) FROM generate_series(1, 3000) g; ANALYZE`);
      const file = job('cdc', 'upsert', { delivery: { commit: { every: '300ms' } } });
      await run(file);
      const following = place.start(['run', file, '--follow', '--json']);
      await following.until((text) => text.includes('"stream.started"'));
      const random = seededRandom(7);
      const id = () => 1 + Math.floor(random() * 3000);
      let writing = true;
      const writer = (async () => {
        while (writing) {
          await onSource(`UPDATE t SET v = v + 1 WHERE id IN (${Array.from({ length: 20 }, id).join()});
          DELETE FROM t WHERE id = ${id()}; INSERT INTO t VALUES (${id()}, 1, 'new') ON CONFLICT DO NOTHING`);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })();
      try {
        for (let look = 0; look < 2; look++) {
          const { differences, stderr } = await verify(file);
          expect(differences, stderr).toEqual([]);
        }
        await onSource('INSERT INTO t VALUES (5000, 0, NULL)');
        await onTarget("INSERT INTO t VALUES (-1, 0, 'x')");
        const found = await verify(file);
        expect(told(found.differences), found.stderr).toEqual(['surplus -1']);
        expect(found.code).toBe(4);
        expect((await verify(file, '--repair')).code).toBe(75);
        writing = false;
        await writer;
        // Also when nothing changes any more, so that the log of these tables does not go on.
        await onTarget("UPDATE t SET w = 'spoilt' WHERE id = 5000");
        expect(told((await verify(file)).differences)).toEqual(['different 5000 w', 'surplus -1']);
      } finally {
        writing = false;
        await writer;
        following.signal('SIGTERM');
        await following.ended;
      }
      await run(file);
      expect((await verify(file, '--repair')).result).toMatchObject({ repaired: 2 });
      const sql = 'SELECT id, v, w FROM t';
      expectSameRows(await dumpPostgres(target, sql), await dumpPostgres(source, sql));
    },
    3 * MINUTES,
  );

  it(
    'holds little of a large table in memory, also where every row differs',
    async () => {
      await onSource(`CREATE TABLE t (id int PRIMARY KEY, v text);
      INSERT INTO t SELECT g, repeat(md5(g::text), 110) FROM generate_series(1, 30000) g; ANALYZE`);
      const file = job('full', 'replace', { memory: '32Mi' });
      await run(file);
      await onTarget("UPDATE t SET v = v || 'x'");
      place.write('report.mjs', REPORT);
      const args = ['verify', file, '--json', '--limit', '1'];
      const { stdout, stderr } = await place.sluice(args, { env: { NODE_OPTIONS: '--import ./report.mjs' } });
      expect(stdout).toContain('"different":30000');
      // The rows alone are 100 MB on each side; Node.js with the connector takes about as much by itself.
      expect(Number(/peak (\d+)/.exec(stderr)![1]) / 1024).toBeLessThan(256);
    },
    2 * MINUTES,
  );
});

/** Prints the largest size that the process has had. */
const REPORT =
  'process.on("exit", () => process.stderr.write(`peak ${process.resourceUsage().maxRSS}\\n`));\n';

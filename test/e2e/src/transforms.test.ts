/** What transforms do to rows that come again: the target is as if they had been applied to the source as it is now. */
import { describeWithServer, dumpDuckdb, dumpPostgres, expectSameRows } from '@sluice/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resultOf, Workspace } from './cli-workspace.js';

let place: Workspace;
beforeAll(() => {
  place = new Workspace();
});
afterAll(() => place.remove());

describe('rows that an incremental read brings again', () => {
  it('leave the target where they no longer match', async () => {
    place.job('orders.json', {
      name: 'orders',
      source: { connector: 'file', path: 'in/*.jsonl', stream: 'orders' },
      mode: 'incremental',
      streams: { orders: { key: ['id'] } },
      transforms: [{ use: 'filter', where: 'total > 0' }],
      sink: { connector: 'duckdb', path: 'orders.duckdb' },
      write: 'upsert',
    });
    const run = async () => {
      const exit = await place.sluice(['run', 'orders.json']);
      expect(exit.code, exit.stderr).toBe(0);
    };
    place.write('in/1.jsonl', '{"id":1,"total":5}\n{"id":2,"total":0}\n{"id":3,"total":7}\n');
    await run();
    place.write('in/2.jsonl', '{"id":1,"total":0}\n{"id":2,"total":8}\n');
    await run();
    expect(await place.query('orders.duckdb', 'SELECT id, total FROM orders ORDER BY id')).toEqual([
      ['2', '8'],
      ['3', '7'],
    ]);
  });
});

describe('routed rows', () => {
  const ORDERS = [
    { id: 1, country: 'DE', total: 5 },
    { id: 2, country: 'FR', total: 6 },
    { id: 3, country: 'DE', total: 7 },
    { id: 4, country: 'IT', total: 8 },
  ];
  const route = {
    use: 'route',
    by: [
      { where: "country == 'DE'", to: '{stream}_de' },
      { where: "country == 'FR'", to: '{stream}_fr' },
    ],
    else: '{stream}_other',
  };
  const jsonl = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

  /** A job from lines below a folder of its own into a DuckDB file and, where it is asked for, a folder. */
  function routing(name: string, more: object, sinks: object = {}) {
    place.job(`${name}.json`, {
      name,
      connections: {
        in: { connector: 'file', path: `${name}-in/*.jsonl`, stream: 'orders' },
        lake: { connector: 'duckdb', path: `${name}.duckdb` },
        out: { connector: 'file', path: `${name}-out/`, format: 'jsonl' },
      },
      flows: {
        main: {
          source: 'in',
          streams: { orders: { key: ['id'] } },
          transforms: [route],
          sinks: { lake: { to: 'lake', name: 'main.{stream}', ...more }, ...sinks },
        },
      },
    });
  }

  async function run(name: string, code = 0) {
    const exit = await place.sluice(['run', `${name}.json`, '--json']);
    expect(exit.code, exit.stderr).toBe(code);
    return exit;
  }

  const idsIn = async (name: string, route: string) =>
    (await place.query(`${name}.duckdb`, `SELECT id FROM orders_${route} ORDER BY id`)).flat();

  it('of a full copy have a table each, which every copy replaces', async () => {
    routing('copy', { write: 'replace' });
    place.write('copy-in/1.jsonl', jsonl(ORDERS));
    const exit = await run('copy');
    expect([await idsIn('copy', 'de'), await idsIn('copy', 'fr'), await idsIn('copy', 'other')]).toEqual([
      ['1', '3'],
      ['2'],
      ['4'],
    ]);
    const [stream, ...none] = resultOf(exit.stdout).streams;
    expect(none).toEqual([]);
    expect(stream).toMatchObject({ stream: 'orders', read: 4, committed: 4, filtered: 0, complete: true });
    expect(stream!.target).toBe('main.orders_de, main.orders_fr, main.orders_other');
    place.write('copy-in/1.jsonl', jsonl([...ORDERS.slice(1), { id: 5, country: 'FR', total: 1 }]));
    await run('copy');
    expect([await idsIn('copy', 'de'), await idsIn('copy', 'fr'), await idsIn('copy', 'other')]).toEqual([
      ['3'],
      ['2', '5'],
      ['4'],
    ]);
  });

  it('of which a new copy has none are not taken away unasked', async () => {
    routing('empty', { write: 'replace' });
    place.write('empty-in/1.jsonl', jsonl(ORDERS));
    await run('empty');
    place.write('empty-in/1.jsonl', jsonl(ORDERS.filter(({ country }) => country !== 'FR')));
    expect((await run('empty', 4)).stdout).toContain('orders_fr');
    expect(await idsIn('empty', 'fr')).toEqual(['2']);
    place.write('empty.json', place.read('empty.json').replace('{', '{ "allowEmpty": true,'));
    await run('empty');
    expect([await idsIn('empty', 'de'), await idsIn('empty', 'fr')]).toEqual([['1', '3'], []]);
  });

  it('that come again are deleted where they were', async () => {
    routing('again', { write: 'upsert' });
    const text = place.read('again.json').replace('"source": "in"', '"source": "in", "mode": "incremental"');
    place.write('again.json', text);
    place.write('again-in/1.jsonl', jsonl(ORDERS));
    await run('again');
    place.write(
      'again-in/2.jsonl',
      jsonl([
        { id: 1, country: 'FR', total: 5 },
        { id: 2, country: 'DE', total: 6 },
      ]),
    );
    await run('again');
    expect([await idsIn('again', 'de'), await idsIn('again', 'fr'), await idsIn('again', 'other')]).toEqual([
      ['2', '3'],
      ['1'],
      ['4'],
    ]);
  });

  it('go to several sinks, of which each takes the routes that it wants', async () => {
    routing('several', { write: 'replace' }, { out: { to: 'out', write: 'append', only: ['*_de', '*_fr'] } });
    place.write('several-in/1.jsonl', jsonl(ORDERS));
    const { streams } = resultOf((await run('several')).stdout);
    expect(
      streams.map(({ sink, target, read, filtered, committed }) => [sink, target, read, filtered, committed]),
    ).toEqual([
      ['lake', 'main.orders_de, main.orders_fr, main.orders_other', 4, 0, 4],
      ['out', expect.stringMatching(/orders_de, .*orders_fr$/), 4, 1, 3],
    ]);
    expect(
      place
        .linesBelow('several-out', '.jsonl')
        .map((line) => JSON.parse(line).id)
        .sort(),
    ).toEqual([1, 2, 3]);
    const plan = await place.sluice(['plan', 'several.json', '--json']);
    const described = JSON.parse(plan.stdout.trim().split('\n').at(-1)!).flows[0].streams;
    expect(
      described.map(({ sink, target }: { sink: string; target: string }) => `${sink} ${target}`),
    ).toEqual([
      'lake main.orders_de',
      'lake main.orders_fr',
      'lake main.orders_other',
      expect.stringMatching(/^out .*orders_de$/),
      expect.stringMatching(/^out .*orders_fr$/),
    ]);
    const drawn = await place.sluice(['plan', 'several.json', '--format', 'mermaid']);
    for (const target of ['main.orders_de', 'main.orders_fr', 'main.orders_other']) {
      expect(drawn.stdout).toContain(`[("${target}")]`);
    }
    const preview = await place.sluice(['preview', 'several.json']);
    expect(preview.code, preview.stderr).toBe(0);
    expect(preview.stdout).toMatch(/IT +8/);
  });

  it.each([
    'publish.after-route',
    'publish.before',
    'publish.before-ledger',
    'commit.before-ledger',
    'prepare.after-adopt',
  ])('are whole after a crash at %s', async (point) => {
    const name = `crash-${point.replaceAll('.', '-')}`;
    routing(name, { write: 'replace' }, { out: { to: 'out', write: 'replace' } });
    place.write(`${name}-in/1.jsonl`, jsonl(ORDERS));
    await run(name);
    place.write(`${name}-in/1.jsonl`, jsonl(ORDERS.map((row) => ({ ...row, id: row.id + 10 }))));
    const crashed = await place.sluice(['run', `${name}.json`], { env: { SLUICE_FAILPOINT: point } });
    expect(crashed.code).not.toBe(0);
    await place.sluice(['run', `${name}.json`], { env: { SLUICE_FAILPOINT: point } });
    await run(name);
    expect([await idsIn(name, 'de'), await idsIn(name, 'fr'), await idsIn(name, 'other')]).toEqual([
      ['11', '13'],
      ['12'],
      ['14'],
    ]);
    expect(
      place
        .linesBelow(`${name}-out`, '.jsonl')
        .map((line) => JSON.parse(line).id)
        .sort(),
    ).toEqual([11, 12, 13, 14]);
  });
});

describeWithServer('postgres-15', (server) => {
  let source: string;
  let target: string;
  beforeAll(async () => {
    source = await server().createDatabase();
    target = await server().createDatabase();
    await server().psql(
      `CREATE TABLE orders (id bigint PRIMARY KEY, country text, total numeric);
       INSERT INTO orders SELECT g, (ARRAY['DE', 'FR', NULL])[g % 3 + 1], g FROM generate_series(1, 3000) g; ANALYZE`,
      source,
    );
    await server().psql(
      'CREATE SCHEMA sales; CREATE TABLE sales.orders_de (id bigint PRIMARY KEY, country text, total numeric CHECK (total <> 99))',
      target,
    );
  }, 180_000);

  /** Key ranges in small epochs into three tables, of which one has a rule of its own. */
  function job(write: string, more: object = {}) {
    place.job('sales.json', {
      name: `sales-${write}`,
      connections: {
        from: { connector: 'postgres', url: source },
        to: { connector: 'postgres', url: target },
      },
      flows: {
        main: {
          source: 'from',
          streams: { 'public.orders': { source: { chunk: 'key' } } },
          transforms: [
            {
              use: 'route',
              by: [
                { where: "country == 'DE'", to: 'sales.{stream}_de' },
                { where: "country == 'FR'", to: 'sales.{stream}_fr' },
              ],
              else: 'sales.{stream}_other',
            },
          ],
          sinks: { to: { to: 'to', write, streams: { 'sales.orders_fr': { name: 'sales.french' } } } },
        },
      },
      delivery: { require: 'exactly-once', commit: { rows: 500 } },
      ...more,
    });
  }

  /** How many rows of which countries each table has, and what the source has for it. */
  async function expectRoutes(without: string): Promise<void> {
    const landed = await dumpPostgres(
      target,
      `SELECT 'de' AS route, count(*), count(DISTINCT country), sum(id) FROM sales.orders_de
       UNION ALL SELECT 'fr', count(*), count(DISTINCT country), sum(id) FROM sales.french
       UNION ALL SELECT 'other', count(*), count(DISTINCT country), sum(id) FROM sales.orders_other`,
    );
    const wanted = await dumpPostgres(
      source,
      `SELECT CASE country WHEN 'DE' THEN 'de' WHEN 'FR' THEN 'fr' ELSE 'other' END AS route, count(*), count(DISTINCT country), sum(id)
       FROM orders WHERE ${without} GROUP BY 1`,
    );
    expectSameRows(wanted, landed, { expected: 'source', actual: 'target' });
  }

  it('a row that one route refuses is a dead letter of that route, and goes there when it is replayed', async () => {
    job('upsert', { errors: { max: 5 } });
    const exit = await place.sluice(['run', 'sales.json']);
    expect(exit.code, exit.stderr).toBe(0);
    expect(resultOf(exit.stdout).streams[0]).toMatchObject({ read: 3000, rejected: 1, committed: 2999 });
    await expectRoutes('id <> 99');
    const list = JSON.parse((await place.sluice(['dlq', 'list', 'sales-upsert', '--json'])).stdout);
    expect(list.letters).toEqual([
      expect.objectContaining({
        stream: 'public.orders → sales.orders_de',
        stage: 'sink',
        payload: { id: '99', country: 'DE', total: '99' },
      }),
    ]);
    await server().psql('ALTER TABLE sales.orders_de DROP CONSTRAINT orders_de_total_check', target);
    const replay = await place.sluice(['dlq', 'replay', 'sales.json']);
    expect(replay.code, replay.stderr).toBe(0);
    await expectRoutes('true');
    const show = await place.sluice(['state', 'show', 'sales-upsert']);
    expect(show.stdout).toMatch(/^public\.orders +1 +1 +2 of 2$/m);
    expect(show.stdout).not.toContain('→ sales');
  }, 60_000);

  it.each([
    ['replace', 'publish.after-route'],
    ['replace', 'postgres.publish.after@2'],
    ['replace', 'commit.before-ledger@3'],
    ['replace', 'prepare.after-schema'],
    ['mirror', 'publish.after-route'],
  ])(
    'all routes of a %s are whole after a crash at %s, also where the ledger was lost',
    async (write, point) => {
      await server().psql(
        'DROP SCHEMA IF EXISTS sales CASCADE; DROP SCHEMA IF EXISTS _sluice CASCADE',
        target,
      );
      place.forgetLedger();
      job(write);
      const crashed = await place.sluice(['run', 'sales.json'], { env: { SLUICE_FAILPOINT: point } });
      expect(crashed.code).not.toBe(0);
      place.forgetLedger();
      const exit = await place.sluice(['run', 'sales.json']);
      expect(exit.code, exit.stderr).toBe(0);
      await expectRoutes('true');
      const again = await place.sluice(['run', 'sales.json']);
      expect(again.code, again.stderr).toBe(0);
      await expectRoutes('true');
    },
    60_000,
  );
});

describeWithServer('postgres-15', (server) => {
  let url: string;
  let count = 0;
  beforeAll(async () => {
    url = await server().createDatabase();
  }, 180_000);

  /** A table that is read as changes into a DuckDB file by way of transforms. */
  async function following(transforms: readonly object[], identity = 'FULL') {
    const name = `log${++count}`;
    await server().psql(
      `CREATE TABLE ${name} (id bigint PRIMARY KEY, country char(2), total numeric(12,2), note text);
       ALTER TABLE ${name} REPLICA IDENTITY ${identity};
       INSERT INTO ${name} SELECT g, (ARRAY['DE', 'FR', 'IT'])[g % 3 + 1], g % 7 - 3, repeat(md5(g::text), 200) FROM generate_series(1, 60) g`,
      url,
    );
    place.job(`${name}.json`, {
      name,
      connections: {
        from: { connector: 'postgres', url, slot: name, publication: name },
        lake: { connector: 'duckdb', path: `${name}.duckdb` },
      },
      flows: {
        main: {
          source: 'from',
          mode: 'cdc',
          streams: [`public.${name}`],
          transforms,
          sinks: { lake: { to: 'lake', name: 'main.{stream}', write: 'upsert' } },
        },
      },
    });
    const run = () => place.sluice(['run', `${name}.json`, '--json']);
    const change = () =>
      server().psql(
        `UPDATE ${name} SET total = -total WHERE id % 4 = 0; UPDATE ${name} SET country = 'FR' WHERE id % 5 = 0;
         UPDATE ${name} SET id = id + 1000 WHERE id % 6 = 0; DELETE FROM ${name} WHERE id % 7 = 0;
         INSERT INTO ${name} SELECT g, 'DE', g - 105, 'new' FROM generate_series(101, 110) g;
         UPDATE ${name} SET note = 'short' WHERE id % 8 = 0`,
        url,
      );
    const ran = async () => {
      const exit = await run();
      expect(exit.code, exit.stderr).toBe(0);
    };
    return { name, run, ran, change };
  }

  const COLUMNS = 'id::text AS id, country, total::text AS total, md5(note) AS note';

  async function expectSame(name: string, table: string, where: string): Promise<void> {
    const wanted = await dumpPostgres(url, `SELECT ${COLUMNS} FROM ${name} WHERE ${where}`);
    const landed = await dumpDuckdb(place.path(`${name}.duckdb`), `SELECT ${COLUMNS} FROM main.${table}`);
    expectSameRows(wanted, landed, { expected: 'source', actual: 'target' });
  }

  it.each(['FULL', 'DEFAULT'])(
    'a filtered target follows the source, whose log has the rows before as %s says',
    async (identity) => {
      const { name, ran, change } = await following(
        [{ use: 'filter', where: "total > 0 && country != 'IT'" }],
        identity,
      );
      await ran();
      await expectSame(name, name, "total > 0 AND country <> 'IT'");
      await change();
      await ran();
      await expectSame(name, name, "total > 0 AND country <> 'IT'");
    },
    120_000,
  );

  it('routed tables follow the source: rows are deleted where they were', async () => {
    const { name, ran, change } = await following([
      { use: 'route', by: [{ where: "country == 'DE'", to: '{name}_de' }], else: '{name}_other' },
    ]);
    await ran();
    await change();
    await ran();
    await expectSame(name, `${name}_de`, "country = 'DE'");
    await expectSame(name, `${name}_other`, "country <> 'DE'");
  }, 120_000);

  it('a key that a transform makes moves with its row', async () => {
    const { name, ran, change } = await following([
      { use: 'hash', columns: ['id', 'country'], into: 'k', key: true },
    ]);
    await ran();
    await change();
    await ran();
    await expectSame(name, name, 'true');
  }, 120_000);

  it.each([
    [{ use: 'filter', where: 'note != ""' }, 'come without "note"'],
    [{ use: 'hash', columns: ['country'], into: 'k', key: true }, 'do not tell which "country"'],
    [{ use: 'route', by: [{ where: 'total > 0', to: 'a' }], else: 'b' }, 'do not tell which "total"'],
  ])('the plan fails where the log would not tell: %j', async (transform, reason) => {
    const { run } = await following([transform], 'DEFAULT');
    const { code, stderr } = await run();
    expect(code).toBe(2);
    expect(stderr).toContain('SLUICE-CORE-0016');
    expect(stderr.replaceAll('\\"', '"')).toContain(reason);
  });
});

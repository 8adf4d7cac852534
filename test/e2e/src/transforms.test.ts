/** What transforms do to rows that come again: the target is as if they had been applied to the source as it is now. */
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

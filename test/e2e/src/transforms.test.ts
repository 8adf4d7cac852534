/** What transforms do to rows that come again: the target is as if they had been applied to the source as it is now. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workspace } from './cli-workspace.js';

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

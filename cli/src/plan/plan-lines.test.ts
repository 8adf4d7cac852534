import type { FlowPlan, Job, JobPlan } from '@sluice/core';
import { field, streamSchema, types } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { colours } from '../output/colours.js';
import { describePlan } from './describe-plan.js';
import { planLines } from './plan-lines.js';

const schema = streamSchema(
  'shop.orders',
  [field('id', types.int64, { nullable: false }), field('total', types.string)],
  ['id'],
);

const job = {
  flows: [
    {
      name: 'main',
      connection: { name: 'shop', connector: 'postgres' },
      transforms: [{ use: 'cast' }],
      sinks: [{ name: 'lake', connection: { name: 'duckdb', connector: 'duckdb' } }],
    },
  ],
} as unknown as Job;

function jobPlan(): JobPlan {
  const flow = {
    key: { job: 'shop', flow: 'main' },
    sinks: [
      {
        key: { job: 'shop', flow: 'main', sink: 'lake' },
        sink: { capabilities: { transactions: 'partial' } },
        onFailure: 'stop',
      },
    ],
    detached: [],
    quarantined: [],
    capabilities: { incremental: 'exact' },
    lanes: 2,
    streams: [
      {
        stream: 'shop.orders',
        read: { stream: 'shop.orders', mode: 'incremental', cursor: { column: 'at' }, options: {} },
        reading: { stream: 'shop.orders', increments: 'lagged', notes: ['lagged: for a reason'] },
        catalog: {
          estimatedRows: 1_204_000,
          types: [
            { column: 'id', from: 'bigint', to: 'int64', verdict: 'exact' },
            { column: 'total', from: 'numeric', to: 'decimal', verdict: 'exact' },
          ],
        },
        transforms: [{ writes: ['total'] }],
        targets: {
          lake: {
            table: {
              target: 'lake.orders',
              write: 'upsert',
              protocol: 'atomic',
              publish: 'none',
              exists: false,
              schema,
              types: [
                { column: 'id', from: 'int64', to: 'BIGINT', verdict: 'exact' },
                {
                  column: 'total',
                  from: 'string',
                  to: 'CHAR(5)',
                  verdict: 'lossy',
                  note: 'longer text is cut',
                },
              ],
              ddl: ['CREATE TABLE lake.orders (\n  id BIGINT\n)'],
            },
            casts: [],
            guarantee: 'exactly once',
            rung: 'columns',
            notes: ['a remark'],
          },
        },
      },
    ],
  } as unknown as FlowPlan;
  return { name: 'shop', cwd: '/', flows: [flow], connectorMemory: 1, batchMemory: 1, close: async () => {} };
}

it('is data for programs: types from end to end, with the worst verdict', () => {
  expect(describePlan(jobPlan(), job)).toMatchObject({
    job: 'shop',
    flows: [
      {
        flow: 'main',
        source: { connection: 'shop', connector: 'postgres' },
        sinks: [{ sink: 'lake', connection: 'duckdb', connector: 'duckdb', transactions: 'partial' }],
        streams: [
          {
            stream: 'shop.orders',
            read: 'incremental',
            cursor: 'at',
            key: ['id'],
            guarantee: 'exactly once',
            columns: [
              {
                column: 'id',
                source: 'bigint',
                type: 'int64',
                target: 'BIGINT',
                verdict: 'exact',
                nullable: false,
              },
              {
                column: 'total',
                type: 'string',
                target: 'CHAR(5)',
                verdict: 'lossy',
                notes: ['longer text is cut'],
              },
            ],
          },
        ],
      },
    ],
  });
});

it('is a page for people', () => {
  expect([...planLines(describePlan(jobPlan(), job), colours(false))].join('\n')).toBe(
    `shop, flow main: shop (postgres) → duckdb  1 stream, 2 at once, transactions partial, increments lagged

stream       read                       target       write   protocol  delivered     rung     publish        size
shop.orders  incremental by at, lagged  lake.orders  upsert  atomic    exactly once  columns  none     ~1.2M rows

shop.orders → lake.orders (will be created)  key id
  column  source       type            target   values
  id      bigint       int64 not null  BIGINT   exact
  total   (transform)  string          CHAR(5)  lossy: longer text is cut
  steps
    CREATE TABLE lake.orders (
      id BIGINT
    )
  notes
    lagged: for a reason
    a remark
`,
  );
});

it('names the streams that the flow goes on without, and those that it would', () => {
  const error = { code: 'SLUICE-PG-0017', class: 'data', message: 'refused', help: '', details: {} } as const;
  const plan = jobPlan();
  const quarantined = [
    { stream: 'shop.bad', at: 5, error },
    { stream: 'shop.worse', error },
  ];
  const flows = plan.flows.map((flow) => ({ ...flow, quarantined }));
  expect([...planLines(describePlan({ ...plan, flows }, job), colours(false))].slice(1, 3)).toEqual([
    '  shop.bad is quarantined: refused (SLUICE-PG-0017); sluice resync shop shop.bad brings it back',
    '  shop.worse would be quarantined: refused (SLUICE-PG-0017); sluice resync shop shop.worse brings it back',
  ]);
});

it('paints what would be lost', () => {
  const text = [...planLines(describePlan(jobPlan(), job), colours(true))].join('\n');
  expect(text).toContain('\u001b[31mlossy: longer text is cut\u001b[39m');
});

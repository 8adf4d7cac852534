// CPU of a filter, a computed column and a mask one behind the other, over a million rows in batches of 32k.
// node transforms/bench/chain.mjs (after the build)
import { Batch, columnOf, field, streamSchema, types as t } from '@sluice/sdk';
import { transforms } from '../dist/index.js';

const BATCH = 32_768;
const BATCHES = 31;
const schema = streamSchema(
  'bench',
  [
    field('id', t.int64, { nullable: false }),
    field('amount', t.decimal(12, 2)),
    field('active', t.bool),
    field('email', t.string),
  ],
  ['id'],
);
const values = [
  (i) => BigInt(i * 7),
  (i) => `${i % 1000}.${String(i % 100).padStart(2, '0')}`,
  (i) => i % 3 !== 0,
  (i) => `customer.${i}@example.com`,
];
const columns = schema.fields.map((f, at) =>
  columnOf(
    f,
    Array.from({ length: BATCH }, (_, i) => values[at](i)),
  ),
);

const steps = [
  ['filter', { where: 'amount > 1 && id >= 0' }],
  ['compute', { columns: { gross: 'amount * decimal("1.2")' } }],
  ['mask', { columns: { email: 'hmac' }, key: 'a key for this benchmark only' }],
];
const bound = [];
let current = schema;
for (const [name, options] of steps) {
  const step = await transforms[name].bind(current, transforms[name].options.parse(options), { cwd: '.' });
  bound.push([name, step]);
  current = step.out;
}

const best = {};
let rows = 0;
for (let run = 0; run < 5; run++) {
  const spent = {};
  rows = 0;
  for (let b = 0; b < BATCHES; b++) {
    let batch = Batch.ofColumns(schema, columns, BATCH, { byteSize: BATCH * 50 });
    for (const [name, step] of bound) {
      const before = process.cpuUsage();
      batch = step.apply(batch)[0];
      batch.columns();
      const { user, system } = process.cpuUsage(before);
      spent[name] = (spent[name] ?? 0) + user + system;
    }
    rows += batch.rowCount;
  }
  for (const [name, micros] of Object.entries(spent)) {
    best[name] = Math.min(best[name] ?? Infinity, (micros / 1000) * (1_000_000 / (BATCH * BATCHES)));
  }
}
process.stdout.write(`${rows} of ${BATCH * BATCHES} rows pass\n`);
for (const [name, ms] of Object.entries(best))
  process.stdout.write(`${ms.toFixed(0).padStart(6)} ms  ${name}\n`);

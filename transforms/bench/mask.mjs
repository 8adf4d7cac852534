// CPU of masking a million short values by HMAC-SHA256, beside node:crypto and crypto.hash.
// node transforms/bench/mask.mjs (after the build)
import { createHmac } from 'node:crypto';
import { Batch, columnOf, field, streamSchema, types as t } from '@sluice/sdk';
import { transforms } from '../dist/index.js';

const BATCH = 32_768;
const BATCHES = 31;
const KEY = 'a key for this benchmark only';
const emails = Array.from({ length: BATCH }, (_, i) => `customer.${i}@example.com`);
const schema = streamSchema('bench', [field('email', t.string)]);
const columns = [columnOf(schema.fields[0], emails)];
const options = (how) => ({ columns: { email: how }, key: KEY, encoding: 'hex' });

const bound = {
  hex: await transforms.mask.bind(schema, options('hmac'), { cwd: '.' }),
  base64url: await transforms.mask.bind(schema, options({ method: 'hmac', encoding: 'base64url' }), {
    cwd: '.',
  }),
  partial: await transforms.mask.bind(schema, options('partial'), { cwd: '.' }),
};
const contenders = {
  'mask hmac, hex': () => bound.hex.apply(Batch.ofColumns(schema, columns, BATCH))[0].column(0),
  'mask hmac, base64url': () => bound.base64url.apply(Batch.ofColumns(schema, columns, BATCH))[0].column(0),
  'mask partial': () => bound.partial.apply(Batch.ofColumns(schema, columns, BATCH))[0].column(0),
  'node:crypto createHmac, a tenth of the rows': () => {
    for (let i = 0; i < BATCH; i += 10) createHmac('sha256', KEY).update(emails[i]).digest('hex');
  },
};

const best = {};
for (let run = 0; run < 4; run++) {
  for (const [name, work] of Object.entries(contenders)) {
    const before = process.cpuUsage();
    for (let b = 0; b < BATCHES; b++) work();
    const { user, system } = process.cpuUsage(before);
    best[name] = Math.min(best[name] ?? Infinity, ((user + system) / 1000) * (1_000_000 / (BATCH * BATCHES)));
  }
}
for (const [name, ms] of Object.entries(best))
  process.stdout.write(`${ms.toFixed(0).padStart(6)} ms  ${name}\n`);

// Synthetic rows for measurements: ten mixed columns as a shop's order table has them, about 140 bytes a row.
import { types } from '@sluice/sdk';

export const fields = [
  types.field('id', types.int64, { nullable: false }),
  types.field('ref', types.uuid),
  types.field('status', types.string),
  types.field('customer', types.string),
  types.field('total', types.decimal(12, 2)),
  types.field('quantity', types.int32),
  types.field('paid', types.bool),
  types.field('placed', types.timestamp),
  types.field('day', types.date),
  types.field('attributes', types.json),
];

/** Batches of `batchRows` rows each, `rows` in all, the same on every call. */
export function mixedBatches(rows, batchRows) {
  let seed = 42;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed;
  };
  const statuses = ['new', 'paid', 'shipped', 'delivered', 'returned'];
  const batches = [];
  for (let first = 0; first < rows; first += batchRows) {
    batches.push(mixedBatch(first, Math.min(batchRows, rows - first), random, statuses));
  }
  return batches;
}

function mixedBatch(first, length, random, statuses) {
  const fixed = (values) => ({ length, data: { layout: 'fixed', values } });
  const id = new BigInt64Array(length);
  const total = new BigInt64Array(length);
  const placed = new BigInt64Array(length);
  const quantity = new Int32Array(length);
  const day = new Int32Array(length);
  const ref = new Uint32Array(length * 4);
  const paid = new Uint8Array((length + 7) >> 3);
  for (let i = 0; i < length; i++) {
    id[i] = BigInt(first + i + 1);
    total[i] = BigInt(random() % 10_000_000);
    placed[i] = 1_700_000_000_000_000n + BigInt(random()) * 1000n;
    quantity[i] = random() % 1000;
    day[i] = 19_000 + (random() % 730);
    for (let w = 0; w < 4; w++) ref[i * 4 + w] = random() ^ (random() >>> 16);
  }
  for (let i = 0; i < paid.length; i++) paid[i] = random() >>> 11;
  const status = [];
  const customer = [];
  const attributes = [];
  for (let i = 0; i < length; i++) {
    status.push(statuses[(random() >>> 8) % statuses.length]);
    customer.push(`customer ${(random() >>> 4) % 1_000_000}@example.org`);
    attributes.push(`{"n": ${random() >>> 12}, "tags": ["a${random() >>> 24}", "b"], "channel": "web"}`);
  }
  return {
    rows: length,
    columns: [
      fixed(id),
      { length, data: { layout: 'bytes', width: 16, values: new Uint8Array(ref.buffer) } },
      strings(status),
      strings(customer),
      fixed(total),
      fixed(quantity),
      { length, data: { layout: 'bits', values: paid } },
      fixed(placed),
      fixed(day),
      strings(attributes),
    ],
  };
}

function strings(texts) {
  const data = Buffer.from(texts.join(''), 'utf8');
  const offsets = new Int32Array(texts.length + 1);
  for (let i = 0; i < texts.length; i++) offsets[i + 1] = offsets[i] + Buffer.byteLength(texts[i]);
  return { length: texts.length, data: { layout: 'varlen', offsets, data } };
}

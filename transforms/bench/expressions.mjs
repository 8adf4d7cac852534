// CPU of filters and computed columns over a million rows, in batches of 32k as readers make them.
// node transforms/bench/expressions.mjs (after the build)
import { columnOf, field, streamSchema, types as t } from '@sluice/sdk';
import { compileExpression } from '../dist/expression/expression.js';
import { vectorOf } from '../dist/kernels/from-column.js';

const BATCH = 32_768;
const BATCHES = 31;
const fields = [
  field('id', t.int64, { nullable: false }),
  field('amount', t.decimal(12, 2)),
  field('active', t.bool),
  field('name', t.string),
  field('price', t.decimal()),
  field('at', t.timestamp),
  field('ratio', t.float64),
  field('doc', t.json),
];
const schema = streamSchema('bench', fields, ['id']);
const values = {
  id: (i) => BigInt(i * 7),
  amount: (i) => (i % 50 === 0 ? null : `${i % 1000}.${String(i % 100).padStart(2, '0')}`),
  active: (i) => (i % 10 === 0 ? null : i % 3 !== 0),
  name: (i) => `Customer ${i}`,
  price: (i) => `${i % 700}.${i % 10}`,
  at: (i) => 1_700_000_000_000_000n + BigInt(i) * 1_000_000n,
  ratio: (i) => i / 7,
  doc: (i) => `{"kind": "order", "tags": ["a", "b"], "item": {"price": ${i % 90}.5, "name": "thing ${i}"}}`,
};
const columns = fields.map((f) =>
  columnOf(
    f,
    Array.from({ length: BATCH }, (_, i) => values[f.name](i)),
  ),
);

const expressions = process.argv.slice(2);
if (expressions.length === 0) {
  expressions.push(
    'amount > 100 && active',
    'amount * decimal("1.2")',
    'lower(name) + "-" + string(id)',
    'id % 7 == 0 || ratio > 10.0',
    'at >= "2024-01-01" && name.startsWith("Cust")',
    'price > 100',
    'price * 2',
    'round(amount / 3, 2)',
    'active ? name : "none"',
    'name.matches("^[A-Z].*7$")',
    'decimal(doc.item.price) > 10',
    'doc.kind == "order"',
    'string(at)',
    'upper(trim(name))',
  );
}

for (const text of expressions) {
  const expression = compileExpression(text, schema);
  let best = Infinity;
  for (let run = 0; run < 5; run++) {
    const before = process.cpuUsage();
    for (let b = 0; b < BATCHES; b++) {
      const made = new Map();
      const column = (i) => {
        if (!made.has(i)) made.set(i, vectorOf(fields[i].type, columns[i]));
        return made.get(i);
      };
      expression.toColumn(expression.evaluate({ rows: BATCH, column }));
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, ((user + system) / 1000) * (1_000_000 / (BATCH * BATCHES)));
  }
  process.stdout.write(`${best.toFixed(0).padStart(6)} ms  ${text}\n`);
}

// Times CSV and JSON Lines, reading and writing, on rows of ten mixed columns in memory, on one thread.
// node formats/bench/text.mjs [rows] [rounds]
import { CsvWriter, JsonLinesWriter, openCsv, readJson } from '@sluice/formats';
import { columnOf, types } from '@sluice/sdk';

const rows = Number(process.argv[2] ?? 500_000);
const rounds = Number(process.argv[3] ?? 5);
const fields = [
  types.field('id', types.int64),
  types.field('uid', types.uuid),
  types.field('name', types.string),
  types.field('note', types.string),
  types.field('amount', types.decimal(12, 2)),
  types.field('qty', types.int32),
  types.field('active', types.bool),
  types.field('created_at', types.timestamp),
  types.field('day', types.date),
  types.field('doc', types.json),
];

let seed = 7;
function random(below) {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return seed % below;
}
const words = 'alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november'.split(
  ' ',
);
const word = () => words[random(words.length)];

function note() {
  const kind = random(50);
  if (kind < 5) return null;
  if (kind < 10) return `${word()}, "${word()}"`;
  if (kind < 15) return `${word()}, ${word()}`;
  if (kind === 15) return `${word()}\n${word()}`;
  return kind < 20 ? `${word()} zażółć` : `${word()} ${word()} ${word()}`;
}

function values(name, i) {
  const hex = () => random(0x10000).toString(16).padStart(4, '0');
  switch (name) {
    case 'id':
      return BigInt(i) * 1_000_003n;
    case 'uid':
      return `${hex()}${hex()}-${hex()}-${hex()}-${hex()}-${hex()}${hex()}${hex()}`;
    case 'name':
      return `${word()} ${word()}`;
    case 'note':
      return note();
    case 'amount':
      return `${random(10_000_000) - 5_000_000}.${String(random(100)).padStart(2, '0')}`;
    case 'qty':
      return random(100_000);
    case 'active':
      return random(2) === 0;
    case 'created_at':
      return 1_700_000_000_000_000n + BigInt(random(30_000_000)) * 1_000_001n;
    case 'day':
      return random(20_000);
    default:
      return `{"k": ${random(1000)}, "s": "${word()}"}`;
  }
}

const batchRows = 8192;
const batches = [];
for (let from = 0; from < rows; from += batchRows) {
  const count = Math.min(batchRows, rows - from);
  const columns = fields.map((field) =>
    columnOf(
      field,
      Array.from({ length: count }, (_, i) => values(field.name, from + i)),
    ),
  );
  batches.push({ columns, count });
}

const csv = [new CsvWriter(fields).header()];
const lines = [];
const best = new Map();
for (let round = 0; round < rounds; round++) {
  await time('write CSV', async () => {
    const writer = new CsvWriter(fields);
    const written = batches.map(({ columns, count }) => writer.write(columns, count));
    if (csv.length === 1) csv.push(...written);
    return bytesOf(written);
  });
  await time('read CSV', async () => {
    const file = await openCsv(chunks(csv), { file: 'bench.csv' });
    await count(file.batches(fields));
    return bytesOf(csv);
  });
  await time('write JSON Lines', async () => {
    const writer = new JsonLinesWriter(fields);
    const written = batches.map(({ columns, count }) => writer.write(columns, count));
    if (lines.length === 0) lines.push(...written);
    return bytesOf(written);
  });
  await time('read JSON Lines', async () => {
    await count(readJson(chunks(lines), fields, { file: 'bench.jsonl' }));
    return bytesOf(lines);
  });
}
for (const [name, { ms, bytes }] of best) {
  const [size, rate] = [bytes / 1e6, bytes / 1e3 / ms];
  const line = `${name.padEnd(18)} ${ms.toFixed(0).padStart(6)} ms CPU  ${size.toFixed(0).padStart(4)} MB  ${rate.toFixed(0).padStart(4)} MB/s`;
  process.stdout.write(`${line}  (least of ${rounds}, ${rows} rows)\n`);
}

async function time(name, work) {
  const before = process.cpuUsage();
  const bytes = await work();
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000;
  const held = best.get(name);
  if (held === undefined || held.ms > ms) best.set(name, { ms, bytes });
}

async function* chunks(parts) {
  for (const part of parts)
    for (let at = 0; at < part.length; at += 1 << 18) yield part.subarray(at, at + (1 << 18));
}

async function count(source) {
  let seen = 0;
  for await (const { rowCount } of source) seen += rowCount;
  if (seen !== rows) throw new Error(`${seen} rows instead of ${rows}`);
}

function bytesOf(parts) {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

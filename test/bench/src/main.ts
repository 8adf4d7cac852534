/**
 * `npm run bench -- [name …] [--rows N] [--rounds N]`: prints ratios and writes `bench-results/<time>.json`.
 * Without names: all of them, and against Debezium where that is installed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { startPostgres } from '@sluice/test';
import { BenchFiles } from './bench-files.js';
import { CASES } from './cases.js';
import { type BigTransaction, bigTransaction } from './changes/big-transaction.js';
import { debeziumIsInstalled } from './changes/debezium.js';
import { type Latency, latency } from './changes/latency.js';
import { compare, type Outcome } from './compare.js';
import { createDataset } from './dataset.js';
import { type ManyTables, manyTables } from './many-tables.js';
import { type StartTime, startTimes } from './start-time.js';

/** The same server for both sides, with checkpoints kept out of the way. */
const SETTINGS = { max_wal_size: '8GB', checkpoint_timeout: '1h', shared_buffers: '512MB' };

/** What is measured otherwise than by comparing rows that land. */
const OTHERS = ['many-tables', 'big-transaction', 'latency', 'start'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
  },
});
const rows = Number(values.rows);
const rounds = Number(values.rounds);
const installed = Object.keys(CASES).filter((name) => name !== 'debezium' || debeziumIsInstalled());
const names = positionals.length > 0 ? positionals : [...installed, ...OTHERS];
const unknown = names.filter((name) => !OTHERS.includes(name) && CASES[name] === undefined);
if (unknown.length > 0) {
  console.error(
    `no such benchmark: ${unknown.join(', ')}; there are ${[...Object.keys(CASES), ...OTHERS].join(', ')}`,
  );
  process.exit(2);
}

const say = (line: string) => console.log(line);
const files = new BenchFiles();
const outcomes: Outcome[] = [];
let many: ManyTables[] = [];
let big: BigTransaction[] = [];
let delays: Latency[] = [];
let starts: StartTime[] = [];
try {
  const compared = names.filter((name) => !OTHERS.includes(name));
  if (compared.length > 0) {
    await using server = await startPostgres({ version: '15', settings: SETTINGS });
    say(
      `${rows.toLocaleString('en')} rows × 10 columns; PostgreSQL 15; Node ${process.version}; ${cpus().length} cores`,
    );
    await createDataset(server, rows);
    for (const name of compared) {
      const comparison = await CASES[name]!({ server, files, rows, settings: SETTINGS });
      say(comparison.name);
      const outcome = await compare(comparison, rounds, say).finally(() => comparison.close?.());
      say(
        `  ratio ${outcome.ratio.toFixed(2)}× (${outcome.ratioMin.toFixed(2)}–${outcome.ratioMax.toFixed(2)}), at most ${outcome.atMost}×; A/A ${outcome.aa.toFixed(2)}; ${outcome.rows} rows landed; peak RSS ${Math.round(outcome.oursPeakMiB)} MiB`,
      );
      outcomes.push(outcome);
    }
  }
  if (names.includes('many-tables')) {
    await using server = await startPostgres({ version: '15', settings: SETTINGS });
    many = await manyTables(server, files, rounds);
    for (const m of many) {
      say(
        `${m.name}: ${m.oursSeconds.toFixed(1)} s, at most ${m.atMostSeconds} s (psql reads the catalogue in ${m.floorSeconds.toFixed(1)} s); peak RSS ${Math.round(m.oursPeakMiB)} MiB, at most ${m.atMostMiB} MiB`,
      );
    }
  }
  if (names.includes('big-transaction')) {
    await using server = await startPostgres({ version: '15', settings: SETTINGS });
    big = [await bigTransaction(server, files, rows)];
    for (const b of big) {
      say(
        `${b.name}: ${b.seconds.toFixed(1)} s; peak RSS ${Math.round(b.peakMiB)} MiB, at most ${b.atMostMiB} MiB`,
      );
    }
  }
  if (names.includes('latency')) {
    delays = [await latency(files)];
    for (const d of delays) {
      say(
        `${d.name}, p50/p99: ${d.oursP50Ms.toFixed(1)}/${d.oursP99Ms.toFixed(1)} ms, at most ${d.atMostP50Ms}/${d.atMostP99Ms} ms (a subscription ${d.floorP50Ms.toFixed(1)}/${d.floorP99Ms.toFixed(1)} ms); ${d.transactions} transactions; ${d.oursCpu.toFixed(2)} of a processor, ${d.idleCpu.toFixed(3)} when idle`,
      );
    }
  }
  if (names.includes('start')) {
    starts = await startTimes(files, Math.max(rounds, 7));
    for (const s of starts) {
      say(
        `${s.name}: ${Math.round(s.oursMs)} ms (node -e 0: ${Math.round(s.bareMs)} ms), at most ${s.atMostMs} ms`,
      );
    }
  }
} finally {
  files.remove();
}
mkdirSync('bench-results', { recursive: true });
const at = new Date().toISOString();
const file = `bench-results/${at.replaceAll(':', '')}.json`;
writeFileSync(
  file,
  `${JSON.stringify({ at, node: process.version, rows, outcomes, many, big, delays, starts }, null, 2)}\n`,
);
say(`written to ${file}`);

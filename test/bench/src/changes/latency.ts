/**
 * How long a commit takes to be seen in the target, under a steady load of small transactions: by the server's own
 * subscription and by Sluice. Both databases are of one server, which notes the time of each commit: one clock.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type PostgresServer, startPostgres } from '@sluice/test';
import type { BenchFiles } from '../bench-files.js';
import { type Command, measure, shell } from '../process-run.js';

export interface Latency {
  readonly name: string;
  readonly transactions: number;
  readonly floorP50Ms: number;
  readonly floorP99Ms: number;
  readonly oursP50Ms: number;
  readonly oursP99Ms: number;
  /** Processor seconds of the process that follows, for each second of the load, and for each second without any. */
  readonly oursCpu: number;
  readonly idleCpu: number;
  readonly atMostP50Ms: number;
  readonly atMostP99Ms: number;
  readonly within: boolean;
}

const PER_SECOND = 2000;
const SECONDS = 15;
/** For which nothing happens afterwards. */
const IDLE_SECONDS = 15;
/** Transactions of the first seconds do not count: programs warm up. */
const WARM_UP_SECONDS = 5;
const AT_MOST_P50_MS = 10;
const AT_MOST_P99_MS = 30;

const TABLE =
  "CREATE SCHEMA bench; CREATE TABLE bench.live (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'customer', at timestamptz NOT NULL DEFAULT now())";

export async function latency(files: BenchFiles): Promise<Latency> {
  await using server = await startPostgres({ version: '15', settings: { track_commit_timestamp: 'on' } });
  const source = await server.createDatabase();
  await server.psql(`${TABLE}; CREATE SEQUENCE bench.live_id`, source);
  const floor = await bySubscription(server, source, files);
  const ours = await bySluice(server, source, files);
  const within = ours.p50 <= AT_MOST_P50_MS && ours.p99 <= AT_MOST_P99_MS;
  return {
    name: `commit to visible, ${PER_SECOND} transactions a second`,
    transactions: ours.count,
    floorP50Ms: floor.p50,
    floorP99Ms: floor.p99,
    oursP50Ms: ours.p50,
    oursP99Ms: ours.p99,
    oursCpu: ours.cpu,
    idleCpu: ours.idleCpu,
    atMostP50Ms: AT_MOST_P50_MS,
    atMostP99Ms: AT_MOST_P99_MS,
    within,
  };
}

interface Delays {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

async function bySubscription(server: PostgresServer, source: string, files: BenchFiles): Promise<Delays> {
  const target = await server.createDatabase();
  await server.psql(
    `${TABLE}; ALTER TABLE bench.live ADD seen timestamptz DEFAULT clock_timestamp()`,
    target,
  );
  await server.psql(
    `CREATE PUBLICATION bench_live FOR TABLE bench.live;
     SELECT pg_create_logical_replication_slot('bench_live', 'pgoutput')`,
    source,
  );
  await server.psql(
    `CREATE SUBSCRIPTION bench_live CONNECTION '${source}' PUBLICATION bench_live
     WITH (create_slot = false, copy_data = false, binary = true)`,
    target,
  );
  await measure(load(source, files));
  // What is replicated has the time of its commit at the source, so that the time of the insert has to do.
  const delays = await delaysOf(server, source, target, 'seen');
  await server.psql('DROP SUBSCRIPTION bench_live', target);
  return delays;
}

async function bySluice(
  server: PostgresServer,
  source: string,
  files: BenchFiles,
): Promise<Delays & { readonly cpu: number; readonly idleCpu: number }> {
  const target = await server.createDatabase();
  await server.psql('TRUNCATE bench.live', source);
  const job = files.run(
    {
      name: 'latency',
      connections: {
        source: { connector: 'postgres', url: source },
        target: { connector: 'postgres', url: target },
      },
      flows: {
        main: {
          source: 'source',
          mode: 'cdc',
          streams: ['bench.live'],
          sinks: { main: { to: 'target', write: 'upsert', name: 'bench.live' } },
        },
      },
      delivery: { commit: { every: '5ms' } },
    },
    ['--follow'],
  );
  const follower = spawn(job.file, job.args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: job.cwd });
  const ended = once(follower, 'exit');
  try {
    await followed(server, source);
    const used = async () => Number((await measure(processorTime(follower.pid!))).stdout);
    const before = await used();
    await measure(load(source, files));
    const loaded = await used();
    const delays = await delaysOf(server, source, target);
    const rested = await used();
    await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1000));
    return { ...delays, cpu: (loaded - before) / SECONDS, idleCpu: ((await used()) - rested) / IDLE_SECONDS };
  } finally {
    follower.kill('SIGTERM');
    await ended;
  }
}

/** Waits until somebody reads the job's slot. */
async function followed(server: PostgresServer, source: string): Promise<void> {
  const reads = "SELECT count(*) FROM pg_replication_slots WHERE active AND slot_name LIKE 'sluice_latency%'";
  while ((await server.psql(reads, source)) !== '1') await new Promise((resolve) => setTimeout(resolve, 100));
}

function load(source: string, files: BenchFiles): Command {
  const script = files.write('live.sql', "INSERT INTO bench.live (id) VALUES (nextval('bench.live_id'));\n");
  const pgbench = '$(pg_config --bindir)/pgbench';
  return shell('pgbench', `${pgbench} -n -c 4 -R ${PER_SECOND} -T ${SECONDS} -f ${script} '${source}'`);
}

/** Seconds that a process and its threads have used. */
function processorTime(pid: number): Command {
  return shell('processor time', `awk -v hz=$(getconf CLK_TCK) '{print ($14 + $15) / hz}' /proc/${pid}/stat`);
}

/** When a row's transaction was committed. */
const COMMITTED = 'pg_xact_commit_timestamp(xmin)';

async function delaysOf(
  server: PostgresServer,
  source: string,
  target: string,
  seen = COMMITTED,
): Promise<Delays> {
  const times = async (url: string, at: string) =>
    timesById(
      await server.psql(`SELECT id, extract(epoch FROM ${at}) * 1000 FROM bench.live ORDER BY 2`, url),
    );
  for (;;) {
    const [from, to] = [await times(source, COMMITTED), await times(target, seen)];
    if (from.size !== to.size) continue;
    const first = from.values().next().value! + WARM_UP_SECONDS * 1000;
    const delays = [...from]
      .filter(([, at]) => at >= first)
      .map(([id, at]) => to.get(id)! - at)
      .sort((a, b) => a - b);
    const quantile = (q: number) => delays[Math.min(delays.length - 1, Math.floor(delays.length * q))]!;
    return { count: delays.length, p50: quantile(0.5), p99: quantile(0.99) };
  }
}

function timesById(lines: string): Map<string, number> {
  const pairs = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('|'));
  return new Map(pairs.map(([id, at]) => [id!, Number(at)]));
}

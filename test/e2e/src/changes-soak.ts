/**
 * A database that is written to at random while a job follows it, which is killed and disturbed at random instants; every
 * so often the writers pause, the job runs to its end, and both sides are compared.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exit, killAtRandom, type PostgresServer, runProgram, seededRandom } from '@sluice/test';
import { AuditedWriter } from './audited-writer.js';
import { changesOnce } from './changes-once.js';
import { versionsOfEach } from './every-version.js';
import { ChosenFault, type Course, type Line } from './faults.js';
import { FollowedDatabase } from './followed-database.js';
import { compareFollowed, compareWithFreshCopy, KEEPINGS, type Keeping } from './followed-sides.js';
import type { TableKind } from './random-changes.js';
import { RandomWriter } from './random-writer.js';
import { Tally } from './tally.js';

export interface ChangesSoakOptions {
  readonly sources: PostgresServer;
  readonly sinks: PostgresServer;
  readonly lines: { readonly from: Line; readonly to: Line };
  readonly keeping: Keeping;
  readonly seed: number;
  /** How often both sides are compared. */
  readonly rounds: number;
  /** What it says of itself. */
  readonly tell: (line: string) => void;
}

const WRITERS = 2;
/** Disturbed runs between two comparisons. */
const DISTURBED = 3;
/** The longest time, in milliseconds, after which a run is disturbed. */
const WINDOW = 4000;
const KINDS: readonly TableKind[] = ['plain', 'composite', 'partitioned', 'whole', 'indexed', 'child'];

/** What a run may end with when a table is dropped, gets another name or shape while it is copied. */
const MEANWHILE = ['SLUICE-PG-0019', 'SLUICE-PG-0020', 'SLUICE-PG-0053', 'SLUICE-CORE-0109'];

const POINTS = [
  'plan.before-planned',
  'plan.after-planned',
  'plan.after-joined',
  'settle.after-begin',
  'prepare.after-adopt',
  'prepare.after-schema',
  'reshape.before',
  'reshape.after-schema',
  'postgres.apply-schema.before',
  'commit.before-sink',
  'postgres.commit.before',
  'postgres.commit.before-record',
  'postgres.commit.after',
  'duckdb.commit.before',
  'duckdb.commit.after',
  'duckdb.checkpoint',
  'commit.before-ledger',
  'commit.after-ledger',
];

/** Throws with seed and step where both sides differ, or a run ends as it must not; what there is then stays. */
export async function soakChanges(options: ChangesSoakOptions): Promise<Tally> {
  const { keeping, seed } = options;
  const soak = await ChangesSoak.begin(options);
  try {
    await soak.run();
  } catch (error) {
    throw new Error(`changes, ${keeping}, seed ${seed}, ${soak.step}; see ${soak.folder}`, { cause: error });
  }
  await soak.remove();
  return soak.tally;
}

class ChangesSoak {
  readonly tally = new Tally();
  step = 'before the first run';
  private readonly random: () => number;
  private readonly file: string;
  private readonly writers: RandomWriter[];
  /** Where each change is told. */
  private readonly audited: AuditedWriter | undefined;
  private shaped = 0;

  private constructor(
    private readonly options: ChangesSoakOptions,
    private readonly followed: FollowedDatabase,
  ) {
    const { seed, keeping } = options;
    this.random = seededRandom(seed);
    this.file = followed.job(
      'soak',
      { copy: KEEPINGS[keeping], lake: KEEPINGS[keeping] },
      {
        streams: { 'public.*': {}, 'public.audit': false },
        delivery: { require: 'exactly-once', commit: { every: '200ms', rows: 2000 } },
      },
    );
    if (keeping === 'append' || keeping === 'history')
      this.audited = new AuditedWriter(followed.source, seed);
    const kinds = keeping === 'append' ? [...KINDS, 'keyless' as const] : KINDS;
    this.writers = Array.from(
      { length: WRITERS },
      (_, number) =>
        new RandomWriter(
          followed.source,
          number,
          seed,
          { kinds, shapes: true },
          followed.place.path(`writer-${number}.sql`),
        ),
    );
  }

  static async begin(options: ChangesSoakOptions): Promise<ChangesSoak> {
    const { sources, sinks, lines } = options;
    const ways = { from: lines.from.through, to: lines.to.through };
    const followed = await FollowedDatabase.create(sources, 'SELECT', { sinks, ways });
    return new ChangesSoak(options, followed);
  }

  get folder(): string {
    return this.followed.place.folder;
  }

  async run(): Promise<void> {
    for (const writer of this.writers) await writer.begin();
    await this.audited?.begin();
    for (let round = 1; round <= this.options.rounds; round++) {
      this.step = `round ${round}`;
      await this.disturbed(round);
      await this.compare(round);
    }
  }

  remove(): Promise<void> {
    return this.followed.remove();
  }

  /** Runs that are killed and disturbed, under writers that go on until the last of them. */
  private async disturbed(round: number): Promise<void> {
    const quota = 20 + Math.floor(this.random() * 60);
    const writing = Promise.all([...this.writers, this.audited].map((writer) => writer?.write(quota)));
    // Told when it is waited for.
    writing.catch(() => {});
    for (let i = 1; i <= DISTURBED; i++) {
      const what = this.chooseRun();
      this.step = `round ${round}, run ${i}: ${what.name}`;
      this.options.tell(this.step);
      await what.run();
    }
    await writing;
    this.tally.add('transactions', quota * WRITERS);
  }

  /** The writers have paused. */
  private async compare(round: number): Promise<void> {
    this.step = `round ${round}, the last run`;
    const { followed, options } = this;
    await followed.run(this.file);
    this.step = `round ${round}, compared`;
    const tables = this.writers.flatMap((writer) => writer.changes.tables);
    await compareFollowed(followed, tables, options.keeping);
    if (options.keeping === 'append') await changesOnce(followed);
    if (options.keeping === 'history') await versionsOfEach(followed);
    this.tally.add('rounds');
    const shaped = this.writers.reduce((sum, writer) => sum + writer.changes.shaped, 0);
    if (shaped === this.shaped || options.keeping !== 'upsert') return;
    this.tally.add('shapes', shaped - this.shaped);
    this.shaped = shaped;
    this.step = `round ${round}, compared with a fresh copy`;
    await compareWithFreshCopy(followed, await options.sinks.createDatabase(), tables);
  }

  private chooseRun(): { readonly name: string; run(): Promise<void> } {
    const choice = this.random();
    const program = this.followed.program(this.file);
    if (choice < 0.2) {
      const seed = Math.floor(this.random() * 2 ** 31);
      return {
        name: 'killed at a random instant',
        run: async () => this.ended(await killAtRandom(program, { minMs: 300, maxMs: WINDOW }, seed)),
      };
    }
    if (choice < 0.45) {
      const point = POINTS[Math.floor(this.random() * POINTS.length)]!;
      const at = `${point}@${1 + Math.floor(this.random() * 4)}`;
      return {
        name: `killed at ${at}`,
        run: async () =>
          this.ended(await runProgram({ ...program, env: { SLUICE_FAILPOINT: at } }), `killed at ${point}`),
      };
    }
    const fault = ChosenFault.choose(this.course(), this.random);
    const follow = choice < 0.75;
    const kill = this.random() < 0.3;
    const ms = 1500 + this.random() * WINDOW;
    return {
      name: `${fault.name}${follow ? ', followed' : ''}`,
      run: async () => {
        const exit = follow
          ? await this.follow(fault, ms, kill)
          : await runProgram(program, (it) => fault.begin(it));
        await fault.end();
        if (fault.struck) this.tally.add(fault.name);
        this.ended(exit);
      },
    };
  }

  /** A guess: what a run sends depends on what was written. */
  private course(): Course {
    const { from, to } = this.options.lines;
    const bytes = () => Math.ceil(10 ** (3 + this.random() * 3.5));
    return {
      traffic: [
        { line: from, bytes: bytes(), commits: 0 },
        { line: to, bytes: bytes(), commits: 8 },
      ],
      ms: WINDOW,
    };
  }

  private async follow(fault: ChosenFault, ms: number, kill: boolean): Promise<Omit<Exit, 'ms'>> {
    const running = this.followed.place.start(['run', this.file, '--follow', '--quiet']);
    fault.begin(() => running.signal('SIGKILL'));
    await Promise.race([sleep(ms), running.ended]);
    running.signal(kill ? 'SIGKILL' : 'SIGTERM');
    const ended = await running.ended;
    return { ...ended, stdout: running.stdout, stderr: running.stderr };
  }

  /** A run may end well, be killed, be stopped, or say that it can be repeated. */
  private ended(exit: Omit<Exit, 'ms'>, killed = 'killed at a random instant'): void {
    if (exit.signal !== null) this.tally.add(killed);
    else if (exit.code === 4 && MEANWHILE.some((code) => exit.stderr.includes(code)))
      this.tally.add('a table that changed while it was copied');
    else if (exit.code !== 0 && exit.code !== 75 && exit.code !== 143)
      throw new Error(`the run ended with ${exit.code}\n${exit.stdout}\n${exit.stderr}`);
  }
}

/** Faults that strike a scenario's run at an instant that a seed chooses: of connections, of commits and of servers. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  FaultProxy,
  type PostgresServer,
  postgresStatements,
  type RequestFinder,
  runProgram,
  seededRandom,
  UnexpectedExit,
  wasKilled,
} from '@sluice/test';
import { compareSides, finishAndCompare, type Scenario } from './scenario.js';

/** The statements that write an epoch's place and commit it. */
const COMMIT = /^INSERT INTO \S*_sluice_commits[\s\S]*COMMIT$/;

/** A Postgres server and the way of jobs to it, on which they can be disturbed. */
export class Line {
  /** Commits of epochs that came by. */
  commits = 0;
  /** Which of them, by the count of all, is the one that faults of commits are for. */
  watched = Number.NaN;
  private proxy!: FaultProxy;

  private constructor(readonly server: PostgresServer) {}

  static async start(server: PostgresServer): Promise<Line> {
    const line = new Line(server);
    line.proxy = await FaultProxy.start(server.url, line.watch);
    return line;
  }

  /** The proxy's URL of a database of the server. */
  readonly through = (url: string): string => this.proxy.through(url);

  get faults(): FaultProxy {
    return this.proxy;
  }

  private readonly watch: RequestFinder = () => {
    const find = postgresStatements(COMMIT)();
    return (bytes) => {
      const at = find(bytes);
      return at >= 0 && ++this.commits === this.watched ? at : -1;
    };
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.stop();
  }
}

/** What an undisturbed run sends over a line. */
interface Traffic {
  readonly line: Line;
  readonly bytes: number;
  readonly commits: number;
}

/** What a run does without faults, which says when they can strike. */
export interface Course {
  readonly traffic: readonly Traffic[];
  readonly ms: number;
}

/** Runs a scenario undisturbed. */
export async function courseOf(scenario: Scenario, lines: readonly Line[]): Promise<Course> {
  await scenario.reset();
  const before = lines.map(({ faults, commits }) => ({ bytes: faults.link.bytes, commits }));
  const began = performance.now();
  await finishAndCompare(scenario, 'undisturbed');
  const traffic = lines.map((line, i) => ({
    line,
    bytes: line.faults.link.bytes - before[i]!.bytes,
    commits: line.commits - before[i]!.commits,
  }));
  return { traffic: traffic.filter(({ bytes }) => bytes > 0), ms: performance.now() - began };
}

/** What strikes: called when a run begins, and calls `strikes` when it does. */
type Fault = (of: Traffic, course: Course, random: () => number, on: Stricken) => Promise<void>;

interface Stricken {
  readonly strikes: () => void;
  readonly kill: () => void;
}

/** The longest time, in milliseconds, by which a commit is late. */
const LATEST = 1500;

const cut: Fault = ({ line, bytes }, _, random, { strikes }) => {
  // What comes behind the first is not waited for: the run may end before.
  const aim = async (times: number): Promise<void> => {
    await line.faults.cutAfter(Math.ceil(random() * bytes), random() < 0.5 ? 'reset' : 'end');
    strikes();
    if (times > 1) void aim(times - 1);
  };
  return aim(3);
};

const loseReply: Fault = async ({ line, commits }, _, random, { strikes }) => {
  line.watched = line.commits + Math.ceil(random() * commits);
  await line.faults.loseReply();
  strikes();
};

const late =
  (killed: boolean): Fault =>
  async ({ line, commits }, _, random, { strikes, kill }) => {
    line.watched = line.commits + Math.ceil(random() * commits);
    const held = await line.faults.holdRequest();
    strikes();
    if (killed) kill();
    else held.cutClient();
    await sleep(random() * LATEST);
    await held.deliver();
  };

const restart =
  (killed: boolean): Fault =>
  async ({ line: { server } }, { ms }, random, { strikes }) => {
    await sleep(random() * ms);
    strikes();
    if (killed) await server.kill();
    await server.restart();
  };

/** By name; those of commits strike at lines on which there are some. */
const FAULTS: { readonly [name: string]: { readonly fault: Fault; readonly ofCommits?: true } } = {
  'connections cut': { fault: cut },
  'the reply of a commit lost': { fault: loseReply, ofCommits: true },
  'a late commit': { fault: late(false), ofCommits: true },
  'a late commit of a killed run': { fault: late(true), ofCommits: true },
  'a server restarted': { fault: restart(false) },
  'a server killed': { fault: restart(true) },
};

/** A fault that was chosen for a run. */
export class ChosenFault {
  /** Whether it came to that before the run had ended. */
  struck = false;
  private under: Promise<void> = Promise.resolve();

  private constructor(
    readonly name: string,
    private readonly fault: Fault,
    private readonly of: Traffic,
    private readonly course: Course,
    private readonly random: () => number,
  ) {}

  static choose(course: Course, random: () => number): ChosenFault {
    const some = Object.entries(FAULTS).flatMap(([name, { fault, ofCommits }]) => {
      const traffic = course.traffic.filter(({ commits }) => ofCommits === undefined || commits > 0);
      return traffic.map((of) => ({ name, fault, of }));
    });
    const { name, fault, of } = some[Math.floor(random() * some.length)]!;
    return new ChosenFault(name, fault, of, course, random);
  }

  /** When the run begins. */
  begin(kill: () => void): void {
    const strikes = () => {
      this.struck = true;
    };
    this.under = this.fault(this.of, this.course, this.random, { strikes, kill });
  }

  /** When the run has ended: nothing strikes any more. Resolves when what has struck is over. */
  async end(): Promise<void> {
    this.of.line.faults.calm();
    if (this.struck) await this.under;
  }
}

/**
 * One fault that the seed chooses strikes a run, which ends well or says that it can be repeated; then it is repeated,
 * and both sides are compared.
 */
export async function disturb(scenario: Scenario, course: Course, seed: number): Promise<ChosenFault> {
  const fault = ChosenFault.choose(course, seededRandom(seed));
  const what = `${fault.name}, seed ${seed}`;
  await scenario.reset();
  const exit = await runProgram(scenario.program, (kill) => fault.begin(kill));
  const over = fault.end();
  // What is still under way of a run that was killed comes in while the next one is there.
  if (wasKilled(exit)) {
    await Promise.all([over, finishAndCompare(scenario, what)]);
    return fault;
  }
  await over;
  if (exit.code === 0) await compareSides(scenario, what);
  else if (exit.code !== 75)
    throw new UnexpectedExit(scenario.program, `${what}: the run must end well or say that it passes`, exit);
  await finishAndCompare(scenario, what);
  return fault;
}

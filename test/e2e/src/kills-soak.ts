/** Every scenario is killed at its named points, and killed or struck by a fault at random instants. */
import { type PostgresServer, seededRandom } from '@sluice/test';
import { type Course, courseOf, disturb, type Line } from './faults.js';
import {
  changesToDuckdb,
  changesToLog,
  createSource,
  csvToDuckdb,
  dieAt,
  dieSometime,
  pointsOf,
  postgresToBoth,
  postgresToParquet,
  postgresToPostgres,
  type Scenario,
} from './scenario.js';
import { Tally } from './tally.js';

export interface KillsSoakOptions {
  readonly sources: PostgresServer;
  readonly sinks: PostgresServer;
  readonly lines: { readonly from: Line; readonly to: Line };
  /** How many kills and faults at random instants, over all scenarios. */
  readonly kills: number;
  readonly seed: number;
  /** What it says of itself. */
  readonly tell: (line: string) => void;
}

/** Throws where the ends are not equal; answers with what was done. */
export async function soakKills({
  sources,
  sinks,
  lines,
  kills,
  seed,
  tell,
}: KillsSoakOptions): Promise<string> {
  const { from, to } = lines;
  const ways = { from: from.through, to: to.through };
  const source = await createSource(sources);
  const scenarios: Scenario[] = [
    await postgresToPostgres(sinks, source, 'ctid', 'replace', ways),
    await postgresToPostgres(sinks, source, 'key', 'append', ways),
    await postgresToPostgres(sinks, source, 'key', 'upsert', ways),
    await postgresToPostgres(sinks, source, 'cursor', 'append', ways),
    await postgresToPostgres(sinks, source, 'ctid', 'mirror', ways),
    await csvToDuckdb(sources, source, 'mirror'),
    await csvToDuckdb(sources, source, 'replace'),
    await csvToDuckdb(sources, source, 'append'),
    await changesToDuckdb(sources, 'nothing', ways.from),
    await changesToDuckdb(sources, 'deleted', ways.from),
    await changesToDuckdb(sources, 'versions', ways.from),
    await changesToLog(sources, sinks, ways),
    await postgresToParquet(source, 'replace', ways.from),
    await postgresToParquet(source, 'append', ways.from),
    await postgresToBoth(sinks, source, 'replace', ways),
    await postgresToBoth(sinks, source, 'append', ways),
  ];
  const faults = new Tally();
  const courses = new Map<Scenario, Course>();
  let points = 0;
  let instants = 0;
  let killed = 0;
  try {
    for (const scenario of scenarios) {
      for (const { name, hits } of await pointsOf(scenario)) {
        for (const hit of new Set([1, Math.ceil(hits / 2), hits])) {
          await dieAt(scenario, `${name}@${hit}`);
          points++;
        }
      }
      tell(`${scenario.name}: every named point survived`);
    }
    const random = seededRandom(seed);
    for (let i = 0; i < kills; i++) {
      const scenario = scenarios[i % scenarios.length]!;
      const course = courses.get(scenario) ?? (await courseOf(scenario, [from, to]));
      courses.set(scenario, course);
      if (course.traffic.length > 0 && random() < 0.5) {
        const fault = await disturb(scenario, course, seed + i);
        if (fault.struck) faults.add(fault.name);
      } else {
        if ((await dieSometime(scenario, 1500, seed + i)).killed) killed++;
        instants++;
      }
      if ((i + 1) % 20 === 0) tell(`${i + 1} of ${kills} kills and faults survived`);
    }
  } finally {
    for (const scenario of scenarios) scenario.remove();
  }
  return `${points} kills at named points, ${instants} at random instants (${killed} hit a living run), ${faults.count()} faults (${faults})`;
}

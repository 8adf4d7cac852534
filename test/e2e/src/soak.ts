/**
 * `npm run soak [-- --kills N] [--seed N]`: kills every scenario at its named points, kills and disturbs it at random
 * instants, and compares each time.
 */
import { parseArgs } from 'node:util';
import { seededRandom, startPostgres } from '@sluice/test';
import { type Course, courseOf, disturb, Line } from './faults.js';
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

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const kills = Number(values.kills);
const firstSeed = Number(values.seed);

// Of their own, so that either can go down alone.
await using sources = await startPostgres({ version: '15' });
await using sinks = await startPostgres({ version: '15' });
await using from = await Line.start(sources);
await using to = await Line.start(sinks);
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
  await changesToDuckdb(sources, ways.from),
  await changesToLog(sources, sinks, ways),
  await postgresToParquet(source, 'replace', ways.from),
  await postgresToParquet(source, 'append', ways.from),
  await postgresToBoth(sinks, source, 'replace', ways),
  await postgresToBoth(sinks, source, 'append', ways),
];
const courses = new Map<Scenario, Course>();
let points = 0;
let instants = 0;
let killed = 0;
const faults = new Map<string, number>();
try {
  for (const scenario of scenarios) {
    for (const { name, hits } of await pointsOf(scenario)) {
      for (const hit of new Set([1, Math.ceil(hits / 2), hits])) {
        await dieAt(scenario, `${name}@${hit}`);
        points++;
      }
    }
    console.log(`${scenario.name}: every named point survived`);
  }
  const random = seededRandom(firstSeed);
  for (let i = 0; i < kills; i++) {
    const scenario = scenarios[i % scenarios.length]!;
    const course = courses.get(scenario) ?? (await courseOf(scenario, [from, to]));
    courses.set(scenario, course);
    if (course.traffic.length > 0 && random() < 0.5) {
      const { name, struck } = await disturb(scenario, course, firstSeed + i);
      if (struck) faults.set(name, (faults.get(name) ?? 0) + 1);
    } else {
      if ((await dieSometime(scenario, 1500, firstSeed + i)).killed) killed++;
      instants++;
    }
    if ((i + 1) % 20 === 0) console.log(`${i + 1} of ${kills} kills and faults survived`);
  }
} finally {
  for (const scenario of scenarios) scenario.remove();
}
const struck = [...faults.values()].reduce((sum, n) => sum + n, 0);
console.log(
  `${points} kills at named points, ${instants} at random instants (${killed} hit a living run), ${struck} faults (${[...faults].map(([name, n]) => `${name}: ${n}`).join(', ')}), every end equal`,
);

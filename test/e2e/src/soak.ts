/** `npm run soak [-- --kills N] [--seed N]`: kills every scenario at random instants, and compares each time. */
import { parseArgs } from 'node:util';
import { startPostgres } from '@sluice/test';
import {
  changesToDuckdb,
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

await using server = await startPostgres({ version: '15' });
const source = await createSource(server);
const scenarios: Scenario[] = [
  await postgresToPostgres(server, source, 'ctid', 'replace'),
  await postgresToPostgres(server, source, 'key', 'append'),
  await postgresToPostgres(server, source, 'key', 'upsert'),
  await postgresToPostgres(server, source, 'cursor', 'append'),
  await postgresToPostgres(server, source, 'ctid', 'mirror'),
  await csvToDuckdb(server, source, 'mirror'),
  await csvToDuckdb(server, source, 'replace'),
  await csvToDuckdb(server, source, 'append'),
  await changesToDuckdb(server),
  await postgresToParquet(source, 'replace'),
  await postgresToParquet(source, 'append'),
  await postgresToBoth(server, source, 'replace'),
  await postgresToBoth(server, source, 'append'),
];
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
    console.log(`${scenario.name}: every named point survived`);
  }
  for (let i = 0; i < kills; i++) {
    const scenario = scenarios[i % scenarios.length]!;
    if ((await dieSometime(scenario, 1500, firstSeed + i)).killed) killed++;
    instants++;
    if (instants % 20 === 0) console.log(`${instants} of ${kills} random instants survived`);
  }
} finally {
  for (const scenario of scenarios) scenario.remove();
}
console.log(
  `${points} kills at named points and ${instants} at random instants (${killed} hit a living run), every end equal`,
);

/**
 * `npm run soak [-- --kills N] [--seed N]`: kills every scenario at its named points, kills and disturbs it at random
 * instants, and compares each time. With `--changes N`: follows N databases that are written to at random, under kills
 * and faults; `--rounds N` says how often each is compared.
 */
import { parseArgs } from 'node:util';
import { startPostgres } from '@sluice/test';
import { soakChanges } from './changes-soak.js';
import { Line } from './faults.js';
import { KEEPINGS, type Keeping } from './followed-sides.js';
import { soakKills } from './kills-soak.js';
import { Tally } from './tally.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    changes: { type: 'string' },
    rounds: { type: 'string', default: '5' },
  },
});
const seed = Number(values.seed);

// Of their own, so that either can go down alone.
await using sources = await startPostgres({ version: '15' });
await using sinks = await startPostgres({ version: '15' });
await using from = await Line.start(sources);
await using to = await Line.start(sinks);
const tell = (line: string) => console.log(line);
const systems = { sources, sinks, lines: { from, to } };

if (values.changes === undefined) {
  const done = await soakKills({ ...systems, kills: Number(values.kills), seed, tell });
  console.log(`${done}, every end equal`);
} else {
  const keepings = Object.keys(KEEPINGS) as Keeping[];
  const tally = new Tally();
  for (let i = 0; i < Number(values.changes); i++) {
    const keeping = keepings[(seed + i) % keepings.length]!;
    tell(`seed ${seed + i}, ${keeping}`);
    tally.addAll(
      await soakChanges({ ...systems, keeping, seed: seed + i, rounds: Number(values.rounds), tell }),
    );
  }
  console.log(`${tally}; every end equal`);
}

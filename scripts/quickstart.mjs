// npm run quickstart: moves public data into a DuckDB file, looks at it, and moves only what is new the second time.
// Everything happens in the folder `quickstart`, which is emptied first.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { root } from './command.mjs';
import { install } from './install.mjs';
import { requireNode } from './node-version.mjs';

requireNode();
if (!install() || !build()) process.exit(1);

const folder = join(root, 'quickstart');
const datasets = join(root, 'node_modules', 'vega-datasets', 'data');
const sluice = join(root, 'cli', 'bin', 'sluice.js');
const cli = (path) => import(pathToFileURL(join(root, 'cli', 'dist', path)).href);
const { colours, wantsColour } = await cli('output/colours.js');
const { table } = await cli('output/table.js');
const { resultLines } = await cli('run-view/result-lines.js');
const paint = colours(wantsColour(process.stdout.isTTY === true, process.env));

prepare();

say(
  'The data: 3 million flights (Parquet), 3,376 airports (CSV), 3,201 films (JSON), and eleven years of birds',
);
say('that met aircraft (CSV). They lie in quickstart/data; the package vega-datasets brings them.');

title('The job', 'cat quickstart/job.json');
console.log(readFileSync(join(folder, 'job.json'), 'utf8').trimEnd());

title('What it would do', 'npx sluice plan quickstart/job.json --streams flights');
command('plan', 'quickstart/job.json', '--streams', 'flights');

title('Run it', 'npx sluice run quickstart/job.json');
const first = runJob();

title('Look at what arrived', 'a query on quickstart/lake.duckdb');
await query(`
  SELECT a.name AS airport, a.state, count(*) AS flights, round(100 * avg(f.late::INT), 1) AS "late %"
  FROM flights f JOIN airports a ON a.code = f.origin
  GROUP BY ALL ORDER BY flights DESC LIMIT 5`);

title('A new file arrives: the birds of 2002', 'npx sluice run quickstart/job.json');
writeFileSync(
  join(folder, 'data', 'birdstrikes-2002.csv'),
  birds((year) => year === 2002),
);
const second = runJob();
await query(`
  SELECT year(flight_date) AS year, count(*) AS strikes, sum(cost) AS cost
  FROM birdstrikes WHERE year >= 2000 GROUP BY ALL ORDER BY year`);

say(`The first run moved ${count(first.rows)} rows. The second found one new file among five and moved`);
say(`${count(second.rows)} rows: only those of birdstrikes-2002.csv. Run it once more and it moves none.`);
if (second.rows !== 627) {
  console.error(`The second run should have moved 627 rows, and moved ${second.rows}.`);
  process.exit(1);
}
say('');
say(`Next: ${paint.cyan('docs/tutorial.md')}, ten minutes.`);

function prepare() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'data'), { recursive: true });
  for (const name of ['flights-3m.parquet', 'airports.csv', 'movies.json']) {
    cpSync(join(datasets, name), join(folder, 'data', name));
  }
  writeFileSync(
    join(folder, 'data', 'birdstrikes-1990-2001.csv'),
    birds((year) => year < 2002),
  );
  // The same job, one folder higher.
  const job = readFileSync(join(root, 'docs', 'quickstart', 'job.json'), 'utf8');
  writeFileSync(join(folder, 'job.json'), job.replace('../../cli/', '../cli/'));
}

/** The lines of birdstrikes.csv of some years. Its fields hold no line breaks, and its fourth is the date. */
function birds(wanted) {
  const [head, ...lines] = readFileSync(join(datasets, 'birdstrikes.csv'), 'utf8').trimEnd().split('\n');
  const chosen = lines.filter((line) => wanted(Number(/,(\d{4})-\d\d-\d\d,/.exec(line)?.[1])));
  return `${[head, ...chosen].join('\n')}\n`;
}

/** Runs the job. Where this is no terminal, the result comes as JSON for programs; people get it in words here. */
function runJob() {
  const file = join(folder, 'result.json');
  const args = ['run', 'quickstart/job.json', '--result-file', file];
  if (process.stdout.isTTY) command(...args);
  else command(...args, '--quiet');
  const result = JSON.parse(readFileSync(file, 'utf8'));
  if (!process.stdout.isTTY) for (const line of resultLines(result, paint)) console.log(line);
  return result;
}

function command(...args) {
  const quiet = args.includes('--quiet');
  const stdio = ['inherit', quiet ? 'ignore' : 'inherit', 'inherit'];
  const { status } = spawnSync(process.execPath, [sluice, ...args], { cwd: root, stdio });
  if (status !== 0) process.exit(status ?? 1);
}

/** Prints what DuckDB itself finds in the file. */
async function query(sql) {
  const driver = createRequire(join(root, 'connectors', 'duckdb', 'package.json')).resolve(
    '@duckdb/node-api',
  );
  const { DuckDBInstance } = (await import(pathToFileURL(driver).href)).default;
  const instance = await DuckDBInstance.create(join(folder, 'lake.duckdb'), { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const result = await connection.runAndReadAll(sql);
  const names = result.columnNames();
  const rows = result
    .getRows()
    .map((row) => row.map((value) => (/^\d{5,}$/.test(value) ? count(value) : String(value ?? ''))));
  connection.closeSync();
  instance.closeSync();
  const right = (_, i) => rows.every((row) => /^[\d,.]+$/.test(row[i]));
  const columns = names.map((name, i) => ({ title: name, align: right(name, i) ? 'right' : 'left' }));
  console.log();
  for (const line of table(columns, rows, paint, process.stdout.columns)) console.log(line);
  console.log();
}

function title(text, line) {
  console.log(`\n${paint.bold(text)}\n${paint.dim(`$ ${line}`)}\n`);
}

function say(text) {
  console.log(text);
}

function count(number) {
  return Number(number).toLocaleString('en-US');
}

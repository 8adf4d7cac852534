/** `sluice init`: what it writes runs. */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { describeWithServer, psql, runProgram } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SLUICE, Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

interface Report {
  readonly job: string;
  readonly file: string;
  readonly streams: readonly string[];
  readonly variables: readonly string[];
  readonly notes: readonly string[];
  readonly next: readonly string[];
}

async function init(...args: string[]): Promise<Report> {
  const exit = await place.sluice(['init', ...args, '--json']);
  expect(exit.code, exit.stderr).toBe(0);
  return JSON.parse(exit.stdout) as Report;
}

/** Does what it says comes next. */
async function goOn({ next }: Report): Promise<void> {
  expect(next).toHaveLength(2);
  for (const command of next) {
    const exit = await place.sluice(command.split(' ').slice(1));
    expect(exit.code, `${command}: ${exit.stderr}`).toBe(0);
  }
}

describe('without a terminal', () => {
  it('writes a job from files to a database', async () => {
    place.write('in/people.csv', 'id,name\n1,Ann\n2,Bo\n');
    place.write('in/orders.csv', 'id,total\n1,2.50\n');
    const report = await init('in', 'lake.duckdb', '--streams', 'peo*');
    expect(report).toMatchObject({ file: 'in-to-lake.json', streams: ['people'], variables: [] });
    expect(JSON.parse(place.read('in-to-lake.json'))).toEqual({
      name: 'in-to-lake',
      source: { connector: 'file', path: 'in' },
      streams: ['peo*'],
      sink: { connector: 'duckdb', path: 'lake.duckdb' },
      write: 'replace',
    });
    expect(existsSync(place.path('.env'))).toBe(false);
    expect(existsSync(place.path('lake.duckdb'))).toBe(false);
    await goOn(report);
    expect(await place.query('lake.duckdb', 'SELECT name FROM people ORDER BY id')).toEqual([
      ['Ann'],
      ['Bo'],
    ]);
  });

  it('takes every answer as an option', async () => {
    const options = ['--from', 'rows=7', '--name', 'numbers', '--mode', 'incremental', '--write', 'append'];
    const report = await init('generate', 'lake.duckdb', ...options);
    const job = JSON.parse(place.read('numbers.json'));
    expect(job).toMatchObject({ name: 'numbers', source: { rows: 7 }, mode: 'incremental', write: 'append' });
    await goOn(report);
    expect(await place.query('lake.duckdb', 'SELECT count(*)::INTEGER FROM rows')).toEqual([[7]]);
  });

  it('keeps as text what the sink would bend', async () => {
    const columns = { id: { type: 'sequence' }, at: { type: 'timestamp', unit: 'ns', zone: 'offset' } };
    const streams = JSON.stringify({ x: { rows: 3, columns } });
    const report = await init('generate', 'lake.duckdb', '--from', `streams=${streams}`);
    expect(report.notes.join()).toContain('become text');
    expect(JSON.parse(place.read(report.file)).types).toEqual({ lossy: 'string' });
    await goOn(report);
  });

  it('overwrites nothing', async () => {
    place.write('people.csv', 'id\n1\n');
    place.write('people-to-lake.json', 'mine');
    const exit = await place.sluice(['init', 'people.csv', 'lake.duckdb']);
    expect(exit.code).toBe(2);
    expect(exit.stderr).toContain('SLUICE-CLI-0004');
    expect(place.read('people-to-lake.json')).toBe('mine');
  });

  it.each([
    [['people.csv'], 'must be given'],
    [['people.csv', 'lake.duckdb', '--streams', 'poeple'], 'no stream matches poeple; there are people'],
    [['people.csv', 'lake.duckdb', '--mode', 'cdc'], 'the source reads full or incremental, not cdc'],
    [['people.csv', 'lake.duckdb', '--write', 'mirror'], 'the sink writes replace or append, not mirror'],
    [['people.csv', 'lake.duckdb', '--name', '../up'], 'a name has letters'],
    [['gone.csv', 'lake.duckdb'], 'SLUICE-FILE-0001'],
  ])('refuses %j, and leaves nothing behind', async (args, reason) => {
    place.write('people.csv', 'id\n1\n');
    const exit = await place.sluice(['init', ...args]);
    expect(exit.code, exit.stdout).toBe(2);
    expect(exit.stderr.replace(/\s+/g, ' ')).toContain(reason);
    for (const file of ['people-to-lake.json', 'gone-to-lake.json', '.env', '.gitignore'])
      expect(existsSync(place.path(file))).toBe(false);
  });
});

describeWithServer('postgres-15', (server) => {
  async function shop(): Promise<string> {
    const url = await server().createDatabase();
    await psql(
      url,
      `CREATE SCHEMA shop; CREATE TABLE shop.orders (id integer PRIMARY KEY, note text);
       INSERT INTO shop.orders VALUES (1, 'a'), (2, NULL); CREATE TABLE shop.people (id integer PRIMARY KEY)`,
    );
    return url;
  }

  it('puts secrets beside the job, and the job refers to them', async () => {
    const url = await shop();
    place.write('.env', "OTHER='kept'");
    place.write('.gitignore', 'node_modules');
    const report = await init(
      url,
      'lake.duckdb',
      '--streams',
      'shop.*',
      '--name',
      'shop',
      '--write',
      'upsert',
    );
    expect(report).toMatchObject({ streams: ['shop.orders', 'shop.people'], variables: ['SHOP_SOURCE_URL'] });
    const text = place.read('shop.json');
    expect(text).not.toContain(url);
    expect(JSON.parse(text).source).toEqual({ connector: 'postgres', url: '${env:SHOP_SOURCE_URL}' });
    expect(place.read('.env')).toBe(`OTHER='kept'\nSHOP_SOURCE_URL='${url}'\n`);
    expect(place.read('.gitignore')).toBe('node_modules\n.env\n');
    await goOn(report);
    const rows = await place.query('lake.duckdb', 'SELECT id, note FROM shop.orders ORDER BY id');
    expect(rows).toEqual([
      [1, 'a'],
      [2, null],
    ]);
    const again = await init(url, 'lake.duckdb', '--streams', 'shop.orders', '--name', 'second');
    expect(again.variables).toEqual(['SECOND_SOURCE_URL']);
    expect(statSync(place.path('.env')).size).toBeGreaterThan(url.length * 2);
  });

  it('makes .env for its owner alone, and never reuses a name that holds something else', async () => {
    const url = await shop();
    const env = { SHOP_SOURCE_URL: 'something else' };
    const exit = await place.sluice(['init', url, 'lake.duckdb', '--name', 'shop', '--json'], { env });
    expect(exit.code, exit.stderr).toBe(0);
    expect(JSON.parse(exit.stdout).variables).toEqual(['SHOP_SOURCE_URL_2']);
    expect(statSync(place.path('.env')).mode & 0o777).toBe(0o600);
    expect((await place.sluice(['run', 'shop.json', '--quiet'], { env })).code).toBe(0);
  });

  it('never lets a job replace what it reads', async () => {
    const url = await shop();
    const report = await init(url, url, '--streams', 'shop.orders', '--name', 'twice');
    expect(report.notes.join()).toContain('{name}_copy');
    await goOn(report);
    await goOn(report);
    expect((await psql(url, 'SELECT count(*) FROM shop.orders_copy')).trim()).toBe('2');
    expect((await psql(url, 'SELECT count(*) FROM shop.orders')).trim()).toBe('2');
  });
});

it('asks on a terminal, and takes what is right', async (context) => {
  if (process.platform !== 'linux') context.skip('the arguments of `script` are those of Linux');
  place.write('people.csv', 'id,name\n1,Ann\n');
  place.write('orders.csv', 'id\n1\n');
  const answers = ['.', 'duckdb', 'my job', 'shop', 'lake.duckdb', 'poeple', 'people', '', 'append'];
  const exit = await runProgram({
    command: 'script',
    args: ['-qec', `stty cols 200; '${process.execPath}' '${SLUICE}' init`, '/dev/null'],
    cwd: place.folder,
    input: answers.map((answer) => `${answer}\r`).join(''),
    env: { TERM: 'xterm', NO_COLOR: '1', CI: undefined },
  });
  expect(exit.code, exit.stdout).toBe(0);
  expect(exit.stdout).toContain('a name has letters, digits, - and _, and "my job" has others');
  expect(exit.stdout).toContain('no stream matches poeple; there are');
  expect(exit.stdout).toContain('Next: sluice plan shop.json');
  expect(JSON.parse(place.read('shop.json'))).toEqual({
    name: 'shop',
    source: { connector: 'file', path: '.' },
    streams: ['people'],
    sink: { connector: 'duckdb', path: 'lake.duckdb' },
    write: 'append',
  });
  expect((await place.sluice(['run', 'shop.json', '--quiet'])).code).toBe(0);
});

it('does not show a secret while it is typed', async (context) => {
  if (process.platform !== 'linux') context.skip('the arguments of `script` are those of Linux');
  const line = `stty cols 200; '${process.execPath}' '${SLUICE}' init postgres lake.duckdb --name shop`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: place.folder,
    env: { ...process.env, TERM: 'xterm', NO_COLOR: '1', CI: undefined },
  });
  let screen = '';
  let isAnswered = false;
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    if (isAnswered || !screen.includes('source postgres: url')) return;
    isAnswered = true;
    child.stdin.write('postgres://ann:pw-example@127.0.0.1:9/shop\r');
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  child.stdin.destroy();
  expect(code, screen).toBe(75);
  expect(isAnswered).toBe(true);
  expect(screen).toContain('SLUICE-PG-0001');
  expect(screen).not.toContain('pw-example');
  expect(existsSync(place.path('.env'))).toBe(false);
});

/** What the file of the SQLite ledger promises beyond the contract: durability, other processes, bad files. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { currentHolder } from './holder.js';
import { SqliteFile } from './sqlite-file.js';
import { openSqliteLedger } from './sqlite-ledger.js';

const dist = new URL('../../dist/ledger/', import.meta.url).href;
const KEY = { job: 'j', flow: 'f', sink: 'k' };
const split = { id: 'p', streams: ['s'], phase: 'bulk' as const, start: 0, spec: null };
const UNUSABLE = { code: 'SLUICE-CORE-0104' };

let folder: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-sqlite-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) await kill(child);
  rmSync(folder, { recursive: true });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** Runs a module's text with `openSqliteLedger` and `currentHolder` at hand. */
function start(script: string, options: { nobody?: boolean; before?: string } = {}) {
  const head = `import { openSqliteLedger } from ${JSON.stringify(`${dist}sqlite-ledger.js`)};
    import { currentHolder } from ${JSON.stringify(`${dist}holder.js`)};
    const KEY = ${JSON.stringify(KEY)}, split = ${JSON.stringify(split)};\n`;
  // A test that runs as root gives its rights up only now: the program and its packages may be root's alone.
  const drop = options.nobody
    ? 'if (process.getuid?.() === 0) { process.setgid(65534); process.setuid(65534); }\n'
    : '';
  const node = [process.execPath, '--input-type=module', '-e', head + drop + script];
  const command =
    options.before === undefined ? node : ['sh', '-c', `${options.before}; exec "$0" "$@"`, ...node];
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
  let errors = '';
  child.stderr!.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  return { child, lines, ended: once(child, 'close'), errors: () => errors };
}

async function until(met: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!met()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A reader that shares nothing with the ledger. */
function python(path: string, sql: string): string {
  const script = 'import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall())';
  return execFileSync('python3', ['-c', script, path, sql], { encoding: 'utf8' }).trim();
}

it('makes its folder, hidden from version control, and a file that SQLite reads', async () => {
  const path = join(folder, 'deep/.sluice/state.db');
  const ledger = await openSqliteLedger(path);
  const lease = await ledger.acquire('j', currentHolder('r'), 1000);
  await ledger.raiseFence(lease, 2n ** 62n);
  expect(readFileSync(join(folder, 'deep/.sluice/.gitignore'), 'utf8')).toBe('*\n');
  expect(python(path, 'pragma journal_mode')).toBe("[('wal',)]");
  await ledger.close();
  expect(python(path, 'pragma integrity_check')).toBe("[('ok',)]");
  expect(python(path, 'select job, fence from leases')).toBe(`[('j', ${2n ** 62n + 1n})]`);
});

it('lets SQLite sync every commit, so that a power cut takes none back', async () => {
  const path = join(folder, 'state.db');
  const options = { readOnly: false, patienceMs: 1000, now: 0 };
  const file = await SqliteFile.open(path, options);
  const FULL = 2;
  expect(file.get('PRAGMA synchronous')).toMatchObject({ synchronous: FULL });
  expect(file.get('PRAGMA journal_mode')).toMatchObject({ journal_mode: 'wal' });
  file.close();
});

it('puts no .gitignore into a folder that was there and is not its own', async () => {
  await (await openSqliteLedger(join(folder, 'state.db'))).close();
  expect(readdirSync(folder)).not.toContain('.gitignore');
  mkdirSync(join(folder, '.sluice'));
  await (await openSqliteLedger(join(folder, '.sluice/state.db'))).close();
  expect(readdirSync(join(folder, '.sluice'))).toContain('.gitignore');
});

it('holds everything that a process had reported when it was killed', async () => {
  const path = join(folder, 'state.db');
  const script = `
    const ledger = await openSqliteLedger(${JSON.stringify(path)});
    const lease = await ledger.acquire('j', currentHolder('r' + process.pid), 60000);
    await ledger.registerSink(lease, KEY, { source: 'a', target: 'b' });
    const known = (await ledger.flow(KEY)).sinks.k.positions.p?.epoch ?? 0;
    for (let epoch = known + 1; ; epoch++) {
      await ledger.commit(lease, KEY, { split, generation: 1, epoch, position: { epoch }, sealed: false }, { rows: 1, bytes: 2 });
      console.log(epoch);
    }`;
  let reported = 0;
  for (let round = 1; round <= 6; round++) {
    const { child, lines, ended, errors } = start(script);
    await until(() => lines.length >= 5 + round * 7 || child.exitCode !== null, `commits ${errors()}`);
    child.kill('SIGKILL');
    await ended;
    expect(errors()).toBe('');
    const last = Number(lines.at(-1));
    expect(last, 'each process goes on where the one before was killed').toBeGreaterThan(reported);
    reported = last;

    const ledger = await openSqliteLedger(path);
    const state = await ledger.flow(KEY);
    const { epoch, position } = state.sinks['k']!.positions['p']!;
    expect(epoch).toBeGreaterThanOrEqual(reported);
    expect(epoch, 'one commit may have been under way').toBeLessThanOrEqual(reported + 1);
    expect(position).toEqual({ epoch });
    const history = await ledger.epochs(KEY, 100_000);
    expect(history.map((row) => row.epoch)).toEqual(Array.from({ length: epoch }, (_, i) => epoch - i));
    await ledger.close();
  }
  expect(python(path, 'pragma integrity_check')).toBe("[('ok',)]");
});

it('takes over from a killed process: at once where processes can be told apart, else when the lease ends', async () => {
  const path = join(folder, 'state.db');
  const { child, lines, ended } = start(`
    const ledger = await openSqliteLedger(${JSON.stringify(path)});
    await ledger.acquire('j', currentHolder('child'), 3600000);
    console.log('held');
    setInterval(() => {}, 1000);`);
  await until(() => lines.length > 0, 'the lease');
  const ledger = await openSqliteLedger(path);
  try {
    const refused = ledger.acquire('j', currentHolder('r2'), 1000);
    await expect(refused).rejects.toMatchObject({
      code: 'SLUICE-CORE-0101',
      details: { run: 'child', pid: child.pid },
    });
    child.kill('SIGKILL');
    await ended;
    const next = ledger.acquire('j', currentHolder('r2'), 1000);
    if (process.platform === 'linux') expect((await next).fence).toBe(2n);
    else await expect(next).rejects.toMatchObject({ code: 'SLUICE-CORE-0101' });
  } finally {
    await ledger.close();
  }
});

it('gives every lease its own fence, whoever races for it', async () => {
  const path = join(folder, 'state.db');
  const script = `
    const ledger = await openSqliteLedger(${JSON.stringify(path)});
    for (let taken = 0; taken < 25; ) {
      try {
        const lease = await ledger.acquire('j', currentHolder('r'), 60000);
        console.log(lease.fence.toString());
        taken++;
        await ledger.release(lease);
      } catch (error) {
        if (error.code !== 'SLUICE-CORE-0101') throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
    }
    await ledger.close();`;
  const racers = [start(script), start(script), start(script)];
  await Promise.all(racers.map(({ ended }) => ended));
  for (const { errors, lines } of racers) {
    expect(errors()).toBe('');
    const own = lines.map(Number);
    expect(own).toEqual([...own].sort((a, b) => a - b));
  }
  const all = racers.flatMap(({ lines }) => lines.map(Number)).sort((a, b) => a - b);
  expect(all).toEqual(Array.from({ length: 75 }, (_, i) => i + 1));
});

it('waits for the lock of another process without stopping this one', async () => {
  const path = join(folder, 'state.db');
  const ledger = await openSqliteLedger(path, { patienceMs: 1500 });
  const hold = (seconds: number) => {
    const script = `import sqlite3,sys,time
c=sqlite3.connect(sys.argv[1],isolation_level=None); c.execute("begin immediate"); print("locked",flush=True); time.sleep(${seconds}); c.execute("rollback")`;
    const child = spawn('python3', ['-c', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return once(child.stdout!, 'data');
  };
  try {
    await hold(0.6);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const lease = await ledger.acquire('j', currentHolder('r'), 60_000);
    clearInterval(timer);
    expect(lease.fence).toBe(1n);
    expect(ticks).toBeGreaterThan(2);
    await hold(30);
    await expect(ledger.renew(lease, 1000)).rejects.toMatchObject({
      code: 'SLUICE-CORE-0121',
      class: 'transient',
    });
    expect((await ledger.lease('j'))?.fence, 'readers are not in the way of a writer').toBe(1n);
  } finally {
    await ledger.close();
  }
});

it('reads a flow as it is now, whoever has written since it was read last', async () => {
  const path = join(folder, 'state.db');
  const [ours, theirs] = [await openSqliteLedger(path), await openSqliteLedger(path)];
  try {
    const lease = await ours.acquire('j', currentHolder('r'), 60_000);
    await ours.startGeneration(lease, KEY, 's', 1);
    const first = await ours.flow(KEY);
    expect(await ours.flow(KEY)).toBe(first);
    expect(await ours.flow({ ...KEY, flow: 'other' })).toEqual({ streams: {}, splits: {}, sinks: {} });
    await ours.startGeneration(lease, KEY, 's', 2);
    expect((await ours.flow(KEY)).streams['s']).toEqual({ generation: 2, planned: false });
    await theirs.startGeneration(lease, KEY, 's', 3);
    expect((await ours.flow(KEY)).streams['s']).toEqual({ generation: 3, planned: false });
    expect((await theirs.flow(KEY)).streams['s']).toEqual({ generation: 3, planned: false });
  } finally {
    await ours.close();
    await theirs.close();
  }
});

it('leaves a ledger of a newer version as it is', async () => {
  const path = join(folder, 'state.db');
  await (await openSqliteLedger(path)).close();
  execFileSync('python3', [
    '-c',
    `import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute("update meta set value='99' where key='version'"); c.commit(); c.close()`,
    path,
  ]);
  const before = readFileSync(path);
  const opened = openSqliteLedger(path);
  await expect(opened).rejects.toMatchObject({
    code: 'SLUICE-CORE-0103',
    details: { version: 99, known: 5 },
  });
  await expect(openSqliteLedger(path, { readOnly: true })).rejects.toMatchObject({
    code: 'SLUICE-CORE-0103',
  });
  expect(readFileSync(path).equals(before)).toBe(true);
});

it('brings a ledger of version 1 up to date and keeps what it knows', async () => {
  const path = join(folder, 'state.db');
  const first = await openSqliteLedger(path);
  const lease = await first.acquire('shop', currentHolder('r1'), 1000);
  await first.release(lease);
  await first.close();
  execFileSync('python3', [
    '-c',
    `import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.executescript("drop table letters; drop table copy_requests; alter table streams drop column schema; alter table streams drop column quarantined; update meta set value='1' where key='version'")`,
    path,
  ]);
  await expect(openSqliteLedger(path, { readOnly: true })).rejects.toMatchObject({
    code: 'SLUICE-CORE-0104',
    message: expect.stringContaining('older version'),
  });
  const second = await openSqliteLedger(path);
  expect(await second.jobs()).toEqual(['shop']);
  expect(await second.letters('shop', {}, 1)).toEqual([]);
  expect(await second.requestedCopies({ job: 'shop', flow: 'main' })).toEqual([]);
  await second.close();
});

it('refuses what is no ledger, names it and leaves it as it is', async () => {
  const text = join(folder, 'notes.txt');
  writeFileSync(text, 'not a database, '.repeat(500));
  const foreign = join(folder, 'foreign.db');
  python(foreign, 'create table meta (key, value)');
  const cut = join(folder, 'cut.db');
  await (await openSqliteLedger(join(folder, 'whole.db'))).close();
  copyFileSync(join(folder, 'whole.db'), cut);
  writeFileSync(cut, readFileSync(cut).subarray(0, 6000));
  for (const path of [text, foreign, cut]) {
    const before = readFileSync(path);
    for (const readOnly of [true, false]) {
      await expect(openSqliteLedger(path, { readOnly }), path).rejects.toMatchObject(UNUSABLE);
      await expect(openSqliteLedger(path, { readOnly })).rejects.toThrow(path);
    }
    expect(readFileSync(path).equals(before), path).toBe(true);
  }
  await expect(openSqliteLedger(text)).rejects.toThrow('is not a database');
  await expect(openSqliteLedger(foreign)).rejects.toThrow('something else');
});

it('says which folder or file is in the way', async () => {
  await expect(openSqliteLedger(folder)).rejects.toThrow(`${folder} cannot be used: it is a folder`);
  writeFileSync(join(folder, 'file'), '');
  await expect(openSqliteLedger(join(folder, 'file/state.db'))).rejects.toMatchObject(UNUSABLE);
  await expect(openSqliteLedger(join(folder, 'file/deep/state.db'))).rejects.toMatchObject(UNUSABLE);
  const missing = openSqliteLedger(join(folder, 'no/state.db'), { readOnly: true });
  await expect(missing).rejects.toThrow('there is no such file');
  expect(existsSync(join(folder, 'no'))).toBe(false);
});

it('takes an empty file for a new ledger', async () => {
  const path = join(folder, 'state.db');
  writeFileSync(path, '');
  const ledger = await openSqliteLedger(path);
  expect(await ledger.jobs()).toEqual([]);
  await ledger.close();
});

it('reads without writing when it is asked to, also beside a writer', async () => {
  const path = join(folder, 'odd name?#%.db');
  const writer = await openSqliteLedger(path);
  const lease = await writer.acquire('j', currentHolder('r'), 60_000);
  const reader = await openSqliteLedger(path, { readOnly: true });
  expect(await reader.lease('j')).toEqual(lease);
  await expect(reader.acquire('i', currentHolder('r'), 1)).rejects.toMatchObject({
    code: 'SLUICE-CORE-0120',
  });
  await writer.startGeneration(lease, KEY, 's', 4);
  expect((await reader.flow(KEY)).streams).toEqual({ s: { generation: 4, planned: false } });
  await reader.close();
  await writer.close();
  await expect(writer.jobs()).rejects.toMatchObject({ code: 'SLUICE-CORE-0120' });
});

const OPEN_AND_WRITE = (path: string) => `
  try {
    const ledger = await openSqliteLedger(${JSON.stringify(path)});
    console.log('opened');
    const lease = await ledger.acquire('j', currentHolder('r'), 60000);
    await ledger.registerSink(lease, KEY, { source: 'a', target: 'b' });
    for (let epoch = 1; epoch < 2000; epoch++) {
      await ledger.commit(lease, KEY, { split, generation: 1, epoch, position: 'x'.repeat(1000), sealed: false }, { rows: 1, bytes: 2 });
      console.log('committed ' + epoch);
    }
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, message: error.message }));
  }`;

it('says that it may not write', async () => {
  await (await openSqliteLedger(join(folder, 'state.db'))).close();
  chmodSync(join(folder, 'state.db'), 0o444);
  chmodSync(folder, 0o555);
  try {
    for (const name of ['state.db', 'new.db', 'new/state.db']) {
      const { lines, ended, errors } = start(OPEN_AND_WRITE(join(folder, name)), { nobody: true });
      await ended;
      expect(errors()).toBe('');
      const last = JSON.parse(lines.at(-1)!) as { code: string; message: string };
      expect(last.code, last.message).toBe('SLUICE-CORE-0104');
      expect(last.message).toContain(folder);
    }
  } finally {
    chmodSync(folder, 0o755);
  }
});

it('keeps what was committed when the disk takes no more', async () => {
  const path = join(folder, 'state.db');
  await (await openSqliteLedger(path)).close();
  // Files of the child end at 4096 blocks (2 or 4 MiB, as the shell counts); the signal for it is ignored.
  const { lines, ended, errors } = start(OPEN_AND_WRITE(path), { before: `trap '' XFSZ; ulimit -f 4096` });
  await ended;
  expect(errors()).toBe('');
  const failure = JSON.parse(lines.at(-1)!) as { code: string; message: string };
  expect(failure.code, failure.message).toBe('SLUICE-CORE-0104');
  expect(failure.message).toContain(path);
  const committed = lines.filter((line) => line.startsWith('committed')).length;
  expect(committed).toBeGreaterThan(20);
  const ledger = await openSqliteLedger(path);
  expect((await ledger.flow(KEY)).sinks['k']!.positions['p']!.epoch).toBe(committed);
  await ledger.close();
  expect(python(path, 'pragma integrity_check')).toBe("[('ok',)]");
});

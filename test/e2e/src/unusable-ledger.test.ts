/** A ledger that cannot be used: the run says what is in the way and what to do, and writes nothing into the sink. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { JobSpec } from '@sluice/sdk';
import { needsSmallDisk, SmallDisk } from '@sluice/test';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resultOf, Workspace } from './cli-workspace.js';

const MINUTE = 60_000;
const CONTRACT = 4;
const TRANSIENT = 75;

let place: Workspace;
let job: string;
beforeEach(() => {
  place = new Workspace();
  const spec: JobSpec = {
    name: 'shop',
    source: { connector: 'generate', rows: 100 },
    sink: { connector: 'file', path: 'out/', format: 'csv' },
    write: 'append',
  };
  job = place.job('job.json', spec);
});
afterEach(() => place.remove());

/** The run ends with the code and names the ledger and the reason; the sink is as it was: not there. */
async function expectRefused(ledger: string, exitCode: number, code: string, reason: string): Promise<void> {
  const exit = await place.sluice(['run', job, '--state', ledger]);
  expect(exit.code, exit.stderr).toBe(exitCode);
  const { error } = resultOf(exit.stdout);
  expect(error).toMatchObject({ code });
  expect(error?.message).toContain(ledger);
  expect(error?.message).toContain(reason);
  expect(exit.stderr).toContain(error!.help.split(/[.:]/)[0]!.slice(0, 20));
  expect(place.exists('out', 'rows')).toBe(false);
}

async function expectRuns(ledger: string): Promise<void> {
  const exit = await place.sluice(['run', job, '--state', ledger]);
  expect(exit.code, exit.stderr).toBe(0);
  expect(place.linesBelow('out/rows', '.csv')).toHaveLength(101);
}

it(
  'a folder in its place',
  async () => {
    mkdirSync(place.path('state.db'));
    await expectRefused(place.path('state.db'), CONTRACT, 'SLUICE-CORE-0104', 'it is a folder');
  },
  MINUTE,
);

it(
  'a file of something else, and one that is damaged, which stay as they are',
  async () => {
    const text = place.write('notes.db', 'not a database, '.repeat(500));
    await expectRefused(text, CONTRACT, 'SLUICE-CORE-0104', 'it is not a database');
    const whole = place.path('whole.db');
    const other = place.job('other.json', {
      name: 'other',
      source: { connector: 'generate' },
      sink: { connector: 'blackhole' },
    });
    expect((await place.sluice(['run', other, '--state', whole])).code).toBe(0);
    const cut = readFileSync(whole).subarray(0, 6000);
    writeFileSync(place.path('cut.db'), cut);
    await expectRefused(place.path('cut.db'), CONTRACT, 'SLUICE-CORE-0104', 'damaged');
    expect(readFileSync(place.path('cut.db')).equals(cut)).toBe(true);
  },
  MINUTE,
);

it(
  'a program that keeps it locked: the run waits, says so, and works when the program has gone',
  async () => {
    const ledger = place.path('state.db');
    const script = `
import sqlite3, sys
held = sqlite3.connect(sys.argv[1])
held.execute('BEGIN EXCLUSIVE')
held.execute('CREATE TABLE IF NOT EXISTS t (x)')
print('locked', flush=True)
sys.stdin.read()`;
    const other = spawn('python3', ['-c', script, ledger], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(other.stdout, 'data');
      await expectRefused(ledger, TRANSIENT, 'SLUICE-CORE-0121', 'locked');
    } finally {
      other.stdin.end();
      await once(other, 'exit');
    }
    await expectRuns(ledger);
  },
  2 * MINUTE,
);

describe('a disk that is read-only', () => {
  needsSmallDisk();
  let disk: SmallDisk;
  beforeAll(async () => {
    disk = await SmallDisk.mount(8 << 20);
  });
  afterAll(() => disk.unmount());

  it(
    'under a new ledger and under one that is there; it works when the disk can be written again',
    async () => {
      const ledger = `${disk.folder}/state.db`;
      await disk.setReadOnly(true);
      await expectRefused(ledger, CONTRACT, 'SLUICE-CORE-0104', ledger);
      await disk.setReadOnly(false);
      await expectRuns(ledger);
      await disk.setReadOnly(true);
      const again = await place.sluice(['run', job, '--state', ledger]);
      expect(again.code, again.stderr).toBe(CONTRACT);
      expect(resultOf(again.stdout).error?.message).toContain('read-only');
      expect(place.linesBelow('out/rows', '.csv')).toHaveLength(101);
      await disk.setReadOnly(false);
    },
    2 * MINUTE,
  );
});

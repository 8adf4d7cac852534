/** Start-up: how long the command line needs beside a bare process of the same runtime. */
import { writeFileSync } from 'node:fs';
import { type BenchFiles, sluice } from './bench-files.js';
import { median } from './compare.js';
import { type Command, measure } from './process-run.js';

export interface StartTime {
  readonly name: string;
  readonly bareMs: number;
  readonly oursMs: number;
  readonly atMostMs: number;
  readonly within: boolean;
}

export async function startTimes(files: BenchFiles, rounds: number): Promise<StartTime[]> {
  const bare: Command = { name: 'node -e 0', file: process.execPath, args: ['-e', '0'] };
  const version: Command = { name: 'sluice --version', file: process.execPath, args: [sluice, '--version'] };
  writeFileSync(files.path('one.csv'), 'id,name\n1,one\n');
  const job = files.run({
    name: 'one-row',
    source: { connector: 'file', path: files.path('one.csv') },
    sink: { connector: 'file', path: files.path('one-row'), format: 'jsonl' },
    write: 'replace',
  });
  const forget = () => files.forget('one-row');
  return [
    await beside(bare, version, 150, rounds, () => {}),
    await beside(bare, { ...job, name: 'a job of one row between files' }, 600, rounds, forget),
  ];
}

async function beside(
  bare: Command,
  ours: Command,
  atMostMs: number,
  rounds: number,
  prepare: () => void,
): Promise<StartTime> {
  const bares: number[] = [];
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    prepare();
    const a = await measure(bare);
    const b = await measure(ours);
    if (round === 0) continue;
    bares.push(a.seconds * 1000);
    times.push(b.seconds * 1000);
  }
  const oursMs = median(times);
  return { name: ours.name, bareMs: median(bares), oursMs, atMostMs, within: oursMs <= atMostMs };
}

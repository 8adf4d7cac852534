/** What a person sees: the command under a real pseudo-terminal, as `script` of util-linux provides one. */

import { runProgram } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SLUICE, Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach((context) => {
  if (process.platform !== 'linux') context.skip('the arguments of `script` are those of Linux');
  place = new Workspace();
});
afterEach(() => place?.remove());

/** Runs the command on a terminal so wide; everything that it prints there. */
async function onTerminal(
  columns: number,
  args: string,
  env: { [name: string]: string | undefined } = {},
): Promise<string> {
  const line = `stty cols ${columns} rows 24; '${process.execPath}' '${SLUICE}' ${args}`;
  const exit = await runProgram({
    command: 'script',
    args: ['-qec', line, '/dev/null'],
    cwd: place.folder,
    env: { TERM: 'xterm-256color', NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined, ...env },
  });
  expect(exit.code, exit.stdout).toBe(0);
  return exit.stdout;
}

function slowJob() {
  place.job('job.json', {
    name: 'slow',
    source: { connector: 'generate', rows: 30_000, rate: 15_000 },
    sink: { connector: 'duckdb', path: 'lake.duckdb' },
  });
}

it('is progress drawn in place, then a table, and the cursor back', async () => {
  slowJob();
  const screen = await onTerminal(100, 'run job.json');
  expect(screen).toMatch(/rows .*\d+% .*rows\/s .*ETA/);
  expect(screen).toContain('\u001b[1A');
  expect(screen.lastIndexOf('\u001b[?25h')).toBeGreaterThan(screen.lastIndexOf('\u001b[?25l'));
  const end = screen.slice(screen.lastIndexOf('\u001b[?25h'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const plain = end.replace(/\u001b\[[0-9;?]*[a-zA-Z]/g, '');
  expect(plain).toMatch(/✔ slow: 30,000 rows in/);
  expect(plain).toMatch(/rows +main\.rows +30,000 +0 +30,000 +exactly once +complete/);
  expect(screen).not.toContain('"status"');
});

it('never wraps on a narrow terminal', async () => {
  slowJob();
  const screen = await onTerminal(36, 'run job.json');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: frames are separated by escapes
  const lines = screen.split('\n').map((line) => line.replace(/\u001b\[[0-9;?]*[a-zA-Z]|\r/g, ''));
  const progress = lines.filter((line) => /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/.test(line));
  expect(progress.length).toBeGreaterThan(3);
  for (const line of progress) expect(line.trim().length).toBeLessThanOrEqual(36);
});

it('has no colour with NO_COLOR, and nothing but the table of results with --quiet', async () => {
  slowJob();
  const plain = await onTerminal(100, 'run job.json', { NO_COLOR: '1' });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  expect(plain).not.toMatch(/\u001b\[\d+m/);
  expect(await onTerminal(100, 'run job.json --quiet')).toBe('');
});

it('does not mix progress into rows that are printed', async () => {
  place.write('people.csv', 'id,name\n1,Ann\n');
  const screen = await onTerminal(100, 'copy people.csv -');
  expect(screen).toMatch(/^\{"id":1,"name":"Ann"\}\r\n/);
  expect(screen).not.toContain('\u001b[1A');
});

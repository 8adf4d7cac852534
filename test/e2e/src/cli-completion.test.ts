/** `sluice completion`: what the shells themselves make of our scripts. */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { delimiter } from 'node:path';
import { runProgram } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lines, SLUICE, Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
  const shim = place.write('.bin/sluice', `#!/bin/sh\nexec '${process.execPath}' '${SLUICE}' "$@"\n`);
  chmodSync(shim, 0o755);
  place.job('job.json', { name: 'x', source: { connector: 'generate' }, sink: { connector: 'blackhole' } });
  place.write('data.json', '[]');
  place.write('jobs/night job.yaml', 'name: x\n');
  place.write('jobs.csv', 'id\n');
});
afterEach(() => place.remove());

interface Shell {
  readonly name: string;
  /** A program that prints the candidates for the last of the words, one a line. */
  program(words: readonly string[]): string;
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

const shells: readonly Shell[] = [
  {
    name: 'bash',
    program: (words) => `source <(sluice completion bash)
COMP_WORDS=(${words.map(quoted).join(' ')}); COMP_CWORD=${words.length - 1}
complete -p sluice >/dev/null && _sluice sluice
printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  {
    // Only what belongs to the editor of the command line is replaced.
    name: 'zsh',
    program: (words) => `compdef() { :; }
compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -l -- "\${(q)@}" }
source <(sluice completion zsh)
words=(${words.map(quoted).join(' ')}); CURRENT=${words.length}
_sluice`,
  },
  {
    name: 'fish',
    program: (words) => `sluice completion fish | source
complete -C ${quoted(words.join(' '))} | string replace -r '\\t.*' ''`,
  },
];

const installed = shells.filter(({ name }) => spawnSync(name, ['-c', 'exit 0']).status === 0);

it('is tried in bash at least', () => {
  expect(installed.map(({ name }) => name)).toContain('bash');
});

describe.each(installed)('in $name', ({ name, program }) => {
  async function complete(...words: string[]): Promise<string[]> {
    const exit = await runProgram({
      command: name,
      args: [...(name === 'zsh' ? ['-f'] : []), '-c', program(['sluice', ...words])],
      cwd: place.folder,
      env: { PATH: `${place.path('.bin')}${delimiter}${process.env['PATH']}`, HOME: place.folder },
    });
    expect(exit.stderr).toBe('');
    return lines(exit.stdout).sort();
  }

  it('completes commands', async () => {
    expect(await complete('pr')).toEqual(['preview']);
    expect(await complete('')).toEqual(expect.arrayContaining(['run', 'copy', 'connectors']));
    expect(await complete('connectors', '')).toEqual(['list', 'show']);
  });

  it('completes options and their values', async () => {
    expect(await complete('plan', 'job.json', '--fo')).toEqual(['--format']);
    expect(await complete('plan', 'job.json', '--format', 'm')).toEqual(['mermaid']);
  });

  it('completes connectors', async () => {
    expect(await complete('connectors', 'show', 'd')).toEqual(['duckdb']);
  });

  it('completes job files and the folders on the way to them, and nothing else', async () => {
    expect(await complete('run', 'j')).toEqual(['job.json', 'jobs/']);
    expect(await complete('run', 'd')).toEqual([]);
    const spaced = await complete('run', 'jobs/');
    expect(spaced.map((word) => word.replaceAll('\\', ''))).toEqual(['jobs/night job.yaml']);
  });
});

it('refuses shells that it does not know', async () => {
  const exit = await place.sluice(['completion', 'bsah']);
  expect(exit.code).toBe(2);
  expect(exit.stderr).toContain('did you mean bash?');
});

import { expect, it } from 'vitest';
import { commands } from '../commands/command-list.js';
import { candidates, type FindValues } from './candidates.js';

const find: FindValues = async (kind) => [{ text: `<${kind}>`, summary: '' }];

async function texts(...words: string[]): Promise<string[]> {
  return (await candidates(commands, ['sluice', ...words], find)).map(({ text }) => text);
}

it('offers commands by their first and second words, each once', async () => {
  expect(await texts('')).toEqual([...new Set(commands.map(({ name }) => name.split(' ')[0]))]);
  expect(await texts('co')).toEqual(expect.arrayContaining(['copy', 'connectors', 'completion']));
  expect(await texts('state', 's')).toContain('show');
  expect(await texts('connectors', '')).toEqual(expect.arrayContaining(['list', 'show']));
  expect(await texts('nonesuch', '')).toEqual([]);
  expect(await texts('--v')).toEqual(['--version']);
});

it('offers the options of a command and those of all', async () => {
  expect(await texts('plan', 'job.json', '--')).toEqual(expect.arrayContaining(['--format', '--json']));
  expect(await texts('plan', '--fo')).toEqual(['--format']);
});

it('offers the values of choices, however the option is joined', async () => {
  for (const words of [['--format', 'me'], ['--format=me'], ['--format', '=', 'me']])
    expect(await texts('plan', 'job.json', ...words)).toEqual(['mermaid']);
  expect(await texts('plan', 'job.json', '--format', '=')).toEqual(['table', 'json', 'mermaid']);
  expect(await texts('completion', 'f')).toEqual(['fish']);
});

it('asks for what is declared: jobs, files, locations, connectors', async () => {
  expect(await texts('run', '')).toEqual(['<job>']);
  expect(await texts('run', '--json', '')).toEqual(['<job>']);
  expect(await texts('run', '--state', '')).toEqual(['<file>']);
  expect(await texts('run', '--state', 'x.db', '')).toEqual(['<job>']);
  expect(await texts('copy', 'a.csv', '')).toEqual(['<location>']);
  expect(await texts('connectors', 'show', '')).toEqual(['<connector>']);
});

it('offers nothing where anything or nothing can stand', async () => {
  expect(await texts('run', 'job.json', '')).toEqual([]);
  expect(await texts('run', 'job.json', '--streams', '')).toEqual([]);
});

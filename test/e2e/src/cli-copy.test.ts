/** `sluice copy`: a job in one line. */
import { existsSync, mkdirSync } from 'node:fs';
import { runProgram } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lines, resultOf, SLUICE, Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

async function copy(...args: string[]) {
  const exit = await place.sluice(['copy', ...args]);
  expect(exit.code, exit.stderr).toBe(0);
  return exit;
}

describe('a copy', () => {
  it('replaces what it wrote before, so that repeating it changes nothing', async () => {
    place.write('people.csv', 'id,name\n1,Ann\n2,Bo\n');
    await copy('people.csv', 'lake.duckdb');
    await copy('people.csv', 'lake.duckdb');
    expect(await place.query('lake.duckdb', 'SELECT * FROM people ORDER BY id')).toEqual([
      ['1', 'Ann'],
      ['2', 'Bo'],
    ]);
  });

  it('appends as often as it is told to', async () => {
    place.write('people.csv', 'id,name\n1,Ann\n');
    await copy('people.csv', 'lake.duckdb', '--write', 'append');
    await copy('people.csv', 'lake.duckdb', '--write', 'append');
    expect(await place.query('lake.duckdb', 'SELECT count(*)::INTEGER FROM people')).toEqual([[2]]);
  });

  it('brings only new files in incremental mode', async () => {
    mkdirSync(place.path('inbox'));
    place.write('inbox/a.csv', 'id\n1\n2\n');
    const line = ['inbox/*.csv', 'lake.duckdb', '--mode', 'incremental', '--from', 'stream=events'];
    expect(resultOf((await copy(...line)).stdout).rows).toBe(2);
    place.write('inbox/b.csv', 'id\n3\n');
    expect(resultOf((await copy(...line)).stdout).rows).toBe(1);
    expect(resultOf((await copy(...line)).stdout).rows).toBe(0);
    expect(await place.query('lake.duckdb', 'SELECT id::INTEGER FROM events ORDER BY id')).toEqual([
      [1],
      [2],
      [3],
    ]);
  });

  it('takes keys of either connection, a key, and a name for the target', async () => {
    place.write('people.txt', 'id;name\n1;Ann\n2;Bo\n');
    const from = [
      '--from',
      'path=people.txt',
      '--from',
      'stream=people',
      '--from',
      'format=csv',
      '--from',
      'csv.delimiter=;',
      '--from',
      'types.id=string',
    ];
    await copy(
      'file',
      'lake.duckdb',
      ...from,
      '--key',
      'id',
      '--write',
      'upsert',
      '--name',
      'crm.{stream}_copy',
    );
    expect(await place.query('lake.duckdb', 'SELECT id, name FROM crm.people_copy ORDER BY id')).toEqual([
      ['1', 'Ann'],
      ['2', 'Bo'],
    ]);
    place.write('people.txt', 'id;name\n2;Bob\n3;Cy\n');
    await copy(
      'file',
      'lake.duckdb',
      ...from,
      '--key',
      'id',
      '--write',
      'upsert',
      '--name',
      'crm.{stream}_copy',
    );
    expect(await place.query('lake.duckdb', 'SELECT name FROM crm.people_copy ORDER BY id')).toEqual([
      ['Ann'],
      ['Bob'],
      ['Cy'],
    ]);
  });

  it('keeps state under a name of its own, which can be looked at', async () => {
    place.write('people.csv', 'id\n1\n');
    const { job } = resultOf((await copy('people.csv', 'lake.duckdb')).stdout);
    expect(job).toMatch(/^copy-people-lake-[0-9a-f]{8}$/);
    const state = await place.sluice(['state', 'show', job, '--json']);
    expect(JSON.parse(state.stdout)).toMatchObject({
      job,
      runs: [{ status: 'succeeded', rows: 1 }],
      sinks: [
        { flow: 'main', streams: [{ stream: 'people', generation: 1, published: 1, splits: 1, sealed: 1 }] },
      ],
    });
    expect(resultOf((await copy('people.csv', 'lake.duckdb', '--job', 'mine')).stdout).job).toBe('mine');
  });

  it('says what no connector takes, and what there is', async () => {
    const unknown = await place.sluice(['copy', 'people.xyz', 'lake.duckdb']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('people.xyz');
    expect(unknown.stderr).toContain('.duckdb');
    const scheme = await place.sluice(['copy', 'postgrse://localhost/x', 'lake.duckdb']);
    expect(scheme.code).toBe(2);
    expect(scheme.stderr).toContain('did you mean postgres:?');
  });
});

describe('stdin and stdout', () => {
  it('take part in pipelines: rows on stdout alone, the result on stderr', async () => {
    place.write('people.csv', 'id,name\n1,Ann\n2,"B\no"\n');
    const out = await copy('people.csv', '-', '--to', 'format=jsonl', '--result-file', 'result.json');
    expect(lines(out.stdout).map((line) => JSON.parse(line))).toEqual([
      { id: 1, name: 'Ann' },
      { id: 2, name: 'B\no' },
    ]);
    expect(resultOf(out.stderr)).toMatchObject({ status: 'succeeded', rows: 2 });
    expect(JSON.parse(place.read('result.json'))).toMatchObject({ status: 'succeeded', rows: 2 });
  });

  it('begin anew each time, also after a reader that left early, and leave no state behind', async () => {
    const lines20k = Array.from({ length: 200_000 }, (_, i) => i).join('\n');
    place.write('numbers.csv', `n\n${lines20k}\n`);
    const pipe = (reader: string) =>
      runProgram({
        command: 'bash',
        args: [
          '-c',
          `'${process.execPath}' '${SLUICE}' copy numbers.csv - --to format=csv | ${reader}; echo "\${PIPESTATUS[0]}" >&2`,
        ],
        cwd: place.folder,
      });
    const head = await pipe('head -2');
    expect(head.stdout).toBe('n\n0\n');
    expect(lines(head.stderr).at(-1)).toBe('141');
    expect(head.stderr).not.toContain('error');
    const whole = await pipe('wc -l');
    expect(whole.stdout.trim()).toBe('200001');
    expect(lines(whole.stderr).at(-1)).toBe('0');
    expect(existsSync(place.path('.sluice'))).toBe(false);
  });

  it('keep events off the rows', async () => {
    place.write('people.csv', 'id\n1\n');
    const out = await copy('people.csv', '-', '--to', 'format=csv', '--json');
    expect(out.stdout).toBe('id\n1\n');
    expect(
      lines(out.stderr)
        .map((line) => JSON.parse(line))
        .at(-1),
    ).toMatchObject({ event: 'result', rows: 1 });
  });

  it('read what is piped in', async () => {
    const input = '{"id":1,"name":"Ann"}\n{"id":2,"name":null}\n';
    const exit = await place.sluice(
      ['copy', '-', 'lake.duckdb', '--from', 'format=jsonl', '--name', 'piped'],
      { input },
    );
    expect(exit.code, exit.stderr).toBe(0);
    expect(await place.query('lake.duckdb', 'SELECT name FROM piped ORDER BY id')).toEqual([['Ann'], [null]]);
    const args = [
      'copy',
      '-',
      'lake.duckdb',
      '--from',
      'format=jsonl',
      '--name',
      'piped',
      '--write',
      'append',
    ];
    for (const name of ['Bo', 'Cy']) {
      const more = await place.sluice(args, { input: `{"id":3,"name":"${name}"}\n` });
      expect(more.code, more.stderr).toBe(0);
    }
    const names = await place.query('lake.duckdb', 'SELECT name FROM piped ORDER BY name NULLS FIRST');
    expect(names).toEqual([[null], ['Ann'], ['Bo'], ['Cy']]);
  });
});

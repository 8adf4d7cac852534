/** Records that are much larger than what a run may hold: put aside by what tells them, and never held. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resultOf, Workspace } from './cli-workspace.js';

const MINUTES = 60_000;
const MEBIBYTE = 1 << 20;
/** More than the process could hold under its bound. */
const SIZE = 200;
/** Of the whole process, of which Node.js with the connectors takes a half. */
const MOST_MEMORY = 256;

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

/** Prints the largest size that the process has had. */
const REPORT =
  'process.on("exit", () => process.stderr.write(`peak ${process.resourceUsage().maxRSS}\\n`));\n';

it.each([
  ['a line of JSON Lines', 'docs.jsonl', '{"id":1}\n', ['{"id":2,"x":[', ']}\n'], '{"id":3}\n'],
  ['an item of an array', 'docs.json', '[{"id":1},', ['{"id":2,"x":[', ']}'], ',{"id":3}]'],
  ['a field of CSV', 'docs.csv', 'id,x\n1,\n', ['2,"', '"\n'], '3,\n'],
])(
  '%s of 200 MB is a dead letter with file, offset, length and hash; its neighbours are written',
  async (_, name, before, [begin, end], behind) => {
    const { length, sha256 } = writeLarge(place.path(name), before, begin!, end!, behind);
    const job = place.job('job.json', {
      name: 'large',
      source: { connector: 'file', path: name, types: name.endsWith('.csv') ? {} : { id: 'int64' } },
      sink: { connector: 'file', path: 'out', format: 'jsonl' },
      write: 'append',
      memory: '32Mi',
      errors: { max: '90%' },
    });
    place.write('report.mjs', REPORT);
    const env = { NODE_OPTIONS: '--import ./report.mjs' };
    const exit = await place.sluice(['run', job, '--quiet'], { env });
    expect(exit.code, exit.stderr).toBe(0);
    expect(resultOf(exit.stdout).streams[0]).toMatchObject({ rejected: 1, committed: 2 });
    const ids = place.linesBelow('out/docs', '.jsonl').map((line) => (JSON.parse(line) as { id: number }).id);
    expect(ids).toEqual([1, 3]);
    const list = await place.sluice(['dlq', 'list', job, '--json']);
    const { letters } = JSON.parse(list.stdout) as { letters: object[] };
    const letter = letters[0]!;
    expect(letter).toMatchObject({ payload: { offset: before.length, length, sha256 } });
    expect(JSON.stringify(letter)).toContain(name);
    expect(list.stdout.length).toBeLessThan(4000);
    const peak = Number(/peak (\d+)/.exec(exit.stderr)![1]) * 1024;
    expect(peak).toBeLessThan(MOST_MEMORY * MEBIBYTE);
  },
  2 * MINUTES,
);

/** Writes a file with one large record; what tells that one. */
function writeLarge(path: string, before: string, begin: string, end: string, behind: string) {
  const item = path.endsWith('.csv') ? 'x'.repeat(1023) : `"${'x'.repeat(1021)}"`;
  const many = Buffer.from(`${item},`.repeat(1024));
  const hash = createHash('sha256');
  const file = openSync(path, 'w');
  let length = 0;
  const put = (piece: string | Buffer) => {
    hash.update(piece);
    length += writeSync(file, Buffer.from(piece));
  };
  writeSync(file, before);
  put(begin);
  for (let i = 0; i < SIZE; i++) put(many);
  put(`${item}${end}`);
  writeSync(file, behind);
  closeSync(file);
  return { length, sha256: hash.digest('hex') };
}

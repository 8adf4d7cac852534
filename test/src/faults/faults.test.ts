import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { killAt, listFailpoints } from './failpoints.js';
import { killAtRandom } from './kill-at-random.js';
import { type Program, runProgram, UnexpectedExit } from './program.js';
import { seededRandom } from './seeded-random.js';

const here = fileURLToPath(new URL('.', import.meta.url));

/** A program that commits three times and says so, with points around each commit. */
const commits = `
  import { failpoint } from '@sluice/sdk';
  for (const epoch of [1, 2, 3]) {
    failpoint('commit.before');
    process.stdout.write('committed ' + epoch + '\\n');
    failpoint('commit.after');
  }
  failpoint('end');
`;
const node = (code: string, ...args: string[]): Program => ({
  command: process.execPath,
  args: ['--input-type=module', '-e', code, ...args],
  cwd: here,
});

const committed = (stdout: string): string[] => stdout.split('\n').filter(Boolean);

/** A killed process that its parent has not collected yet still has an id, but is not alive. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('listing failpoints', () => {
  it('names each point once, in order, with its hits', async () => {
    expect(await listFailpoints(node(commits))).toEqual([
      { name: 'commit.before', hits: 3 },
      { name: 'commit.after', hits: 3 },
      { name: 'end', hits: 1 },
    ]);
  });

  it('is empty for a program without points', async () => {
    expect(await listFailpoints(node('process.exit(0)'))).toEqual([]);
  });

  it('refuses a program that fails', async () => {
    const failing = node("console.error('broken'); process.exit(3)");
    await expect(listFailpoints(failing)).rejects.toThrow(/exited with 3[\s\S]*broken/);
  });
});

describe('killing at a failpoint', () => {
  it('stops right there, before what follows', async () => {
    const exit = await killAt(node(commits), 'commit.before');
    expect(exit.signal).toBe('SIGKILL');
    expect(committed(exit.stdout)).toEqual([]);
  });

  it('can wait for the Nth time', async () => {
    const before = await killAt(node(commits), 'commit.before@3');
    expect(committed(before.stdout)).toEqual(['committed 1', 'committed 2']);
    const after = await killAt(node(commits), 'commit.after@2');
    expect(committed(after.stdout)).toEqual(['committed 1', 'committed 2']);
  });

  it('complains when the program never comes there', async () => {
    const never = killAt(node(commits), 'commit.before@4');
    await expect(never).rejects.toThrow(UnexpectedExit);
    await expect(never).rejects.toMatchObject({ exit: { code: 0, signal: null } });
    await expect(never).rejects.toThrow(/killed at commit.before@4, but it exited with 0/);
  });

  it('sees through a wrapper', async () => {
    const code = "import { failpoint } from '@sluice/sdk'; failpoint('x');";
    const script = '"$0" --input-type=module -e "$1"; exit $?';
    const wrapper = { command: 'sh', args: ['-c', script, process.execPath, code], cwd: here };
    const exit = await killAt(wrapper, 'x');
    expect(exit.code).toBe(137);
  });

  it('does not hand its own environment down', async () => {
    vi.stubEnv('SLUICE_FAILPOINT', 'commit.before');
    try {
      expect(await listFailpoints(node(commits))).toHaveLength(3);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('killing at random', () => {
  const endless = node('setInterval(() => process.stdout.write("."), 5)');

  it('chooses the instant by the seed', async () => {
    const window = { minMs: 100, maxMs: 300 };
    const [first, again, other] = await Promise.all([
      killAtRandom(endless, window, 7),
      killAtRandom(endless, window, 7),
      killAtRandom(endless, window, 8),
    ]);
    expect(first.signal).toBe('SIGKILL');
    expect(first.ms).toBeGreaterThanOrEqual(first.killAfterMs - 5);
    expect(first.killAfterMs).toBe(again.killAfterMs);
    expect(first.killAfterMs).not.toBe(other.killAfterMs);
    for (const { killAfterMs } of [first, other]) {
      expect(killAfterMs).toBeGreaterThanOrEqual(100);
      expect(killAfterMs).toBeLessThan(300);
    }
  });

  it('leaves a program alone that ends before', async () => {
    const exit = await killAtRandom(node('console.log("done")'), { minMs: 60_000, maxMs: 60_000 }, 1);
    expect(exit).toMatchObject({ code: 0, signal: null, stdout: 'done\n' });
  });
});

describe('a program that is run', () => {
  it('gets its input and environment, and its output is kept apart', async () => {
    const code = `process.stdin.on('data', (d) => process.stdout.write(d)); console.error(process.env.WHO, process.env.HOME);`;
    const exit = await runProgram({ ...node(code), env: { WHO: 'me', HOME: undefined }, input: 'in' });
    expect(exit).toMatchObject({ code: 0, stdout: 'in', stderr: 'me undefined\n' });
  });

  it('leaves no descendants running', async () => {
    const code = `
      import { spawn } from 'node:child_process';
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      console.log(child.pid);
      process.kill(process.pid, 'SIGKILL');`;
    const exit = await runProgram(node(code));
    expect(exit.signal).toBe('SIGKILL');
    const pid = Number(exit.stdout);
    expect(pid).toBeGreaterThan(0);
    await vi.waitUntil(() => !isAlive(pid), { timeout: 5_000 });
  });

  it('is killed when it hangs', async () => {
    const hanging = { ...node('console.log("up"); setInterval(() => {}, 1000)'), timeoutMs: 700 };
    await expect(runProgram(hanging)).rejects.toThrow(
      /expected the program to end in time.*SIGKILL[\s\S]*up/,
    );
  });

  it('must exist', async () => {
    await expect(runProgram({ command: join(folder, 'nothing') })).rejects.toThrow(/ENOENT/);
  });
});

describe('seeded random numbers', () => {
  it('are the same for the same seed and spread over the whole range', () => {
    const [first, second] = [seededRandom(42), seededRandom(42)];
    const numbers = Array.from({ length: 10_000 }, first);
    expect(numbers.slice(0, 5)).toEqual(Array.from({ length: 5 }, second));
    const tenths = new Array<number>(10).fill(0);
    for (const number of numbers) tenths[Math.floor(number * 10)]! += 1;
    expect(Math.min(...tenths)).toBeGreaterThan(850);
    expect(Math.max(...tenths)).toBeLessThan(1150);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { currentHolder, holderGone } from './holder.js';

const module = new URL('../../dist/ledger/holder.js', import.meta.url).href;
const report = `import(${JSON.stringify(module)}).then(({ currentHolder }) => {
  console.log(JSON.stringify(currentHolder('child')));
  setInterval(() => {}, 1000);
});`;

async function startHolder() {
  const child = spawn(process.execPath, ['-e', report], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, holder: JSON.parse(line.toString()) as ReturnType<typeof currentHolder> };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const onLinux = () => {
  it('knows itself and its children while they live, and that they are gone afterwards', async () => {
    const own = currentHolder('r1');
    expect(own).toMatchObject({ run: 'r1', host: hostname(), pid: process.pid });
    const ticks = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')[19];
    expect(own.processStart.endsWith(`/${ticks}`)).toBe(true);
    expect(holderGone(own)).toBe(false);
    const { child, holder } = await startHolder();
    try {
      expect(holder.pid).toBe(child.pid);
      expect(holderGone(holder)).toBe(false);
    } finally {
      await kill(child);
    }
    expect(holderGone(holder)).toBe(true);
  });

  it('takes a later process of the same pid for another one', () => {
    const own = currentHolder('r1');
    const earlier = own.processStart.replace(/\d+$/, (ticks) => String(Number(ticks) - 1));
    expect(holderGone({ ...own, processStart: earlier })).toBe(true);
  });

  it('counts a process as gone that has died and was not collected yet', async () => {
    // The shell's child ends at once; exec turns the shell into a sleep, which never collects it.
    const shell = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = (await once(shell.stdout, 'data')) as [Buffer];
      const pid = Number(line.toString());
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      const { processStart, host } = currentHolder('r');
      const child = { run: 'r', host, pid, processStart: processStart.replace(/\d+$/, stat[19]!) };
      expect(holderGone(child)).toBe(false);
      const until = Date.now() + 10_000;
      while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) {
        if (Date.now() > until) throw new Error('the child never became a zombie');
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      expect(holderGone(child)).toBe(true);
    } finally {
      await kill(shell);
    }
  });

  it('claims nothing about processes that it cannot see', () => {
    const gone = { ...currentHolder('r'), pid: 4_194_305 };
    expect(holderGone(gone)).toBe(true);
    expect(holderGone({ ...gone, host: 'elsewhere' })).toBe(false);
    const [boot, table, ticks] = gone.processStart.split('/');
    expect(holderGone({ ...gone, processStart: `another-boot/${table}/${ticks}` })).toBe(false);
    expect(holderGone({ ...gone, processStart: `${boot}/pid:[1]/${ticks}` })).toBe(false);
    expect(holderGone({ ...gone, processStart: '' })).toBe(false);
  });
};

const elsewhere = () => {
  it('claims nothing, so that a lease ends by its expiry', () => {
    const gone = { ...currentHolder('r'), pid: 2 ** 30 };
    expect(gone.processStart).toBe('');
    expect(holderGone(gone)).toBe(false);
  });
};

if (process.platform === 'linux') describe('on Linux', onLinux);
else describe('on other platforms', elsewhere);

/** When copies make way for a log, and when a log is given up: by what a source says of it. */
import { type Lag, silentLogger } from '@sluice/sdk';
import { expect, it } from 'vitest';
import type { LogRules } from '../job/job.js';
import { LogGuardian } from './log-guardian.js';

const split = { id: 'log', streams: ['t'], phase: 'log', start: 0, spec: null } as const;

/** A guardian of a source that says one thing after the other, and the last for ever. */
function watch(changes: LogRules, says: readonly (Lag | Error)[]) {
  const rest = [...says];
  const overs: number[] = [];
  const warnings: string[] = [];
  let asked = 0;
  const run = {
    plan: {
      key: { job: 'j', flow: 'f' },
      changes,
      source: {
        lag: async () => {
          asked++;
          const said = rest.length > 1 ? rest.shift()! : rest[0]!;
          if (said instanceof Error) throw said;
          return said;
        },
      },
    },
    context: {
      signal: new AbortController().signal,
      log: { ...silentLogger, warn: (text: string) => void warnings.push(text) },
      cwd: '/',
      memory: 0,
    },
    onLag: () => {},
    onOver: (_: unknown, kept: number) => void overs.push(kept),
  };
  const guardian = new LogGuardian(run, [{ split, generation: 1 }], 1);
  const heard = async (times: number) => {
    await expect.poll(() => asked, { interval: 1 }).toBeGreaterThanOrEqual(times);
    guardian.end();
    return { overs, warnings };
  };
  return { guardian, heard };
}

const far: Lag = { bytes: 200, kept: 300 };
const held: Lag = { bytes: 5, kept: 300 };
const near: Lag = { bytes: 5, kept: 10 };

it('copies make way for a log that is too far behind, in each turn', async () => {
  const { guardian, heard } = watch({ keep: 100, whenOver: 'pause-copies' }, [far]);
  const first = guardian.pause();
  await expect.poll(() => first.aborted).toBe(true);
  const second = guardian.pause();
  expect(second.aborted).toBe(false);
  await expect.poll(() => second.aborted).toBe(true);
  const { warnings } = await heard(3);
  expect(warnings).toEqual([expect.stringContaining('copies beside it pause until it is read')]);
});

it('copies go on where reading the log would free nothing', async () => {
  const { guardian, heard } = watch({ keep: 100, whenOver: 'pause-copies' }, [held]);
  const pause = guardian.pause();
  expect((await heard(4)).overs).toEqual([300]);
  expect([pause.aborted, guardian.over.aborted]).toEqual([false, false]);
});

it('a log is given up where the job says so, and only there', async () => {
  const dropping = watch({ keep: 100, whenOver: 'drop-and-copy' }, [near, held]);
  await expect.poll(() => dropping.guardian.over.aborted).toBe(true);
  await dropping.heard(2);
  const warning = watch({ keep: 100, whenOver: 'warn' }, [far]);
  const pause = warning.guardian.pause();
  await warning.heard(3);
  expect([pause.aborted, warning.guardian.over.aborted]).toEqual([false, false]);
});

it('tells once, and again after it was well between; what cannot be asked changes nothing', async () => {
  const says = [far, new Error('gone'), far, near, far, far];
  const { heard } = watch({ keep: 100, whenOver: 'warn' }, says);
  expect((await heard(7)).overs).toEqual([300, 300]);
});

it('without a bound everything is well', async () => {
  const { heard } = watch({ whenOver: 'drop-and-copy' }, [{ bytes: 1e15, kept: 1e15 }]);
  expect((await heard(3)).overs).toEqual([]);
});

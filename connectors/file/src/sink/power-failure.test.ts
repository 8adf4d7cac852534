/**
 * The power fails at every step of a run, on a disk that keeps only what was synced. What the run has reported as committed is
 * there afterwards, nothing half is visible, and the next run ends in the same rows.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Files, LocalStorage } from '@sluice/formats';
import { VolatileDisk } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ALL, KINDS, type Ledger, newLedger, run, sinkOver, visible } from '../testing/sink-walk.js';

/** Files in memory, where the system has such a folder: nothing here asks what a disk really does. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

let root: string;
let place: string;
let disk: VolatileDisk;
let ledger: Ledger;
beforeEach(async () => {
  root = mkdtempSync(join(MEMORY, 'sluice-power-'));
  disk = new VolatileDisk(root);
  await begin();
});
afterEach(async () => {
  await disk.crash();
  rmSync(root, { recursive: true, force: true });
});

async function begin(): Promise<void> {
  await disk.crash();
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  place = join(root, 'place');
  disk = new VolatileDisk(root);
  ledger = newLedger();
}

const sinkOn = (files: Files, isFile: boolean) => sinkOver(place, new LocalStorage(place, files), isFile);

/** The ids that the ledger knows to be committed. */
function committed(): number[] {
  return [...ledger.positions.values()].flatMap(({ split, position }) =>
    (split.spec as number[]).slice(0, position as number),
  );
}

/** What readers may see: whole rows, none twice, and with `append` all that is committed. */
function demandWhole(isFile: boolean, write: string, when: string): void {
  const seen = visible(place, isFile);
  expect(ALL, `${when}: rows that readers see`).toEqual(expect.arrayContaining(seen));
  expect(new Set(seen).size, `${when}: rows that are there twice`).toBe(seen.length);
  if (write === 'replace') expect([0, ALL.length], when).toContain(seen.length);
}

describe.each(KINDS.filter(({ options }) => options === undefined))('$name', (kind) => {
  const { write, isFile } = kind;
  async function stepsOfARun(): Promise<number> {
    await run(sinkOn(disk.files(), isFile), ledger, kind);
    return disk.stepCount;
  }

  it('survives a failure of the power at every step', async () => {
    const steps = await stepsOfARun();
    expect(steps).toBeGreaterThan(60);
    for (let step = 0; step <= steps; step++) {
      await begin();
      await run(sinkOn(disk.files(step), isFile), ledger, kind).catch(() => {});
      await disk.crash(step % 3 === 0 ? undefined : step);
      demandWhole(isFile, write, `after step ${step}`);
      await run(sinkOn(disk.files(), isFile), ledger, kind);
      expect(visible(place, isFile), `after step ${step} and another run`).toEqual(ALL);
      expect(committed().sort()).toEqual(ALL);
      await disk.crash();
      expect(visible(place, isFile), `after step ${step}, another run and another failure`).toEqual(ALL);
    }
  }, 120_000);

  it('would lose rows if nothing were synced, which is how this test bites', async () => {
    const steps = await stepsOfARun();
    let lost = 0;
    for (let step = 0; step <= steps; step += 7) {
      await begin();
      await run(sinkOn(neverSynced(disk.files(step)), isFile), ledger, kind).catch(() => {});
      const known = committed();
      await disk.crash();
      const next = run(sinkOn(disk.files(), isFile), ledger, kind);
      const isLost = await next.then(
        () => visible(place, isFile).length < ALL.length,
        () => true,
      );
      if (isLost && known.length > 0) lost++;
    }
    expect(lost).toBeGreaterThan(3);
  }, 60_000);
});

/** The same disk for a program that forgot to sync. */
function neverSynced(files: Files): Files {
  return {
    ...files,
    open: async (...args) => {
      const handle = await files.open(...args);
      return new Proxy(handle, {
        get: (target, name) => (name === 'sync' ? async () => {} : (Reflect.get(target, name) as unknown)),
      });
    },
  };
}

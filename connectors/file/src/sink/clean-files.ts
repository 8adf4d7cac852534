/** Removes what the sink keeps of a job: see docs/design/file-commit.md. */
import { posix } from 'node:path';
import type { Storage } from '@sluice/formats';
import { failpoint } from '@sluice/sdk';
import { fencesIn, HIDDEN, hash, homeOf, JobFolder } from './job-folder.js';
import { MARKER, type Marker, markerOf } from './publish-generation.js';

interface Step {
  readonly text: string;
  do(): Promise<unknown>;
}

/** A target that some job has written, as the place keeps it. */
interface KnownTarget {
  readonly job: string;
  readonly target: string;
}

/** What is done, in order; it is done where `certain`. */
export async function cleanFiles(storage: Storage, job: string, certain: boolean): Promise<string[]> {
  const steps: Step[] = [];
  const take = async (found: readonly Step[]) => {
    steps.push(...found);
    if (!certain) return;
    for (const step of found) {
      await step.do();
      failpoint('file.clean.after-step');
    }
  };
  const targets = await knownTargets(storage);
  await take(await finishing(storage, job, targets));
  await take(await forgetting(storage, job, targets));
  if (await isLast(storage, job, targets)) await take([removal(storage, HIDDEN)]);
  return steps.map(({ text }) => text);
}

/** Whether nothing else is in the hidden folder. A job that arrives this moment has nothing to lose there yet. */
async function isLast(storage: Storage, job: string, targets: readonly KnownTarget[]): Promise<boolean> {
  const home = posix.basename(homeOf({ id: job }));
  const names = await storage.names(HIDDEN);
  if (names.length === 0 || targets.some((target) => target.job !== job)) return false;
  return names.every((name) => name === home || name === 'id' || name === 'targets');
}

async function knownTargets(storage: Storage): Promise<KnownTarget[]> {
  const known: KnownTarget[] = [];
  for (const name of await storage.names(`${HIDDEN}/targets`)) {
    const bytes = await storage.readAt(`${HIDDEN}/targets/${name}`, 0, 65_536);
    known.push(JSON.parse(Buffer.from(bytes).toString()) as KnownTarget);
  }
  return known;
}

/** Committed parts that are not in their place yet, and targets that an unfinished publication has put aside. */
async function finishing(storage: Storage, job: string, targets: readonly KnownTarget[]): Promise<Step[]> {
  const [fence] = await fencesIn(storage, homeOf({ id: job }));
  if (fence === undefined) return [];
  const folder = JobFolder.of(storage, { id: job, fence });
  const steps: Step[] = [];
  const waiting = await folder.unplaced();
  for (const target of waiting) {
    steps.push({ text: `complete ${storage.name}/${target}`, do: () => folder.finishMoves() });
  }
  for (const { target } of targets) {
    const aside = folder.in(`old-${hash(target)}.0`);
    if (!(await storage.exists(aside)) || (await storage.exists(target))) continue;
    steps.push({
      text: `put ${storage.name}/${target} back`,
      do: () => storage.rename(aside, target),
    });
  }
  return steps;
}

async function forgetting(storage: Storage, job: string, targets: readonly KnownTarget[]): Promise<Step[]> {
  const home = homeOf({ id: job });
  const steps: Step[] = [];
  for (const { target } of targets) {
    const marker = await markerOf({ storage }, target);
    if (marker?.job !== job || marker.generation === 0) continue;
    // The folder stays the job's own; which generation it has is no longer known.
    const unmarked: Marker = { ...marker, generation: 0 };
    steps.push({
      text: `reset ${storage.name}/${target}/${MARKER}`,
      do: () => storage.put(`${target}/${MARKER}`, Buffer.from(JSON.stringify(unmarked))),
    });
  }
  for (const fence of await fencesIn(storage, home)) {
    // In one step, so that no run finds a part of it.
    steps.push({
      text: `remove ${storage.name}/${home}/run-${fence}`,
      do: () => storage.rename(`${home}/run-${fence}`, `${home}/gone-${fence}`),
    });
  }
  if (await storage.exists(home)) steps.push(removal(storage, home));
  for (const { job: owner, target } of targets) {
    if (owner === job) steps.push(removal(storage, `${HIDDEN}/targets/${hash(target)}.json`));
  }
  return steps;
}

function removal(storage: Storage, path: string): Step {
  return { text: `remove ${storage.name}/${path}`, do: () => storage.remove(path) };
}

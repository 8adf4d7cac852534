/** The hidden folder of one job under its fence, and the record that it holds. See docs/design/file-commit.md. */
import { createHash, randomUUID } from 'node:crypto';
import type { Storage } from '@sluice/formats';
import {
  failpoint,
  isSluiceError,
  type Json,
  type JsonObject,
  type SinkJob,
  type SinkRecord,
  type Split,
  type SplitRecord,
  type StreamRecord,
  type Token,
} from '@sluice/sdk';
import { fileSinkErrors } from './sink-errors.js';

/** What readers of the place do not look into. */
export const HIDDEN = '.sluice';

/** `epoch.json`: what one committed epoch says. */
export interface EpochFile extends SplitRecord {
  /** Where its parts belong, for each target that it has rows of. */
  readonly places: readonly PartsPlace[];
}

/** Parts of one target, which is a folder below the root or the name of a generation that is not published. */
export interface PartsPlace {
  readonly at: { readonly target: string } | { readonly generationOf: string };
  /** The folder of their partition below that; left out where they stand directly in it. */
  readonly below?: string;
  readonly parts: readonly string[];
}

/** What a token says: which epoch, and the name of its folder. */
export interface EpochToken {
  readonly split: string;
  readonly generation: number;
  readonly number: number;
  readonly name: string;
}

/** The token of an epoch of files; undefined when it is something else. */
export function readToken({ split, generation, number, name }: Token): EpochToken | undefined {
  if (typeof split !== 'string' || typeof name !== 'string') return undefined;
  if (typeof generation !== 'number' || typeof number !== 'number') return undefined;
  return { split, generation, number, name };
}

interface StreamsFile {
  readonly streams: { readonly [stream: string]: StreamRecord };
  readonly splits: { readonly [split: string]: SplitRecord };
}

const NOTHING: StreamsFile = { streams: {}, splits: {} };

export class JobFolder {
  private constructor(
    readonly storage: Storage,
    /** `.sluice/<job>/run-<fence>` */
    readonly path: string,
  ) {}

  /** The folder of a run that has attached; it is gone when another run has. */
  static of(storage: Storage, job: Pick<SinkJob, 'id' | 'fence'>): JobFolder {
    return new JobFolder(storage, `${homeOf(job)}/run-${job.fence}`);
  }

  /** Takes the job's files over under a greater fence. Returns the record as found, with the fence as found. */
  static async attach(storage: Storage, job: SinkJob): Promise<SinkRecord | undefined> {
    const home = homeOf(job);
    for (;;) {
      const fences = await fencesIn(storage, home);
      const highest = fences[0];
      if (highest === undefined) {
        await found(storage, job);
        const others = (await fencesIn(storage, home)).filter((fence) => fence > job.fence);
        if (others.length === 0) return undefined;
        continue;
      }
      const current = new JobFolder(storage, `${home}/run-${highest}`);
      if (highest >= job.fence) return current.record(highest);
      failpoint('file.attach.before-rename');
      try {
        await storage.rename(current.path, `${home}/run-${job.fence}`);
      } catch (error) {
        if (isMissing(error)) continue;
        throw error;
      }
      failpoint('file.attach.after-rename');
      for (const older of fences.slice(1)) await storage.remove(`${home}/run-${older}`);
      const folder = JobFolder.of(storage, job);
      await folder.finishMoves();
      return folder.record(highest);
    }
  }

  /** What is committed: splits as adopted, each as far as its last epoch reaches. */
  async record(fence: bigint): Promise<SinkRecord> {
    const job = await this.readJson<{ source: string }>('job.json');
    if (job === undefined)
      throw fileSinkErrors.recordDamaged(`${this.storage.name}/${this.path} has no job.json`);
    const { streams, splits: adopted } = await this.streams();
    const splits: { [split: string]: SplitRecord } = { ...adopted };
    for (const { split, generation, epoch, position, sealed } of await this.epochs()) {
      const known = splits[split.id];
      if (known === undefined || known.generation > generation) continue;
      if (known.generation === generation && known.epoch >= epoch) continue;
      splits[split.id] = { split, generation, epoch, position, sealed };
    }
    return { source: job.source, fence, streams, splits };
  }

  async streams(): Promise<StreamsFile> {
    return (await this.readJson<StreamsFile>('streams.json')) ?? NOTHING;
  }

  /** Stores generations and splits; epochs of other generations are forgotten. Positions are never set back. */
  async adopt({ streams, splits }: Pick<SinkRecord, 'streams' | 'splits'>): Promise<void> {
    const before = await this.record(0n);
    const merged: { [stream: string]: StreamRecord } = { ...before.streams };
    for (const [stream, theirs] of Object.entries(streams)) {
      const ours = merged[stream];
      const kept = ours?.generation === theirs.generation && ours.published;
      merged[stream] = { generation: theirs.generation, published: kept || theirs.published };
    }
    const current = ({ split, generation }: SplitRecord) =>
      split.streams.every(
        (stream) => merged[stream] === undefined || merged[stream].generation === generation,
      );
    const all: { [split: string]: SplitRecord } = {};
    for (const [id, record] of Object.entries(before.splits)) if (current(record)) all[id] = record;
    for (const [id, record] of Object.entries(splits)) {
      const ours = all[id];
      if (ours === undefined || ours.generation !== record.generation || ours.epoch < record.epoch)
        all[id] = record;
    }
    await this.writeJson('streams.json', { streams: merged, splits: all } as unknown as Json);
    failpoint('file.adopt.after-streams');
    for (const epoch of await this.epochs()) {
      if (!current(epoch))
        await this.storage.remove(this.in('epochs', epochName(epoch.split, epoch.generation, epoch.epoch)));
    }
  }

  async markPublished(stream: string, generation: number): Promise<void> {
    const file = await this.streams();
    const streams = { ...file.streams, [stream]: { generation, published: true } };
    await this.writeJson('streams.json', { ...file, streams } as unknown as Json);
  }

  /** Targets that lack parts of committed epochs. */
  async unplaced(): Promise<string[]> {
    const targets = new Set<string>();
    for (const { split, generation, epoch, places } of await this.epochs()) {
      const waiting = new Set(
        await this.storage.names(this.in('epochs', epochName(split, generation, epoch))),
      );
      for (const { at, parts } of places) {
        if ('target' in at && parts.some((part) => waiting.has(part))) targets.add(at.target);
      }
    }
    return [...targets];
  }

  /** Moves the parts of committed epochs that are not in their place yet. */
  async finishMoves(): Promise<void> {
    for (const epoch of await this.epochs()) {
      await this.place(epochName(epoch.split, epoch.generation, epoch.epoch), epoch);
    }
  }

  /**
   * Commits a staged epoch: one rename, then its parts go to their places. Repeating it changes nothing, also when
   * later epochs of the split have been committed since.
   */
  async commit(token: Token): Promise<void> {
    const known = readToken(token);
    if (known === undefined)
      throw fileSinkErrors.recordDamaged(`${JSON.stringify(token)} names no epoch of files`);
    const { name } = known;
    const staged = this.in('staged', name);
    const committed = this.in('epochs', name);
    if (!(await this.storage.exists(committed))) {
      const isGone = !(await this.storage.exists(staged)) && (await this.storage.exists(this.path));
      if (isGone && (await this.isCommitted(known))) return;
      failpoint('file.commit.before-rename');
      await this.guarded(() => this.storage.rename(staged, committed));
    }
    failpoint('file.commit.after-rename');
    const epoch = await this.readJson<EpochFile>(`epochs/${name}/epoch.json`);
    if (epoch === undefined) throw fileSinkErrors.fenced(`epoch ${name} was taken over by another run`);
    await this.place(name, epoch);
    failpoint('file.commit.after-place');
    const { split, generation } = epoch;
    if (epoch.epoch > 1)
      await this.storage.remove(this.in('epochs', epochName(split, generation, epoch.epoch - 1)));
  }

  async isCommitted({ split, generation, number, name }: EpochToken): Promise<boolean> {
    if (await this.storage.exists(this.in('epochs', name))) return true;
    const known = (await this.record(0n)).splits[split];
    return known !== undefined && known.generation === generation && known.epoch >= number;
  }

  isStaged(name: string): Promise<boolean> {
    return this.storage.exists(this.in('staged', name, 'epoch.json'));
  }

  in(...names: string[]): string {
    return [this.path, ...names].join('/');
  }

  /** Writes a JSON file that readers see old or new. Fails as fenced when the folder has been taken over. */
  async writeJson(name: string, value: Json): Promise<void> {
    const temporary = this.in(`${name}.${randomUUID()}.tmp`);
    await this.guarded(async () => {
      const file = await this.storage.create(temporary);
      await file.write(Buffer.from(JSON.stringify(value)));
      await file.finish();
      await this.storage.rename(temporary, this.in(name));
    });
  }

  async readJson<T>(name: string): Promise<T | undefined> {
    const path = this.in(name);
    const file = await this.storage.stat(path);
    if (file === undefined) return undefined;
    const bytes = await this.storage.readAt(path, 0, file.size);
    try {
      return JSON.parse(Buffer.from(bytes).toString()) as T;
    } catch (error) {
      throw fileSinkErrors.recordDamaged(`${this.storage.name}/${path} is no JSON`, { cause: error });
    }
  }

  /** A step under this fence: a folder that is missing has been taken over. */
  async guarded<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (isMissing(error) && !(await this.storage.exists(this.path))) {
        throw fileSinkErrors.fenced('another run has taken over this job’s files', { cause: error });
      }
      throw error;
    }
  }

  private async place(name: string, { places }: EpochFile): Promise<void> {
    const folder = this.in('epochs', name);
    const waiting = new Set(await this.storage.names(folder));
    for (const { at, below, parts } of places) {
      const left = parts.filter((part) => waiting.has(part));
      if (left.length === 0) continue;
      const root = 'target' in at ? at.target : this.in('generations', at.generationOf);
      const target = below === undefined ? root : `${root}/${below}`;
      if ('target' in at) await this.storage.makeFolder(target);
      else await this.makeFolders(root, below);
      for (const part of left) {
        // Names say where a part comes from; one that is taken was written before the job's state was cleaned away.
        const isTaken = await this.storage.exists(`${target}/${part}`);
        const name = isTaken ? part.replace(/[0-9a-f]{16}/, hash(randomUUID())) : part;
        await this.guarded(() => this.storage.rename(`${folder}/${part}`, `${target}/${name}`));
        failpoint('file.place.between-parts');
      }
    }
  }

  /** Makes a folder and those of a partition in it, one by one: above the first everything must be there. */
  private async makeFolders(root: string, below: string | undefined): Promise<void> {
    let path = root;
    await this.guarded(() => this.storage.makeFolderIn(path));
    for (const name of below?.split('/') ?? []) {
      path = `${path}/${name}`;
      await this.guarded(() => this.storage.makeFolderIn(path));
    }
  }

  private async epochs(): Promise<EpochFile[]> {
    const found: EpochFile[] = [];
    for (const name of await this.storage.names(this.in('epochs'))) {
      const epoch = await this.readJson<EpochFile>(`epochs/${name}/epoch.json`);
      if (epoch !== undefined) found.push(epoch);
    }
    return found;
  }
}

/** The name of an epoch's folder: short, whatever the split is called. */
export function epochName(split: Split, generation: number, number: number): string {
  return `${hash(split.id)}.${generation}.${number}`;
}

/** A short name for anything long. */
export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The place's identity: made once, kept with the files. */
export async function identityOf(storage: Storage): Promise<string> {
  const path = `${HIDDEN}/id`;
  const read = async () =>
    Buffer.from(await storage.readAt(path, 0, 100))
      .toString()
      .trim();
  if ((await storage.stat(path)) === undefined)
    await storage.put(path, Buffer.from(`${randomUUID()}\n`), { ifAbsent: true });
  return `files:${await read()}`;
}

/** Where the place keeps which job was the first to write a target. */
export function ownerPath(target: string): string {
  return `${HIDDEN}/targets/${hash(target)}.json`;
}

export function homeOf(job: Pick<SinkJob, 'id'>): string {
  return `${HIDDEN}/${hash(job.id)}`;
}

/** Fences of the runs that have folders, highest first. */
export async function fencesIn(storage: Storage, home: string): Promise<bigint[]> {
  const fences: bigint[] = [];
  for (const name of await storage.names(home)) {
    const fence = /^run-(\d+)$/.exec(name)?.[1];
    if (fence !== undefined) fences.push(BigInt(fence));
  }
  return fences.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
}

/** Makes the folder of a job that has none, complete before it gets its name. */
async function found(storage: Storage, job: SinkJob): Promise<void> {
  const home = homeOf(job);
  const making = `${home}/new-${randomUUID()}`;
  for (const folder of ['epochs', 'staged', 'generations']) await storage.makeFolder(`${making}/${folder}`);
  const about: JsonObject = { job: job.id, source: job.source };
  await storage.put(`${making}/job.json`, Buffer.from(JSON.stringify(about)));
  failpoint('file.attach.before-found');
  await storage.rename(making, `${home}/run-${job.fence}`);
}

function isMissing(error: unknown): boolean {
  return isSluiceError(error) && error.code === 'SLUICE-STORAGE-0001';
}

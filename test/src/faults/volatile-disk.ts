/**
 * A disk that keeps what was written in mind until it is told to make it durable, as real ones do: `kill -9` does not show what
 * was never synced, a power failure does. Code under test gets {@link VolatileDisk.files} in place of `node:fs/promises`;
 * {@link VolatileDisk.crash} then leaves what a power failure may leave.
 */
import { constants } from 'node:fs';
import * as real from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { seededRandom } from './seeded-random.js';

/** What code under test may use of `node:fs/promises`. */
export type Files = Pick<typeof real, 'link' | 'mkdir' | 'open' | 'readdir' | 'rename' | 'rm' | 'stat'>;

/** Thrown by everything that a process does on a disk after its power has failed. */
export class PowerFailure extends Error {
  override readonly name = 'PowerFailure';
}

interface StoredFile {
  readonly kind: 'file';
  /** The content when the file was last synced. */
  synced: Uint8Array;
  /** Whether it has been written to since. */
  isDirty: boolean;
}

interface StoredFolder {
  readonly kind: 'folder';
  /** Names as processes see them. */
  readonly live: Map<string, Stored>;
  /** Names that survive. */
  readonly durable: Map<string, Stored>;
}

type Stored = StoredFile | StoredFolder;

/** A change of names that is not durable yet. */
interface Pending {
  /** Folders that must be synced until it is. */
  readonly unsynced: Set<StoredFolder>;
  /** Makes it durable, unless what it rests on was lost. */
  readonly take: () => void;
}

/**
 * The rules are those that POSIX gives, no better: a file's content is durable once the file is synced, a name once its
 * folder is, a move between folders once both are. A move happens or not, as in every journaling file system. Of what is not
 * durable a crash keeps any part.
 */
export class VolatileDisk {
  /** The folder under test: real files, for programs that read beside. */
  readonly root: string;
  private readonly top: StoredFolder = newFolder();
  private pending: Pending[] = [];
  private boot = 0;
  private left = Number.POSITIVE_INFINITY;
  private steps = 0;
  private readonly open = new Set<real.FileHandle>();

  /** `root` is an empty folder. */
  constructor(root: string) {
    this.root = resolve(root);
  }

  /** Steps that changed or synced something since the last crash. */
  get stepCount(): number {
    return this.steps;
  }

  /** The disk as a process sees it; until {@link crash}, or until `steps` steps have been made: then each step fails. */
  files(steps = Number.POSITIVE_INFINITY): Files {
    const boot = this.boot;
    this.left = steps;
    this.steps = 0;
    const step = () => {
      this.requirePower(boot);
      if (this.steps >= this.left) this.boot++;
      this.requirePower(boot);
      this.steps++;
    };
    const look = () => this.requirePower(boot);
    return {
      link: async (from, to) => {
        step();
        await real.link(from, to);
        this.named(String(to), this.find(String(from))!);
      },
      mkdir: (async (path: string) => {
        step();
        await real.mkdir(path);
        this.named(path, newFolder());
      }) as Files['mkdir'],
      open: async (path, flags = 'r') => {
        look();
        const writes = flags !== 'r';
        if (writes) step();
        return this.opened(String(path), writes, flags, step);
      },
      readdir: (async (path: string) => {
        look();
        return real.readdir(path);
      }) as Files['readdir'],
      rename: async (from, to) => {
        step();
        await real.rename(from, to);
        this.moved(String(from), String(to));
      },
      rm: async (path, options) => {
        step();
        await real.rm(path, options);
        this.removed(String(path));
      },
      stat: (async (path: string, options: { bigint: true }) => {
        look();
        return real.stat(path, options);
      }) as Files['stat'],
    };
  }

  /**
   * The power fails, and comes back. By `seed` each change that was not durable is kept or lost, and content that was not
   * synced is there, is what it was when it was, or is a part of it; without a seed all of it is lost.
   */
  async crash(seed?: number): Promise<void> {
    const random = seed === undefined ? () => 1 : seededRandom(seed);
    this.boot++;
    const contents = new Map<StoredFile, Uint8Array>();
    await this.readLive(this.top, this.root, contents);
    for (const handle of this.open) await handle.close();
    this.open.clear();
    for (const { take } of this.pending) if (random() < 0.5) take();
    this.pending = [];
    for (const name of await real.readdir(this.root))
      await real.rm(join(this.root, name), { recursive: true });
    await this.restore(this.top, this.root, (file) => {
      const live = file.isDirty ? contents.get(file) : undefined;
      if (live === undefined) return file.synced;
      const chance = random();
      if (chance < 0.3) return live;
      return chance < 0.5 ? live.subarray(0, Math.floor(live.byteLength * random())) : file.synced;
    });
  }

  private requirePower(boot: number): void {
    if (boot !== this.boot) throw new PowerFailure('the power has failed');
  }

  private async opened(
    path: string,
    writes: boolean,
    flags: string | number,
    step: () => void,
  ): Promise<real.FileHandle> {
    // What is written is read again when it is synced.
    const both = typeof flags === 'number' ? (flags & ~constants.O_WRONLY) | constants.O_RDWR : 'w+';
    const handle = await real.open(path, writes ? both : flags);
    this.open.add(handle);
    if (writes && this.find(path) === undefined)
      this.named(path, { kind: 'file', synced: new Uint8Array(), isDirty: true });
    const stored = this.find(path);
    if (writes && stored?.kind === 'file') stored.isDirty = true;
    return new Proxy(handle, {
      get: (target, name) => {
        if (name === 'sync') {
          return async () => {
            step();
            if (stored?.kind === 'file') {
              stored.synced = await wholeOf(target);
              stored.isDirty = false;
            } else if (stored !== undefined) this.syncNames(stored);
          };
        }
        if (name === 'close') {
          return async () => {
            if (this.open.delete(handle)) await target.close();
          };
        }
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (name === 'write' || name === 'writeFile') {
            step();
            if (stored?.kind === 'file') stored.isDirty = true;
          }
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  }

  private named(path: string, stored: Stored): void {
    const { folder, name } = this.place(path);
    folder.live.set(name, stored);
    this.pending.push({ unsynced: new Set([folder]), take: () => folder.durable.set(name, stored) });
  }

  private moved(from: string, to: string): void {
    const [old, now] = [this.place(from), this.place(to)];
    const stored = old.folder.live.get(old.name)!;
    old.folder.live.delete(old.name);
    now.folder.live.set(now.name, stored);
    this.pending.push({
      unsynced: new Set([old.folder, now.folder]),
      take: () => {
        if (old.folder.durable.get(old.name) !== stored) return;
        old.folder.durable.delete(old.name);
        now.folder.durable.set(now.name, stored);
      },
    });
  }

  /** A folder goes name by name, what is in it first. */
  private removed(path: string): void {
    const stored = this.find(path);
    if (stored === undefined) return;
    if (stored.kind === 'folder') for (const name of [...stored.live.keys()]) this.removed(join(path, name));
    const { folder, name } = this.place(path);
    folder.live.delete(name);
    this.pending.push({
      unsynced: new Set([folder]),
      take: () => {
        const isEmpty = stored.kind === 'file' || stored.durable.size === 0;
        if (isEmpty && folder.durable.get(name) === stored) folder.durable.delete(name);
      },
    });
  }

  private syncNames(folder: StoredFolder): void {
    this.pending = this.pending.filter(({ unsynced, take }) => {
      unsynced.delete(folder);
      if (unsynced.size > 0) return true;
      take();
      return false;
    });
  }

  private find(path: string): Stored | undefined {
    let at: Stored | undefined = this.top;
    for (const name of this.namesOf(path)) at = at?.kind === 'folder' ? at.live.get(name) : undefined;
    return at;
  }

  private place(path: string): { folder: StoredFolder; name: string } {
    const folder = this.find(dirname(resolve(path)));
    if (folder?.kind !== 'folder') throw new TypeError(`${path} is not on this disk`);
    return { folder, name: this.namesOf(path).at(-1)! };
  }

  private namesOf(path: string): string[] {
    const names = relative(this.root, resolve(path)).split(sep).filter(Boolean);
    if (names[0] === '..') throw new TypeError(`${path} is not on this disk`);
    return names;
  }

  private async readLive(
    folder: StoredFolder,
    path: string,
    into: Map<StoredFile, Uint8Array>,
  ): Promise<void> {
    for (const [name, stored] of folder.live) {
      if (stored.kind === 'file') into.set(stored, await real.readFile(join(path, name)));
      else await this.readLive(stored, join(path, name), into);
    }
  }

  private async restore(
    folder: StoredFolder,
    path: string,
    contentOf: (file: StoredFile) => Uint8Array,
  ): Promise<void> {
    folder.live.clear();
    for (const [name, stored] of folder.durable) {
      folder.live.set(name, stored);
      const place = join(path, name);
      if (stored.kind === 'folder') {
        await real.mkdir(place);
        await this.restore(stored, place, contentOf);
      } else {
        stored.synced = contentOf(stored);
        stored.isDirty = false;
        await real.writeFile(place, stored.synced);
      }
    }
  }
}

function newFolder(): StoredFolder {
  return { kind: 'folder', live: new Map(), durable: new Map() };
}

async function wholeOf(handle: real.FileHandle): Promise<Uint8Array> {
  const { size } = await handle.stat();
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) filled += (await handle.read(bytes, filled, size - filled, filled)).bytesRead;
  return bytes;
}

/** The storage port on a local disk. */
import { randomUUID } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import * as disk from 'node:fs/promises';
import { basename, dirname, join, posix, resolve } from 'node:path';
import { storageErrors } from './errors.js';
import type { ByteRange, Storage, StoredFile, StoredWriter } from './storage.js';

const CHUNK = 1 << 18;

/** What it uses of `node:fs/promises`: tests of lost power put a disk that forgets in its place. */
export type Files = Pick<typeof disk, 'link' | 'mkdir' | 'open' | 'readdir' | 'rename' | 'rm' | 'stat'>;

/** Files below a folder, which need not exist yet. */
export class LocalStorage implements Storage {
  readonly capabilities = { rename: true, conditional: true };
  readonly name: string;

  constructor(
    root: string,
    private readonly files: Files = disk,
  ) {
    this.name = resolve(root);
  }

  async *list(folder: string): AsyncIterable<StoredFile> {
    for (const name of await this.names(folder)) {
      const path = posix.join(folder, name);
      const file = await this.info(path);
      if (file === undefined) continue;
      if (file === 'folder') yield* this.list(path);
      else yield file;
    }
  }

  async names(folder: string): Promise<string[]> {
    try {
      return (await this.files.readdir(this.full(folder))).sort();
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
      throw failure(error, `cannot list ${this.full(folder)}`);
    }
  }

  async stat(path: string): Promise<StoredFile | undefined> {
    const file = await this.info(path);
    return file === 'folder' ? undefined : file;
  }

  async exists(path: string): Promise<boolean> {
    return (await this.info(path)) !== undefined;
  }

  /** One chunk is read ahead, into the one of two buffers that the caller is done with. */
  async *read(
    path: string,
    { from = 0, to = Number.POSITIVE_INFINITY }: ByteRange = {},
  ): AsyncIterable<Uint8Array> {
    const file = await this.open(path);
    let pending: Promise<{ bytesRead: number }> | undefined;
    try {
      const buffers = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)];
      let position = from;
      let turn = 0;
      const readNext = () => {
        const wanted = Math.min(CHUNK, to - position);
        pending =
          wanted > 0 ? file.read(buffers[turn]!, 0, wanted, position) : Promise.resolve({ bytesRead: 0 });
        pending.catch(() => {});
      };
      readNext();
      for (;;) {
        const { bytesRead } = await pending!;
        if (bytesRead === 0) return;
        const chunk = buffers[turn]!;
        position += bytesRead;
        turn = 1 - turn;
        readNext();
        yield bytesRead === CHUNK ? chunk : chunk.subarray(0, bytesRead);
      }
    } catch (error) {
      throw failure(error, `cannot read ${this.full(path)}`);
    } finally {
      await pending?.catch(() => {});
      await file.close();
    }
  }

  async readAt(path: string, from: number, length: number): Promise<Uint8Array> {
    const file = await this.open(path);
    try {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(bytes, filled, length - filled, from + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled === length ? bytes : bytes.subarray(0, filled);
    } catch (error) {
      throw failure(error, `cannot read ${this.full(path)}`);
    } finally {
      await file.close();
    }
  }

  /** Written beside its place and then moved (or linked, where it must be new) into it. */
  async put(
    path: string,
    bytes: Uint8Array,
    options: { readonly ifAbsent?: boolean } = {},
  ): Promise<boolean> {
    const place = this.full(path);
    const temporary = join(dirname(place), `.${basename(place)}.${randomUUID()}.tmp`);
    await this.makeFolder(posix.dirname(path));
    try {
      const file = await this.files.open(temporary, 'w');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      if (options.ifAbsent === true) {
        await this.files.link(temporary, place);
        await this.files.rm(temporary);
      } else {
        await this.files.rename(temporary, place);
      }
      await syncFolder(this.files, dirname(place));
      return true;
    } catch (error) {
      await this.files.rm(temporary, { force: true }).catch(() => {});
      if (options.ifAbsent === true && codeOf(error) === 'EEXIST') return false;
      throw failure(error, `cannot write ${place}`);
    }
  }

  async create(path: string): Promise<StoredWriter> {
    const place = this.full(path);
    let file: disk.FileHandle;
    try {
      file = await this.files.open(place, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC);
    } catch (error) {
      throw failure(error, `cannot create ${place}`);
    }
    return new LocalWriter(this.files, file, place);
  }

  /** Makes folders one by one, so that each new name is made durable in the folder above it. */
  async makeFolder(path: string): Promise<void> {
    const place = this.full(path);
    if (await isFolder(this.files, place)) return;
    const above = dirname(place);
    if (above !== place && !(await isFolder(this.files, above)))
      await new LocalStorage(above, this.files).makeFolder('.');
    await this.makeFolderIn(path);
  }

  async makeFolderIn(path: string): Promise<void> {
    const place = this.full(path);
    try {
      await this.files.mkdir(place);
      await syncFolder(this.files, dirname(place));
    } catch (error) {
      if (codeOf(error) === 'EEXIST' && (await isFolder(this.files, place))) return;
      throw failure(error, `cannot make the folder ${place}`);
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [this.full(from), this.full(to)];
    try {
      await this.files.rename(source, target);
      await syncFolder(this.files, dirname(target));
      if (dirname(source) !== dirname(target)) await syncFolder(this.files, dirname(source));
    } catch (error) {
      throw failure(error, `cannot move ${source} to ${target}`);
    }
  }

  async remove(path: string): Promise<void> {
    const place = this.full(path);
    try {
      await this.files.rm(place, { recursive: true, force: true });
      await syncFolder(this.files, dirname(place)).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
      });
    } catch (error) {
      throw failure(error, `cannot remove ${place}`);
    }
  }

  private full(path: string): string {
    return join(this.name, path);
  }

  private async info(path: string): Promise<StoredFile | 'folder' | undefined> {
    try {
      const found = await this.files.stat(this.full(path), { bigint: true });
      if (found.isDirectory()) return 'folder';
      const modifiedMs = Number(found.mtimeMs);
      return { path, size: Number(found.size), version: versionOf(found), modifiedMs };
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw failure(error, `cannot look at ${this.full(path)}`);
    }
  }

  private async open(path: string): Promise<disk.FileHandle> {
    try {
      return await this.files.open(this.full(path), 'r');
    } catch (error) {
      throw failure(error, `cannot open ${this.full(path)}`);
    }
  }
}

/**
 * The time of its last change is not enough: two changes may fall into one tick of the clock, and programs set it.
 * The time of the last change of its entry cannot be set, and a file that takes the place of another has a number of
 * its own.
 */
function versionOf({ mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return `${mtimeNs}.${ctimeNs}.${ino}`;
}

class LocalWriter implements StoredWriter {
  private size = 0;
  private isOpen = true;

  constructor(
    private readonly files: Files,
    private readonly file: disk.FileHandle,
    private readonly place: string,
  ) {}

  async write(bytes: Uint8Array): Promise<void> {
    try {
      let written = 0;
      while (written < bytes.byteLength) {
        const { bytesWritten } = await this.file.write(bytes, written);
        written += bytesWritten;
      }
      this.size += bytes.byteLength;
    } catch (error) {
      throw failure(error, `cannot write ${this.place}`);
    }
  }

  async finish(): Promise<number> {
    try {
      await this.file.sync();
      await this.close();
      await syncFolder(this.files, dirname(this.place));
      return this.size;
    } catch (error) {
      throw failure(error, `cannot write ${this.place}`);
    }
  }

  async abort(): Promise<void> {
    if (!this.isOpen) return;
    await this.close();
    await this.files.rm(this.place, { force: true });
  }

  private async close(): Promise<void> {
    this.isOpen = false;
    await this.file.close();
  }
}

/** Makes the names in a folder durable. Systems that cannot open folders make them durable by themselves. */
async function syncFolder(files: Files, place: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await files.open(place, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function isFolder(files: Files, place: string): Promise<boolean> {
  try {
    return (await files.stat(place, { bigint: true })).isDirectory();
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code ?? '');
}

/** The coded error for a system error. */
function failure(error: unknown, what: string): Error {
  const code = codeOf(error);
  if (code.startsWith('SLUICE-')) return error as Error;
  const message = `${what}: ${error instanceof Error ? error.message : String(error)}`;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return storageErrors.missing(message, { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return storageErrors.denied(message, { cause: error });
    case 'EEXIST':
    case 'ENOTEMPTY':
    case 'EISDIR':
      return storageErrors.occupied(message, { cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
      return storageErrors.noSpace(message, { cause: error });
    default:
      return storageErrors.failed(message, { cause: error });
  }
}

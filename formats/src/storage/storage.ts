/**
 * The storage port: a place of files that a local disk implements here and object stores implement elsewhere. Paths
 * are relative to the place's root, with `/` between names, never beginning with one.
 *
 * Every writing verb is durable when it returns: content and name survive a crash of the process and of the machine.
 * A verb that rejects, or never returns, has happened whole or not at all, except where its comment says otherwise;
 * callers find out by looking.
 */

export interface StoredFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Differs whenever the content may differ: on disks both times of change in nanoseconds and the file's number, in
   * object stores an entity tag. What is added to it in a later release stands behind a point.
   */
  readonly version: string;
  /** When the content was changed last, in milliseconds since 1970, where the storage knows. */
  readonly modifiedMs?: number;
}

export interface StorageCapabilities {
  /**
   * Whether a file or folder is renamed in one step, which callers use as their commit point. Without it they commit
   * by `put` with `ifAbsent`.
   */
  readonly rename: boolean;
  /** Whether `put` can be made to fail when the file is there already. */
  readonly conditional: boolean;
}

/** Bytes `from` … `to`, exclusive; the file's begin and end where left out. */
export interface ByteRange {
  readonly from?: number;
  readonly to?: number;
}

export interface Storage {
  readonly capabilities: StorageCapabilities;
  /** The place as people know it: an absolute path, `s3://bucket/prefix`. */
  readonly name: string;

  /**
   * The files below a folder, at any depth, in the order of their paths; nothing when the folder is missing. Sources
   * call it to plan, sinks to find what an earlier run left. Says nothing of files that come or go meanwhile.
   */
  list(folder: string): AsyncIterable<StoredFile>;

  /** Names directly in a folder, files and folders alike, sorted; none when it is missing. */
  names(folder: string): Promise<string[]>;

  /** The file as it is now; undefined when there is none. A folder is not a file. */
  stat(path: string): Promise<StoredFile | undefined>;

  /** Whether a file or a folder is there. In object stores a folder is there while a file is below it. */
  exists(path: string): Promise<boolean>;

  /**
   * The bytes of a file, read ahead by a bounded amount. A chunk is valid until the next one is asked for. Rejects
   * with `SLUICE-STORAGE-0001` when the file is missing.
   */
  read(path: string, range?: ByteRange): AsyncIterable<Uint8Array>;

  /** Up to `length` bytes at `from`; fewer only at the file's end. For formats with an index at the end. */
  readAt(path: string, from: number, length: number): Promise<Uint8Array>;

  /**
   * Writes a small file whole: readers see the old content or the new, never a part. Folders on the way are made.
   * With `ifAbsent` an existing file is left alone and the answer is false. Manifests and markers are written so.
   */
  put(path: string, bytes: Uint8Array, options?: { readonly ifAbsent?: boolean }): Promise<boolean>;

  /**
   * Begins a file that is written in pieces, in an existing folder. It exists from now on but is durable only after
   * `finish`; sinks create files in staging folders that no reader looks into. Rejects with `SLUICE-STORAGE-0001`
   * when the folder is missing: folders on the way are not made, since a missing folder says that it was taken away.
   */
  create(path: string): Promise<StoredWriter>;

  /** Makes a folder and those on the way to it. Harmless when it is there. */
  makeFolder(path: string): Promise<void>;

  /** As `makeFolder`, but only the last one: rejects with `SLUICE-STORAGE-0001` when the folder above is missing. */
  makeFolderIn(path: string): Promise<void>;

  /**
   * Moves a file or a folder in one step. A file takes the place of a file; a folder does not take the place of a
   * folder that holds something (`SLUICE-STORAGE-0003`). `SLUICE-STORAGE-0001` when the source, or the folder to move
   * into, is missing. Sinks publish with it. After a crash it has happened or not; looking at both paths tells.
   */
  rename(from: string, to: string): Promise<void>;

  /**
   * Removes a file or a folder with everything in it; harmless when it is missing. A folder may be left with a part
   * of its content when the process dies: callers repeat it.
   */
  remove(path: string): Promise<void>;
}

export interface StoredWriter {
  /** Accepts bytes, which must not be changed until it returns. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the content and the file's name durable and closes the file. Returns its size. */
  finish(): Promise<number>;
  /** Closes and removes the file. Harmless after `finish`, which it does not undo. */
  abort(): Promise<void>;
}

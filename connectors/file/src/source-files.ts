/** Which files a source reads, and which stream each belongs to. */
import { basename, dirname, isAbsolute, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  globFolder,
  globMatcher,
  isGlob,
  LocalStorage,
  type Storage,
  type StoredFile,
} from '@sluice/formats';
import type { FileConfig } from './config.js';
import { fileErrors } from './errors.js';
import { type FormatName, partsOfPath } from './file-format.js';
import { type FolderValue, folderValues, isHiveFolder } from './hive-folders.js';

/** A file of a stream. Its path is relative to the source's root. */
export interface SourceFile extends StoredFile {
  readonly format: FormatName;
  /** `.tsv` and the like, for what follows from an ending within one format. */
  readonly ending: string;
  /** What folders called `name=value` say, of the configured path and below it. */
  readonly folders: readonly FolderValue[];
  /** The folder around the first of them. */
  readonly table?: string;
}

export interface SourceFiles {
  readonly storage: Storage;
  readonly streams: ReadonlyMap<string, readonly SourceFile[]>;
}

/** The path of a configuration as an absolute path; `file:` URLs are understood. */
export function absolutePath(path: string, cwd: string): string {
  const plain = plainPath(path);
  return isAbsolute(plain) ? plain : resolve(cwd, plain);
}

function plainPath(path: string): string {
  return /^file:\/\//i.test(path) ? fileURLToPath(path) : path.replace(/^file:/i, '');
}

/**
 * Finds the files. With `streams`, each is what its pattern matches; otherwise every file is a stream named by its
 * base name, files in `name=value` folders are one named by the folder around these, or all of them are the one that
 * `stream` names. Throws `SLUICE-FILE-0001` to `0003`.
 */
export async function findFiles(config: FileConfig, cwd: string): Promise<SourceFiles> {
  const { storage, patterns } = await placeOf(config, cwd);
  const streams = new Map<string, SourceFile[]>();
  for (const [name, pattern] of patterns) {
    const found = await matching(pattern, { storage, config, cwd });
    if (found.length === 0) throw fileErrors.nothingFound(`no file at ${resolve(storage.name, pattern)}`);
    const stream = name ?? config.stream;
    for (const file of found) {
      const key = stream ?? (file.table === undefined ? partsOfPath(file.path).base : basename(file.table));
      const held = streams.get(key);
      if (held === undefined) streams.set(key, [file]);
      else if (stream !== undefined || (file.table !== undefined && file.table === held[0]!.table)) {
        held.push(file);
      } else {
        throw fileErrors.streamsUnclear(`${held[0]!.path} and ${file.path} would both be the stream ${key}`);
      }
    }
  }
  for (const [stream, files] of streams) requireOneFormat(stream, files);
  return { storage, streams };
}

/** A pattern to look for, with the stream's name where one is given. */
type NamedPattern = readonly [name: string | undefined, pattern: string];

/** The folder that file names are relative to, and the patterns below it. */
export async function placeOf(
  config: FileConfig,
  cwd: string,
): Promise<{ readonly storage: Storage; readonly patterns: readonly NamedPattern[] }> {
  const path = absolutePath(config.path, cwd);
  if (config.streams !== undefined) {
    if (config.stream !== undefined || isGlob(path)) {
      throw fileErrors.streamsUnclear('with `streams`, path is a folder and `stream` is left out');
    }
    return { storage: new LocalStorage(path), patterns: Object.entries(config.streams) };
  }
  const here = new LocalStorage('/');
  const isThere = await here.exists(path);
  if (!isThere && isGlob(path)) {
    const root = globFolder(path);
    const pattern = path.slice(root === '/' ? 1 : root.length + 1);
    return { storage: new LocalStorage(root), patterns: [[undefined, pattern]] };
  }
  if (!isThere) throw fileErrors.nothingFound(`there is no file or folder ${path}`);
  const isFile = (await here.stat(path)) !== undefined;
  if (isFile) return { storage: new LocalStorage(dirname(path)), patterns: [[undefined, basename(path)]] };
  return { storage: new LocalStorage(path), patterns: [[undefined, FOLDER]] };
}

interface Search {
  readonly storage: Storage;
  readonly config: FileConfig;
  readonly cwd: string;
}

/** The pattern of a folder whose files are streams of their own. */
const FOLDER = '.';

/** The files that a pattern means. In a folder as such, files of no known format are passed over. */
async function matching(pattern: string, search: Search): Promise<SourceFile[]> {
  const { storage, config } = search;
  const exact = await storage.stat(pattern);
  if (exact !== undefined) return [sourceFile(exact, search)];
  const isFolder = await storage.exists(pattern);
  const found: SourceFile[] = [];
  const matches = globMatcher(pattern);
  const files = isFolder ? inFolder(pattern, search) : below(storage, pattern);
  for await (const file of files) {
    if (!isFolder && !matches(file.path)) continue;
    const passes = isFolder || pattern === '*';
    if (passes && config.format === 'auto' && partsOfPath(file.path).format === undefined) continue;
    found.push(sourceFile(file, search));
  }
  return found;
}

/**
 * The files of a folder: one that a stream is named for means everything in it; otherwise those directly in it, and
 * tables, which are folders that hold `name=value` folders. Names that begin with a dot or an underscore are left out
 * below, as Hive and Spark have it.
 */
async function* inFolder(folder: string, { storage, config }: Search): AsyncGenerator<StoredFile> {
  if (folder !== FOLDER) {
    yield* allBelow(storage, folder);
    return;
  }
  for (const name of await storage.names(folder)) {
    if (name.startsWith('.')) continue;
    const file = await storage.stat(name);
    if (file !== undefined) yield file;
    else if (
      config.hive &&
      !name.startsWith('_') &&
      (isHiveFolder(name) || (await storage.names(name)).some(isHiveFolder))
    ) {
      yield* allBelow(storage, name);
    }
  }
}

async function* allBelow(storage: Storage, folder: string): AsyncGenerator<StoredFile> {
  for (const name of await storage.names(folder)) {
    if (/^[._]/.test(name)) continue;
    const path = posix.join(folder, name);
    const file = await storage.stat(path);
    if (file !== undefined) yield file;
    else yield* allBelow(storage, path);
  }
}

/** Files that a pattern may mean: folder by folder along its names where it has no `**`, so that no tree is searched. */
async function* below(storage: Storage, pattern: string): AsyncGenerator<StoredFile> {
  if (pattern.includes('**') || pattern.includes('{')) {
    yield* storage.list(globFolder(pattern));
    return;
  }
  let folders = ['.'];
  const names = pattern.split('/');
  for (const name of names.slice(0, -1)) {
    const matches = globMatcher(name);
    const next: string[] = [];
    for (const folder of folders) {
      for (const found of await storage.names(folder))
        if (matches(found)) next.push(posix.join(folder, found));
    }
    folders = next;
  }
  for (const folder of folders) {
    for (const name of await storage.names(folder)) {
      const file = await storage.stat(posix.join(folder, name));
      if (file !== undefined) yield file;
    }
  }
}

function sourceFile(file: StoredFile, search: Search): SourceFile {
  const { config } = search;
  const { format, ending } = partsOfPath(file.path);
  const chosen = config.format === 'auto' ? format : config.format;
  if (chosen === undefined) throw fileErrors.unknownFormat(`${file.path}: the ending names no format`);
  return { ...file, format: chosen, ending, ...hiveOf(file, search) };
}

/** What the file's folders say: those that the configured path names and those below, not those around them. */
function hiveOf(
  { path }: StoredFile,
  { storage, config, cwd }: Search,
): Pick<SourceFile, 'folders' | 'table'> {
  const whole = [...namesOf(storage.name), ...namesOf(path)];
  const around = namesOf(absolutePath(config.path, cwd)).length - namesOf(plainPath(config.path)).length;
  const first = whole.findIndex((name, i) => i >= around && i < whole.length - 1 && isHiveFolder(name));
  if (!config.hive || first < 0) return { folders: [] };
  return { folders: folderValues(whole.slice(first).join('/')), table: whole.slice(0, first).join('/') };
}

/** The names of a path, without those that mean a place by another one. */
function namesOf(path: string): string[] {
  return path.split(/[\\/]/).filter((name) => name !== '' && name !== '.' && name !== '..');
}

function requireOneFormat(stream: string, files: readonly SourceFile[]): void {
  const other = files.find(({ format }) => format !== files[0]!.format);
  if (other === undefined) return;
  throw fileErrors.streamsUnclear(
    `stream ${stream} has files of two formats: ${files[0]!.path} and ${other.path}`,
  );
}

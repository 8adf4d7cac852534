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

/** A file of a stream. Its path is relative to the source's root. */
export interface SourceFile extends StoredFile {
  readonly format: FormatName;
  /** `.tsv` and the like, for what follows from an ending within one format. */
  readonly ending: string;
}

export interface SourceFiles {
  readonly storage: Storage;
  readonly streams: ReadonlyMap<string, readonly SourceFile[]>;
}

/** The path of a configuration as an absolute path; `file:` URLs are understood. */
export function absolutePath(path: string, cwd: string): string {
  if (/^file:\/\//i.test(path)) return fileURLToPath(path);
  const plain = path.replace(/^file:/i, '');
  return isAbsolute(plain) ? plain : resolve(cwd, plain);
}

/**
 * Finds the files. With `streams`, each is what its pattern matches; otherwise every file is a stream named by its
 * base name, or all of them are the one that `stream` names. Throws `SLUICE-FILE-0001` to `0003`.
 */
export async function findFiles(config: FileConfig, cwd: string): Promise<SourceFiles> {
  const { storage, patterns } = await placeOf(config, cwd);
  const streams = new Map<string, SourceFile[]>();
  for (const [name, pattern] of patterns) {
    const found = await matching(storage, pattern, config);
    if (found.length === 0) throw fileErrors.nothingFound(`no file at ${resolve(storage.name, pattern)}`);
    const stream = name ?? config.stream;
    for (const file of found) {
      const key = stream ?? partsOfPath(file.path).base;
      const held = streams.get(key);
      if (held === undefined) streams.set(key, [file]);
      else if (stream !== undefined) held.push(file);
      else {
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
  return { storage: new LocalStorage(path), patterns: [[undefined, '*']] };
}

/** The files that a pattern means; the pattern `*` stands for a folder, in which files of no known format are passed over. */
async function matching(storage: Storage, pattern: string, config: FileConfig): Promise<SourceFile[]> {
  const exact = await storage.stat(pattern);
  if (exact !== undefined) return [withFormat(exact, config)];
  const found: SourceFile[] = [];
  const matches = globMatcher(pattern);
  for await (const file of below(storage, pattern)) {
    if (!matches(file.path)) continue;
    if (pattern === '*' && config.format === 'auto' && partsOfPath(file.path).format === undefined) continue;
    found.push(withFormat(file, config));
  }
  return found;
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

function withFormat(file: StoredFile, config: FileConfig): SourceFile {
  const { format, ending } = partsOfPath(file.path);
  const chosen = config.format === 'auto' ? format : config.format;
  if (chosen === undefined) throw fileErrors.unknownFormat(`${file.path}: the ending names no format`);
  return { ...file, format: chosen, ending };
}

function requireOneFormat(stream: string, files: readonly SourceFile[]): void {
  const other = files.find(({ format }) => format !== files[0]!.format);
  if (other === undefined) return;
  throw fileErrors.streamsUnclear(
    `stream ${stream} has files of two formats: ${files[0]!.path} and ${other.path}`,
  );
}

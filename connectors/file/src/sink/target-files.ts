/** What a target's folder holds. */
import { posix } from 'node:path';
import type { Storage } from '@sluice/formats';
import { folderValues, isHiveFolder } from '../hive-folders.js';

/** The names of the files in a target and in the folders of its partitions; of other folders, their own. */
export async function* namesInTarget(storage: Storage, folder: string): AsyncGenerator<string> {
  for (const name of await storage.names(folder)) {
    const path = posix.join(folder, name);
    const isPartition = isHiveFolder(name) && (await storage.stat(path)) === undefined;
    if (isPartition) yield* namesInTarget(storage, path);
    else yield name;
  }
}

/** Whether a name is one of those that rows are written under. */
export function isPart(name: string): boolean {
  return name.startsWith('part-');
}

/** The columns that a target's files are partitioned by, as its first file shows; undefined where there is none. */
export async function partitionsOf(storage: Storage, folder: string): Promise<string[] | undefined> {
  const names = await storage.names(folder);
  if (names.some(isPart)) return [];
  for (const name of names.filter(isHiveFolder)) {
    const below = await partitionsOf(storage, posix.join(folder, name));
    if (below !== undefined) return [folderValues(`${name}/`)[0]!.name, ...below];
  }
  return undefined;
}

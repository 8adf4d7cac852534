/** Makes a complete generation visible. Each step may be the last before a crash: see docs/design/file-commit.md. */
import { failpoint, type SinkJob, type TablePlan } from '@sluice/sdk';
import { generationName } from './file-writer.js';
import type { JobFolder } from './job-folder.js';
import { joinParts } from './join-parts.js';
import type { PartFormat } from './part-format.js';
import { fileSinkErrors } from './sink-errors.js';
import type { TargetDetail } from './target-detail.js';
import { isPart, namesInTarget } from './target-files.js';

/** Marks a published folder as a job's own. */
export const MARKER = '.sluice.json';

export interface Marker {
  readonly job: string;
  readonly stream: string;
  readonly generation: number;
}

export async function publishFolder(
  folder: JobFolder,
  job: SinkJob,
  table: TablePlan,
  generation: number,
  allowEmpty: boolean,
): Promise<void> {
  const { storage } = folder;
  const detail = table.detail as unknown as TargetDetail;
  const staged = folder.in('generations', generationName(detail, generation));
  const old = folder.in(`old-${generationName(detail, 0)}`);
  const mine: Marker = { job: job.id, stream: table.stream, generation };
  if (!isSame(await markerOf(folder, detail.folder), mine)) {
    await folder.guarded(() => storage.makeFolderIn(staged));
    if (!allowEmpty && !(await hasRows(folder, staged)) && (await hasRows(folder, detail.folder)))
      throw emptied(table);
    await folder.guarded(() => writeMarker(folder, staged, mine));
    failpoint('file.publish.before-aside');
    if (await storage.exists(detail.folder)) {
      await storage.remove(old);
      await folder.guarded(() => storage.rename(detail.folder, old));
    }
    failpoint('file.publish.after-aside');
    await makeFolderAbove(folder, detail.folder);
    await folder.guarded(() => storage.rename(staged, detail.folder));
  }
  failpoint('file.publish.after-swap');
  await folder.markPublished(table.stream, generation);
  failpoint('file.publish.after-mark');
  await storage.remove(old);
}

/**
 * One file: its parts are joined beside it, and the whole is renamed over it. The marker in the generation's folder
 * says that joining is done, so that a second publish does not take a swapped file for a missing one.
 */
export async function publishFile(
  folder: JobFolder,
  table: TablePlan,
  generation: number,
  format: PartFormat,
  allowEmpty: boolean,
): Promise<void> {
  const { storage } = folder;
  const detail = table.detail as unknown as TargetDetail & { file: string };
  const staged = folder.in('generations', generationName(detail, generation));
  const joined = `${staged}/joined${format.ending}`;
  const done = `${staged}/${MARKER}`;
  if (!(await storage.exists(done))) {
    if (!(await storage.exists(joined))) {
      const names = (await storage.names(staged)).filter(isPart);
      if (names.length === 0 && !allowEmpty && ((await storage.stat(detail.file))?.size ?? 0) > 0)
        throw emptied(table);
      const parts = names.map((name) => `${staged}/${name}`);
      await folder.guarded(() => joinParts(storage, parts, joined, table.schema.fields, format));
    }
    failpoint('file.publish.after-join');
    await folder.guarded(() => writeMarker(folder, staged, { job: '', stream: table.stream, generation }));
  }
  await makeFolderAbove(folder, detail.file);
  failpoint('file.publish.before-file');
  if (await storage.exists(joined)) await folder.guarded(() => storage.rename(joined, detail.file));
  failpoint('file.publish.after-swap');
  await folder.markPublished(table.stream, generation);
  failpoint('file.publish.after-mark');
  await storage.remove(staged);
}

/** The marker of a folder, or undefined when it has none that can be read. */
export async function markerOf(
  { storage }: JobFolder | Pick<JobFolder, 'storage'>,
  path: string,
): Promise<Marker | undefined> {
  const file = await storage.stat(`${path}/${MARKER}`);
  if (file === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(await storage.readAt(file.path, 0, file.size)).toString()) as Marker;
  } catch {
    return undefined;
  }
}

async function writeMarker({ storage }: JobFolder, path: string, marker: Marker): Promise<void> {
  const file = await storage.create(`${path}/${MARKER}`);
  await file.write(Buffer.from(JSON.stringify(marker)));
  await file.finish();
}

async function hasRows({ storage }: JobFolder, path: string): Promise<boolean> {
  for await (const name of namesInTarget(storage, path)) if (isPart(name)) return true;
  return false;
}

async function makeFolderAbove({ storage }: JobFolder, path: string): Promise<void> {
  const slash = path.lastIndexOf('/');
  if (slash > 0) await storage.makeFolder(path.slice(0, slash));
}

function isSame(a: Marker | undefined, b: Marker): boolean {
  return a?.job === b.job && a.stream === b.stream && a.generation === b.generation;
}

function emptied({ stream, target }: TablePlan) {
  return fileSinkErrors.emptyReplacement(`stream ${stream}: zero rows would replace ${target}`, {
    details: { stream },
  });
}

/** Findings about the folder of a local disk that a connector writes to. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Finding } from './finding.js';
import { shellWord } from './shell-word.js';

/** Beneath this a copy of any size may fill the disk. */
const LITTLE_SPACE = 1e9;

/** Whether the folder, or the nearest above it that is there, can be written to, and how much room the disk has. */
export async function folderFindings(folder: string): Promise<Finding[]> {
  const there = await nearestFolder(folder);
  if (!(await stat(there)).isDirectory()) {
    const fix = 'Name another folder, or move the file away.';
    return [{ level: 'fail', what: `${there} is a file, not a folder`, fix, class: 'config' }];
  }
  const about = there === folder ? folder : `${there}, in which ${folder} will be made,`;
  if (!(await may(there, constants.W_OK | constants.X_OK))) {
    const what = `${about} cannot be written to`;
    return [{ level: 'fail', what, fix: `chmod u+rwx ${shellWord(there)}`, class: 'config' }];
  }
  return [{ level: 'ok', what: `${about} can be written to` }, ...(await spaceFindings(there))];
}

/** Whether a file or folder may be used as `mode` of `fs.constants` says. */
export function may(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function nearestFolder(folder: string): Promise<string> {
  if (await may(folder, constants.F_OK)) return folder;
  const above = dirname(folder);
  return above === folder ? folder : nearestFolder(above);
}

async function spaceFindings(folder: string): Promise<Finding[]> {
  // Some file systems (of the network, of other programs) cannot tell.
  const disk = await statfs(folder).catch(() => undefined);
  if (disk === undefined || disk.blocks === 0) return [];
  const free = disk.bavail * disk.bsize;
  const what = `${(free / 1e9).toFixed(1)} GB are free on the disk of ${folder}`;
  return [
    free < LITTLE_SPACE
      ? { level: 'warn', what, fix: 'Free space, or choose another disk.' }
      : { level: 'ok', what },
  ];
}

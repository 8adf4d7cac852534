/**
 * The memory limit that Linux control groups put on this process, in either version of them
 * (https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/memory.html).
 * A group is bound by its own limit and by those of all groups around it, so the least of them counts.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A hierarchy of groups as it is mounted. */
interface Hierarchy {
  /** Where it is mounted. */
  readonly point: string;
  /** Which of its groups is mounted there; in a container often not the topmost. */
  readonly root: string;
  readonly version: 1 | 2;
}

/** What holds a limit: `memory.high` does not kill, but slows down so much that it is one too. */
const LIMIT_FILES = { 1: ['memory.limit_in_bytes'], 2: ['memory.max', 'memory.high'] } as const;

/** Version 1 writes the highest multiple of a page for no limit. */
const NO_LIMIT = 2 ** 60;

/**
 * Bytes; undefined where no group sets a limit, or where there are no groups.
 * @param root the folder that stands for `/`
 */
export function cgroupMemoryLimit(root = '/'): number | undefined {
  const mounts = read(join(root, 'proc/self/mountinfo'));
  const membership = read(join(root, 'proc/self/cgroup'));
  if (mounts === undefined || membership === undefined) return undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const hierarchy of hierarchiesOf(mounts)) {
    const group = groupIn(membership, hierarchy.version);
    if (group === undefined) continue;
    for (const folder of foldersUpwards(hierarchy, group)) {
      for (const file of LIMIT_FILES[hierarchy.version]) {
        least = Math.min(least, limitIn(join(root, folder, file)));
      }
    }
  }
  return least < NO_LIMIT ? least : undefined;
}

/** The mounts that may hold limits of memory. A line: `id parent dev root point options [tags] - type source super`. */
function hierarchiesOf(mounts: string): Hierarchy[] {
  return mounts.split('\n').flatMap((line): Hierarchy[] => {
    const [mount = '', system = ''] = line.split(' - ');
    const [, , , root = '/', point = '/'] = mount.split(' ').map(withBlanks);
    const [type, , options = ''] = system.split(' ');
    if (type === 'cgroup2') return [{ point, root, version: 2 }];
    if (type === 'cgroup' && options.split(',').includes('memory')) return [{ point, root, version: 1 }];
    return [];
  });
}

/** Blanks and the like stand in paths as three octal digits. */
function withBlanks(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The group that the process belongs to. Lines: `0::/path` in version 2, `4:memory,…:/path` in version 1. */
function groupIn(membership: string, version: 1 | 2): string | undefined {
  for (const line of membership.split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined) continue;
    if (version === 2 ? controllers === '' : controllers.split(',').includes('memory')) return group;
  }
  return undefined;
}

/** The group's folder and those around it, up to the mount's. */
function foldersUpwards({ point, root }: Hierarchy, group: string): string[] {
  const folders: string[] = [];
  for (let path = pathInside(root, group); ; path = dirname(path)) {
    folders.push(join(point, path));
    if (path === '/') return folders;
  }
}

/** The group's path below the one that is mounted; of a group that lies elsewhere only that one can be seen. */
function pathInside(root: string, group: string): string {
  if (!group.startsWith('/') || group.split('/').includes('..')) return '/';
  if (root === '/') return group;
  return group.startsWith(`${root}/`) ? group.slice(root.length) : '/';
}

function limitIn(path: string): number {
  const text = read(path)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

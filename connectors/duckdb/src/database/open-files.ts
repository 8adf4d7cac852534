/** Whether this process has a file open outside of our knowledge: two DuckDB instances on one file destroy it. */
import { readdir, readlink } from 'node:fs/promises';

/**
 * True when a descriptor of this process leads to `file`. Only Linux shows descriptors as links; elsewhere the
 * answer is false and DuckDB's own lock, which other processes meet, is all there is. The file itself is not
 * opened: closing any descriptor of it would give up the locks of the process.
 */
export async function isOpenHere(file: string): Promise<boolean> {
  let descriptors: string[];
  try {
    descriptors = await readdir('/proc/self/fd');
  } catch {
    return false;
  }
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return links.includes(file);
}

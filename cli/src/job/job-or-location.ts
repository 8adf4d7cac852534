/** Whether an argument means a job file or a system, where a command takes both. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { extname } from 'node:path';

const ALWAYS_JOBS = ['.yaml', '.yml', '.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
const HEAD_BYTES = 64 << 10;

/**
 * Files that only a job can be, by their ending; of JSON files those that begin as an object and name a connector
 * near their beginning, which data hardly does.
 */
export function isJobFile(argument: string): boolean {
  const file = statSync(argument, { throwIfNoEntry: false });
  if (file === undefined || !file.isFile()) return false;
  const ending = extname(argument).toLowerCase();
  if (ALWAYS_JOBS.includes(ending)) return true;
  if (ending !== '.json') return false;
  const head = readHead(argument).trimStart();
  return head.startsWith('{') && /"connector"\s*:/.test(head);
}

function readHead(path: string): string {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.toString('utf8', 0, readSync(file, head, 0, HEAD_BYTES, 0)).replace(/^\uFEFF/, '');
  } finally {
    closeSync(file);
  }
}

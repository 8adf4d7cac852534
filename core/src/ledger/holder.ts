/**
 * Who holds a lease, and whether that process still lives. On Linux a process is told from a later one of the same
 * pid by the kernel's start time; elsewhere nothing is claimed and a lease ends by its expiry.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Holder } from './ledger.js';

/** This process as the holder of a run's lease. */
export function currentHolder(run: string): Holder {
  return { run, host: hostname(), pid: process.pid, processStart: processStart(process.pid) ?? '' };
}

/**
 * Whether the holder's process is known to be gone. Holders that cannot be seen from here (another host, another
 * boot or machine of the same name, another container's process table) are never called gone.
 */
export function holderGone(holder: Holder): boolean {
  const place = processPlace();
  if (place === undefined || holder.host !== hostname() || !holder.processStart.startsWith(`${place}/`))
    return false;
  return processStart(holder.pid) !== holder.processStart;
}

/** `<boot>/<process table>/<ticks since boot>`; undefined when the process is gone or the platform does not tell. */
function processStart(pid: number): string | undefined {
  const place = processPlace();
  const ticks = place === undefined ? undefined : startTicks(pid);
  return ticks === undefined ? undefined : `${place}/${ticks}`;
}

let place: string | undefined;

/** What pids are relative to: the boot of this machine and the process table (containers have their own). */
function processPlace(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    place ??= `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined; // /proc is hidden: fall back to expiry
  }
  return place;
}

/**
 * The start time of a process in clock ticks since boot: field 22 of /proc/<pid>/stat (proc_pid_stat(5)). A dead
 * process whose parent has not collected it yet still has an entry; it counts as gone.
 */
function startTicks(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name in field 2 is in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

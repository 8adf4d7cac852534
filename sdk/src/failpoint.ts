/**
 * Named points at which tests kill the process. In production nothing is set and a call costs one comparison.
 *
 * `SLUICE_FAILPOINT=name` or `name@3` (the third time) sends SIGKILL to this process when the point is reached;
 * `SLUICE_FAILPOINT_LOG=<file>` appends the name of every point that is reached.
 */
import { appendFileSync } from 'node:fs';

const armed = process.env['SLUICE_FAILPOINT'];
const logFile = process.env['SLUICE_FAILPOINT_LOG'];
const active = armed !== undefined || logFile !== undefined;
const at = armed?.lastIndexOf('@') ?? -1;
const armedName = at > 0 ? armed!.slice(0, at) : armed;
let remaining = at > 0 ? Number(armed!.slice(at + 1)) : 1;

/** Marks an instant at which a crash must do no harm. */
export function failpoint(name: string): void {
  if (!active) return;
  if (logFile !== undefined) appendFileSync(logFile, `${name}\n`);
  if (name === armedName && --remaining === 0) process.kill(process.pid, 'SIGKILL');
}

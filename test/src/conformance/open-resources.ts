/** What a process holds open: to see whether something that was closed left any of it behind. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Kinds that come and go with every call and belong to nobody. */
const PASSING = new Set(['Immediate', 'TickObject', 'FSReqCallback', 'FSReqPromise', 'CloseReq']);

/** How many of each kind: what keeps the event loop alive and, where the system shows them, open files. */
function openResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!PASSING.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  try {
    counts.set('open file or socket', readdirSync('/proc/self/fd').length);
  } catch {
    // Only Linux shows them; elsewhere the kinds above have to do.
  }
  return counts;
}

const CYCLES = 5;
/** Others in the process open and close a thing or two meanwhile; a leak leaves one behind in every cycle. */
const LEAK = 4;

/**
 * Runs `cycle` several times and says what grew with every one of them: "5 × TCPSocketWrap". Undefined when nothing
 * did. What a first cycle opens once (a pool, a cache) and what others in the process open meanwhile does not count.
 */
export async function leakOf(cycle: () => Promise<void>, patienceMs: number): Promise<string | undefined> {
  await cycle();
  const before = openResources();
  for (let i = 0; i < CYCLES; i++) await cycle();
  const end = performance.now() + patienceMs;
  for (;;) {
    const grown = [...openResources()].filter(([kind, count]) => count - (before.get(kind) ?? 0) >= LEAK);
    if (grown.length === 0) return undefined;
    if (performance.now() > end) {
      return grown.map(([kind, count]) => `${count - (before.get(kind) ?? 0)} × ${kind}`).join(', ');
    }
    await sleep(20);
  }
}

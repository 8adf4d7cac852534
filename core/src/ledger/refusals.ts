/** How every ledger refuses: the rules and messages that do not depend on where the state is kept. */
import type { Split } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { Holder, Lease } from './ledger.js';

/** What a ledger is opened with. The defaults suit everything but tests. */
export interface LedgerOptions {
  /** Epoch milliseconds. */
  readonly clock?: () => number;
  /** Whether the process behind a lease is known to be gone. */
  readonly isGone?: (holder: Holder) => boolean;
}

/** A job's row of leases: the fence stays when nobody holds the lease. */
export interface LeaseRow {
  readonly fence: bigint;
  readonly held?: { readonly holder: Holder; readonly expiresAt: number };
}

export function sameHolder(a: Holder, b: Holder): boolean {
  return a.run === b.run && a.host === b.host && a.pid === b.pid && a.processStart === b.processStart;
}

export function heldError(job: string, holder: Holder, expiresAt: number, now: number): Error {
  const seconds = Math.max(1, Math.ceil((expiresAt - now) / 1000));
  return coreErrors.held(
    `job ${job} is held by run ${holder.run} (process ${holder.pid} on ${holder.host}); its lease ends in ${seconds} s unless it is renewed`,
    { details: { job, run: holder.run, host: holder.host, pid: holder.pid, expiresAt } },
  );
}

/** Throws `SLUICE-CORE-0102` unless `row` is still the lease, which must be that of the `job` written to. */
export function requireLease(lease: Lease, row: LeaseRow | undefined, job: string): void {
  if (job !== lease.job) {
    throw coreErrors.ledgerMisused(`job ${job} cannot be written under the lease of job ${lease.job}`);
  }
  if (row?.held && row.fence === lease.fence && sameHolder(row.held.holder, lease.holder)) return;
  const now = row?.held
    ? `run ${row.held.holder.run} on ${row.held.holder.host} holds it with fence ${row.fence}`
    : `nobody holds it${row ? ` and the fence is ${row.fence}` : ''}`;
  throw coreErrors.fenced(
    `run ${lease.holder.run} no longer holds the lease of job ${lease.job} (fence ${lease.fence}): ${now}`,
    { details: { job: lease.job, run: lease.holder.run, fence: lease.fence.toString() } },
  );
}

/** The greatest fence that ledgers store. */
const MAX_FENCE = 2n ** 63n - 1n;

/** The fence that is greater than `above`. */
export function fenceAbove(above: bigint): bigint {
  if (above >= MAX_FENCE) throw coreErrors.ledgerMisused(`a fence above ${above} does not fit in 64 bits`);
  return above + 1n;
}

/** Names are stored as they are: text that storage would bend must not become an identity. */
export function requireStorable(...names: readonly string[]): void {
  for (const name of names) {
    if (/[\0\p{Surrogate}]/u.test(name)) {
      throw coreErrors.ledgerMisused(
        `the name ${JSON.stringify(name)} holds a NUL or half a character and cannot be stored`,
      );
    }
  }
}

export function requireRegistered(registered: boolean, sink: string): void {
  if (!registered) throw coreErrors.ledgerMisused(`sink ${sink} was used before it was registered`);
}

/**
 * Refuses a split whose generation has been replaced. A log is shared by streams of different generations and goes
 * on through their new copies; generation 0 stands outside of generations.
 */
export function requireCurrent(
  split: Split,
  generation: number,
  generationOf: (stream: string) => number,
): void {
  if (split.phase === 'log' || generation === 0) return;
  const stream = split.streams.find((name) => generationOf(name) > generation);
  if (stream === undefined) return;
  throw coreErrors.ledgerMisused(
    `split ${split.id} is of generation ${generation}, but stream ${stream} is at ${generationOf(stream)}`,
  );
}

export function requireGeneration(split: string, stored: number, generation: number): void {
  if (stored !== generation) {
    throw coreErrors.ledgerMisused(
      `split ${split} is of generation ${stored} in the ledger, not ${generation}`,
    );
  }
}

/**
 * Whether a split ends with the older generations of `stream`. One that other streams share goes when all of them
 * have moved on; a shared log stays, since the other streams' changes are read from it.
 */
export function endsWith(
  held: { readonly split: Split; readonly generation: number },
  stream: string,
  generation: number,
  generationOf: (stream: string) => number,
): boolean {
  if (held.generation >= generation) return false;
  const others = held.split.streams.filter((name) => name !== stream);
  if (others.length > 0 && held.split.phase === 'log') return false;
  return others.every((name) => generationOf(name) > held.generation);
}

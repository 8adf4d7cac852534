/** How long a lease is held is told by the steady clock: a wall clock that is set neither ends nor prolongs it. */
import { silentLogger } from '@sluice/sdk';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Clock } from '../clock.js';
import { coreErrors } from '../errors.js';
import type { Holder, Lease, Ledger } from '../ledger/ledger.js';
import { MemoryLedger } from '../ledger/memory-ledger.js';
import { LeaseKeeper } from './lease-keeper.js';

const TTL = 30_000;
const HOUR = 3_600_000;
const holder = (run: string): Holder => ({ run, host: 'here', pid: 1, processStart: '1' });

let wall: number;
let steady: number;
let keeper: LeaseKeeper;
const clock: Clock = { wall: () => wall, steady: () => steady };

beforeEach(() => {
  vi.useFakeTimers();
  wall = 1_700_000_000_000;
  steady = 0;
});
afterEach(async () => {
  await keeper.end();
  vi.useRealTimers();
});

/** Time passes as it does, in steps of a second. */
async function pass(ms: number): Promise<void> {
  for (let step = 0; step < ms / 1000; step++) {
    wall += 1000;
    steady += 1000;
    await vi.advanceTimersByTimeAsync(1000);
  }
}

/** A ledger over the same wall clock, whose renewals go as `renew` says. */
async function keep(renew?: (lease: Lease, ledger: Ledger) => Promise<Lease>): Promise<Ledger> {
  const ledger = new MemoryLedger({ clock: clock.wall, isGone: () => false });
  const lease = await ledger.acquire('j', holder('r1'), TTL);
  const seen =
    renew &&
    new Proxy(ledger, {
      get(target, name) {
        if (name === 'renew') return (given: Lease) => renew(given, target);
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  keeper = new LeaseKeeper(seen ?? ledger, lease, TTL, silentLogger, clock);
  return ledger;
}

const busy = () => Promise.reject(coreErrors.ledgerBusy('busy'));

it('is renewed four times in its life, whatever the wall clock says', async () => {
  const ledger = await keep();
  for (const jump of [HOUR, -2 * HOUR, 3 * HOUR]) {
    wall += jump;
    await pass(TTL);
    expect(keeper.signal.aborted).toBe(false);
    expect((await ledger.lease('j'))?.holder.run).toBe('r1');
    await expect(ledger.acquire('j', holder('r2'), TTL)).rejects.toMatchObject({ code: 'SLUICE-CORE-0101' });
  }
});

it('is not given up when the clock is set forward while the ledger is busy for a moment', async () => {
  let failures = 2;
  await keep((lease, ledger) => (failures-- > 0 ? busy() : ledger.renew(lease, TTL)));
  wall += HOUR;
  await pass(TTL);
  expect(failures).toBeLessThan(0);
  expect(keeper.signal.aborted).toBe(false);
});

it('is given up in time when the clock is set back while the ledger stays busy', async () => {
  await keep(busy);
  wall -= HOUR;
  await pass(TTL - 1000);
  expect(keeper.signal.aborted).toBe(false);
  await pass(1000);
  expect(keeper.signal.aborted).toBe(true);
  expect(keeper.signal.reason).toMatchObject({ code: 'SLUICE-CORE-0121' });
});

it('is given up in time when the ledger does not answer at all', async () => {
  let answer = (_: Lease) => {};
  await keep((lease) => new Promise((resolve) => (answer = () => resolve(lease))));
  await pass(TTL);
  expect(keeper.signal.reason).toMatchObject({
    code: 'SLUICE-CORE-0121',
    message: expect.stringContaining('30 s'),
  });
  answer(keeper.lease);
});

it('is given up at once when another run has it', async () => {
  const ledger = await keep();
  wall += HOUR;
  await ledger.acquire('j', holder('r2'), TTL);
  await pass(TTL / 4);
  expect(keeper.signal.reason).toMatchObject({ code: 'SLUICE-CORE-0102' });
});

/** Keeps a lease alive while a run works, and stops the run when it cannot. */
import { isSluiceError, type Logger } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { Lease, Ledger } from '../ledger/ledger.js';

export class LeaseKeeper {
  private readonly timer: NodeJS.Timeout;
  private readonly lost = new AbortController();
  /** Renewing and raising are serial: a renewal under the fence before would look like another run's. */
  private tail: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly ledger: Ledger,
    private current: Lease,
    private readonly ttlMs: number,
    private readonly log: Logger,
  ) {
    this.timer = setInterval(() => void this.renew(), ttlMs / 4);
    this.timer.unref();
  }

  /** Aborted with the error when another run has the lease, or when it could not be prolonged in time. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  get lease(): Lease {
    return this.current;
  }

  /** Takes a fence greater than `above`: a new attempt begins, or a sink has seen a greater one. */
  async raise(above: bigint): Promise<Lease> {
    return this.serial(async () => {
      this.current = await this.ledger.raiseFence(this.current, above);
      return this.current;
    });
  }

  /** Stops renewing and gives the lease up. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    await this.serial(() => this.ledger.release(this.current));
  }

  private async renew(): Promise<void> {
    try {
      await this.serial(async () => {
        this.current = await this.ledger.renew(this.current, this.ttlMs);
      });
    } catch (error) {
      this.log.warn('the lease could not be renewed', { job: this.current.job, error: String(error) });
      const taken = isSluiceError(error) && error.code === coreErrors.fenced.entry.code;
      if (taken || Date.now() >= this.current.expiresAt) this.lost.abort(error);
    }
  }

  private serial<T>(step: () => Promise<T>): Promise<T> {
    const result = this.tail.then(step);
    this.tail = result.catch(() => {});
    return result;
  }
}

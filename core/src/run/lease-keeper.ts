/** Keeps a lease alive while a run works, and stops the run when it cannot. */
import { isSluiceError, type Logger } from '@sluice/sdk';
import { type Clock, systemClock } from '../clock.js';
import { coreErrors } from '../errors.js';
import type { Lease, Ledger } from '../ledger/ledger.js';

export class LeaseKeeper {
  private readonly timer: NodeJS.Timeout;
  private readonly lost = new AbortController();
  /** Renewing and raising are serial: a renewal under the fence before would look like another run's. */
  private tail: Promise<unknown> = Promise.resolve();
  /** When the lease was last known to be ours, by the steady clock: the wall clock may be set meanwhile. */
  private heldAt: number;
  private renewing = false;

  constructor(
    private readonly ledger: Ledger,
    private current: Lease,
    private readonly ttlMs: number,
    private readonly log: Logger,
    private readonly clock: Clock = systemClock,
  ) {
    this.heldAt = clock.steady();
    this.timer = setInterval(() => void this.beat(), ttlMs / 4);
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

  private async beat(): Promise<void> {
    if (this.isOver) return this.lose(undefined);
    if (this.renewing) return;
    this.renewing = true;
    try {
      await this.serial(async () => {
        const asked = this.clock.steady();
        this.current = await this.ledger.renew(this.current, this.ttlMs);
        this.heldAt = asked;
      });
    } catch (error) {
      this.log.warn('the lease could not be renewed', { job: this.current.job, error: String(error) });
      const taken = isSluiceError(error) && error.code === coreErrors.fenced.entry.code;
      if (taken || this.isOver) this.lose(error);
    } finally {
      this.renewing = false;
    }
  }

  private get isOver(): boolean {
    return this.clock.steady() - this.heldAt >= this.ttlMs;
  }

  /** The run must stop: with the ledger's error, or since the ledger has not answered for as long as the lease lives. */
  private lose(error: unknown): void {
    const { job } = this.current;
    this.lost.abort(
      error ??
        coreErrors.ledgerBusy(`the lease of job ${job} could not be renewed for ${this.ttlMs / 1000} s`),
    );
  }

  private serial<T>(step: () => Promise<T>): Promise<T> {
    const result = this.tail.then(step);
    this.tail = result.catch(() => {});
    return result;
  }
}

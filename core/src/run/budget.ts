/**
 * The memory that the batches of a run may take, shared by all its lanes.
 *
 * Only reading waits. What a lane has read it works off without asking for more, so that what is held always comes
 * back: no order of slow and hungry stages can lock lanes up. A batch may turn out larger than was thought, and the
 * stages behind the reader may make more of it; nothing is read while more than the budget is held.
 *
 * A lane is charged at least its floor, one batch for each of its stages, from its admission on. The floors of all
 * lanes fit into the budget: one that waits long for its source holds up nobody, and nobody holds it up for long.
 */
export class Budget {
  private readonly shares = new Set<Share>();
  private floors = 0;
  private entering: { readonly floor: number; readonly admitted: () => void }[] = [];
  private readers: (() => void)[] = [];

  constructor(
    /** The budget, in bytes. */
    readonly bytes: number,
  ) {}

  /** Bytes that batches take now. */
  get held(): number {
    return this.sum(({ held }) => held);
  }

  /**
   * Lets a lane in once its floor, in bytes, fits beside those of the lanes that are there, in the order of asking. A
   * floor above the budget is cut: such a lane runs alone.
   */
  async admit(floor: number): Promise<LaneBudget> {
    const own = Math.min(floor, this.bytes);
    if (this.entering.length > 0 || this.floors + own > this.bytes) {
      await new Promise<void>((admitted) => this.entering.push({ floor: own, admitted }));
    } else {
      this.floors += own;
    }
    const share = new Share(own, this);
    this.shares.add(share);
    return share;
  }

  /** @internal Undefined when there is room to read, otherwise a promise that resolves when there may be. */
  wait(): Promise<void> | undefined {
    if (!this.isOverdrawn) return undefined;
    return new Promise((resolve) => this.readers.push(resolve));
  }

  /** @internal Something was given back. */
  freed(): void {
    if (this.readers.length === 0 || this.isOverdrawn) return;
    const { readers } = this;
    this.readers = [];
    for (const resume of readers) resume();
  }

  /** @internal A lane has ended. */
  left(share: Share): void {
    if (!this.shares.delete(share)) return;
    this.floors -= share.floor;
    while (this.entering.length > 0 && this.floors + this.entering[0]!.floor <= this.bytes) {
      const { floor, admitted } = this.entering.shift()!;
      this.floors += floor;
      admitted();
    }
    const { readers } = this;
    this.readers = [];
    for (const resume of readers) resume();
  }

  private get isOverdrawn(): boolean {
    return this.sum(({ floor, held }) => Math.max(floor, held)) > this.bytes;
  }

  private sum(bytesOf: (share: Share) => number): number {
    let sum = 0;
    for (const share of this.shares) sum += bytesOf(share);
    return sum;
  }
}

/** One lane's part in the budget. */
export interface LaneBudget {
  /** The whole budget, in bytes. */
  readonly bytes: number;
  /** Resolves when the lane may read its next batch; with false when the lane has left meanwhile. */
  mayRead(): Promise<boolean>;
  /** A batch has come in; it does not wait. */
  hold(bytes: number): void;
  /** A batch is done with. */
  release(bytes: number): void;
  /** The lane has ended: all that it held is free. May be repeated. */
  leave(): void;
}

class Share implements LaneBudget {
  held = 0;
  private gone = false;

  constructor(
    readonly floor: number,
    private readonly budget: Budget,
  ) {}

  get bytes(): number {
    return this.budget.bytes;
  }

  async mayRead(): Promise<boolean> {
    while (!this.gone) {
      const room = this.budget.wait();
      if (room === undefined) return true;
      await room;
    }
    return false;
  }

  hold(bytes: number): void {
    if (!this.gone) this.held += bytes;
  }

  release(bytes: number): void {
    if (this.gone) return;
    this.held -= bytes;
    this.budget.freed();
  }

  leave(): void {
    this.gone = true;
    this.held = 0;
    this.budget.left(this);
  }
}

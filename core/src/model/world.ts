/**
 * A small executable model of everything outside the coordinator: a source, a sink of each protocol and a ledger,
 * whose every verb is a step at which the tests let something go wrong. The coordinator under test is the real one.
 *
 * A fault at step n of a run:
 * - `crash-before`, `crash-after`: the process dies before or after the step has had its effect;
 * - `lost-reply`: the step has its effect, and the caller sees a transient error;
 * - `late`: the caller sees a transient error, and the effect lands later: when the sink is attached to again, or
 *   when the run is over, whichever comes first;
 * - `pause`: the caller hangs; the test lets it go on while, or after, another run has worked (a zombie).
 */
import { type SluiceError, SluiceError as SluiceErrorClass, sdkErrors } from '@sluice/sdk';

export type FaultKind = 'crash-before' | 'crash-after' | 'lost-reply' | 'late' | 'pause';

export interface Fault {
  readonly step: number;
  readonly kind: FaultKind;
}

/** Thrown inside a run whose process has died; nothing of that run has an effect any more. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/** The error that a caller sees when a reply was lost. */
export function transient(step: string): SluiceError {
  const entry = { ...sdkErrors.unexpected.entry, class: 'transient' as const };
  return new SluiceErrorClass(entry, `no reply to ${step}`);
}

/** One process's view of the world. */
export class Process {
  private static count = 0;
  readonly id = ++Process.count;
  /** Names of the steps taken, in order. */
  readonly steps: string[] = [];
  private dead = false;
  private release: (() => void) | undefined;
  private whenPaused: (() => void) | undefined;
  /** Resolves when the run has reached its `pause`. */
  readonly paused = new Promise<void>((resolve) => {
    this.whenPaused = resolve;
  });

  constructor(
    private readonly world: World,
    private readonly fault?: Fault,
  ) {}

  get crashed(): boolean {
    return this.dead;
  }

  /** Lets a paused run go on. */
  resume(): void {
    this.release?.();
  }

  /** Takes a step: `effect` happens at once and whole, or as this process's fault says. */
  async step<T>(name: string, effect: () => T | Promise<T>, mayBeLate = false): Promise<T> {
    if (this.dead) throw new Crash(name);
    this.steps.push(name);
    if (this.steps.length !== this.fault?.step) return effect();
    switch (this.fault.kind) {
      case 'crash-before':
        this.dead = true;
        throw new Crash(name);
      case 'crash-after':
        await effect();
        this.dead = true;
        throw new Crash(name);
      case 'lost-reply':
        await effect();
        throw transient(name);
      case 'late':
        if (mayBeLate) this.world.late.push(async () => void (await effect()));
        throw transient(name);
      case 'pause':
        this.whenPaused?.();
        await new Promise<void>((resolve) => {
          this.release = resolve;
        });
        return effect();
    }
  }
}

export class World {
  /** Effects under way whose callers have given up on them. */
  readonly late: (() => Promise<void>)[] = [];

  /** Late effects land now; a sink that refuses one (its fence was raised) changes nothing. */
  async land(): Promise<void> {
    for (const effect of this.late.splice(0)) await effect().catch(() => {});
  }
}

/**
 * SIGINT, SIGTERM and SIGHUP. Before a run has begun nothing can be lost, and the process leaves. During a run the
 * first asks it to stop (commit what is complete, leave), and the second to leave at once.
 */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof SIGNALS)[number];

/** How long a run that was told to leave at once has to close its connections. */
const GRACE_MS = 1500;

/** What is used of `process`. */
export interface SignalSource {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  removeListener(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  exit(code: number): void;
}

export class StopSignals {
  private readonly stopping = new AbortController();
  private readonly leaving = new AbortController();
  private running = false;
  private received: StopSignal | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    /** Told once, at the first signal of a run. */
    private readonly onStop: (signal: StopSignal) => void,
    private readonly source: SignalSource = process,
    private readonly graceMs = GRACE_MS,
  ) {
    for (const signal of SIGNALS) source.on(signal, this.receive);
  }

  /** Aborted by the first signal. */
  get stop(): AbortSignal {
    return this.stopping.signal;
  }

  /** Aborted by the second signal. */
  get abort(): AbortSignal {
    return this.leaving.signal;
  }

  /** The exit code of a process that stopped because it was told to; undefined when it was not. */
  get exitCode(): number | undefined {
    return this.received && exitCodeOfSignal(this.received);
  }

  /** From now on a signal asks the run, and does not end the process. */
  runBegins(): void {
    this.running = true;
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const signal of SIGNALS) this.source.removeListener(signal, this.receive);
  }

  private readonly receive = (signal: StopSignal): void => {
    const code = exitCodeOfSignal(signal);
    if (!this.running) {
      this.source.exit(code);
    } else if (this.received === undefined) {
      this.received = signal;
      this.onStop(signal);
      this.stopping.abort();
    } else if (this.timer === undefined) {
      this.received = signal;
      // A connection that does not close must not keep anybody waiting who asked twice.
      this.timer = setTimeout(() => this.source.exit(code), this.graceMs);
      this.leaving.abort();
    }
  };
}

/** 130 for SIGINT, 143 for SIGTERM, as shells count. */
export function exitCodeOfSignal(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}

/** How long to wait before an attempt is repeated. */
import { type SluiceError, toSluiceError } from '@sluice/sdk';

export interface RetryPolicy {
  /** Attempts in a row without any committed epoch between them before the run gives up. */
  readonly attempts: number;
  readonly firstMs: number;
  readonly maxMs: number;
}

export const defaultRetry: RetryPolicy = { attempts: 4, firstMs: 500, maxMs: 30_000 };

/**
 * Milliseconds to wait after the `failures`-th failure in a row, or undefined when the error will not pass by
 * itself or the attempts are used up. A system that asked to wait is obeyed, and its wait is no attempt.
 */
export function retryDelay(
  error: unknown,
  failures: number,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  const coded = toSluiceError(error);
  if (coded.class === 'throttled') return coded.retryAfterMs ?? policy.firstMs;
  if (coded.class !== 'transient' || failures >= policy.attempts) return undefined;
  const full = Math.min(policy.maxMs, policy.firstMs * 2 ** (failures - 1));
  return full / 2 + (random() * full) / 2;
}

/** Whether the error may pass by itself. */
export function isPassing({ class: errorClass }: SluiceError): boolean {
  return errorClass === 'transient' || errorClass === 'throttled';
}

/** What `setTimeout` takes, in milliseconds: some 24 days. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Resolves after `ms`, at most {@link LONGEST_TIMER}, or at once when the signal is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER));
    signal.addEventListener('abort', done);
  });
}

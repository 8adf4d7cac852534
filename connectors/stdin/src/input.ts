/** Standard input: its head can be looked at before the whole is read, once. */
import { stdinErrors } from './errors.js';

const HEAD_BYTES = 1 << 18;
/** How long a pause of the writer ends the head once it holds whole lines. */
const PAUSE_MS = 200;
const LF = 0x0a;

export class Input {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private readonly head: Uint8Array[] = [];
  private pending: Promise<IteratorResult<Uint8Array>> | undefined;
  private ended = false;
  private taken = false;
  private readonly closing = new AbortController();

  constructor(private readonly stream: AsyncIterable<Uint8Array> & { destroy?(): unknown }) {
    this.chunks = stream[Symbol.asyncIterator]();
  }

  /** Ends a pending read, which rejects: what has come so far is not the whole. */
  close(): void {
    this.closing.abort();
    this.stream.destroy?.();
  }

  /** The first lines: up to 256 KiB, or what comes before the writer pauses or ends. Nothing of it is lost. */
  async sample(): Promise<{ readonly bytes: Uint8Array; readonly whole: boolean }> {
    let size = this.head.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    while (!this.ended && size < HEAD_BYTES) {
      this.pending ??= this.chunks.next();
      const hasLine = this.head.some((chunk) => chunk.includes(LF));
      const next = await (hasLine ? orPause(this.pending) : this.pending);
      if (next === undefined) break;
      this.pending = undefined;
      if (next.done === true) {
        this.ended = true;
      } else {
        const copy = Uint8Array.from(next.value);
        this.head.push(copy);
        size += copy.byteLength;
      }
    }
    const bytes = Buffer.concat(this.head);
    return { bytes: this.ended ? bytes : bytes.subarray(0, bytes.lastIndexOf(LF) + 1), whole: this.ended };
  }

  /** Everything from the beginning. Throws `SLUICE-STDIN-0001` the second time. */
  async *read(): AsyncGenerator<Uint8Array> {
    if (this.taken)
      throw stdinErrors.readOnce('standard input has been read already and cannot be read again');
    this.taken = true;
    const { signal } = this.closing;
    yield* this.head.splice(0);
    while (!this.ended) {
      const next = await orAborted(this.pending ?? this.chunks.next(), signal);
      this.pending = undefined;
      signal.throwIfAborted();
      if (next.done === true) return;
      yield next.value;
    }
  }
}

/** The result, or a rejection once the signal is aborted: a writer that pauses must not hold a closing reader. */
function orAborted<T>(next: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    next.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

async function orPause<T>(next: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PAUSE_MS, undefined);
  });
  try {
    return await Promise.race([next, pause]);
  } finally {
    clearTimeout(timer);
  }
}

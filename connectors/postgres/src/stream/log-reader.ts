/** Reads the log of a slot: changes of all its streams in the order of their commits, with a place behind each commit. */
import { type Json, logCheckpoint, type Message, type Reader } from '@sluice/sdk';
import { LogDecoder, type LogScene } from './log-decoder.js';
import type { LogStream } from './log-stream.js';
import { type Lsn, lsnText, parseLsn } from './lsn.js';

/** Bytes of a log that is not ours after which a place is worth keeping. */
const WORTH_KEEPING = 16n * 1024n * 1024n;
/**
 * Milliseconds for which nothing of ours has to come before a place in a followed log is worth keeping, and the most of
 * them: each time it is twice as long. The server can then give the log up to there away, and whoever compares source
 * and target knows that nothing is missing.
 */
const IDLE_MS = 1_000;
const MOST_IDLE_MS = 5_000;
/** Milliseconds of silence after which the server is asked how far it is. */
const SILENCE_MS = 50;

export class LogReader implements Reader {
  private closed = false;

  constructor(
    private readonly stream: LogStream,
    private readonly scene: LogScene,
    /** The last place that was handed on. */
    private kept: Lsn,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    const { stream, scene } = this;
    const { until } = scene;
    const decoder = new LogDecoder(scene);
    let changed = false;
    let idleMs = IDLE_MS;
    let idleSince = performance.now();
    for (;;) {
      const bytes = await this.next(until === undefined ? undefined : SILENCE_MS);
      if (this.closed) return;
      if (bytes === undefined) {
        stream.ask();
        continue;
      }
      for await (const event of decoder.events(bytes)) {
        if (event.kind !== 'reached') {
          changed = true;
          yield event;
          continue;
        }
        const { lsn, committedAt } = event;
        const done = until !== undefined && lsn >= until;
        const idle = until === undefined && performance.now() - idleSince >= idleMs;
        if (lsn > this.kept && (changed || done || idle || lsn - this.kept >= WORTH_KEEPING)) {
          this.kept = lsn;
          idleMs = changed ? IDLE_MS : Math.min(idleMs * 2, MOST_IDLE_MS);
          idleSince = performance.now();
          changed = false;
          yield logCheckpoint(lsnText(lsn), committedAt);
        }
        if (done) return;
      }
    }
  }

  async ack(position: Json): Promise<void> {
    this.stream.confirm(parseLsn(position));
  }

  close(): Promise<void> {
    this.closed = true;
    return this.stream.close();
  }

  /** Closing ends the stream, which is then no failure. */
  private async next(ms: number | undefined): Promise<Buffer | undefined> {
    try {
      return await this.stream.next(ms);
    } catch (error) {
      if (this.closed) return undefined;
      throw error;
    }
  }
}

/** Everything up to the end of the log was read before. */
export class LogEnd implements Reader {
  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {}

  async close(): Promise<void> {}
}

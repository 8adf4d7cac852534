/** What a lane takes in: a reader's messages, asked for only while there is memory for them and at the job's pace. */
import { Batch, type Message, type Reader } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { sleep } from './backoff.js';
import type { Budget, LaneBudget } from './budget.js';
import type { Pace } from './pace.js';

/** What all lanes of a flow share. */
export interface Metering {
  readonly budget: Budget;
  /** Of the job and of the flow, as far as they have any. */
  readonly paces: readonly Pace[];
}

/** One lane's intake. */
export class Intake {
  private readonly ended = new AbortController();
  private readonly hurried: AbortSignal;
  /** Milliseconds to wait before more is read. */
  private owed = 0;

  constructor(
    private readonly budget: LaneBudget,
    private readonly paces: readonly Pace[],
    hurry: AbortSignal,
  ) {
    this.hurried = AbortSignal.any([this.ended.signal, hurry]);
  }

  /**
   * Waits until the run's memory holds `laneBytes` for one lane more. Once `hurry` is aborted the pace is no longer
   * kept: the lane should leave, and may have to read up to its next checkpoint for that.
   */
  static async admit({ budget, paces }: Metering, laneBytes: number, hurry: AbortSignal): Promise<Intake> {
    return new Intake(await budget.admit(laneBytes), paces, hurry);
  }

  /** The reader's messages, in its order. Rejects with `SLUICE-CORE-0114` for a row that the whole budget does not hold. */
  of(reader: Reader): AsyncIterator<Message> {
    const messages = reader[Symbol.asyncIterator]();
    return { next: () => this.next(messages) };
  }

  /** A message that came in is done with. */
  done(message: Message): void {
    if (message.kind === 'batch') this.budget.release(message.byteSize);
  }

  /** The lane has ended: nothing more is read, and its memory is free. */
  leave(): void {
    this.ended.abort();
    this.budget.leave();
  }

  private async next(messages: AsyncIterator<Message>): Promise<IteratorResult<Message>> {
    if (this.owed > 0) await sleep(this.owed, this.hurried);
    this.owed = 0;
    if (!(await this.budget.mayRead())) return { done: true, value: undefined };
    const result = await messages.next();
    if (result.done !== true && result.value.kind === 'batch') this.take(result.value);
    return result;
  }

  private take(batch: Batch): void {
    const { byteSize, rowCount, rejected } = batch;
    if (byteSize > this.budget.bytes) checkRows(batch, this.budget.bytes);
    this.budget.hold(byteSize);
    const rows = rowCount + rejected.length;
    for (const pace of this.paces) this.owed = Math.max(this.owed, pace.count(rows, byteSize));
  }
}

/** A batch may be larger than the budget, its rows may not. */
function checkRows(batch: Batch, most: number): void {
  for (let row = 0; row < batch.rowCount; row++) {
    const bytes = rowBytes(batch, row);
    if (bytes <= most) continue;
    const { stream } = batch;
    throw coreErrors.rowTooLarge(
      `stream ${stream}: a row of ${bytes} bytes is larger than the ${most} bytes that batches may take`,
      { details: { stream, bytes, budget: most } },
    );
  }
}

/** Measured anew: the size of a part of a batch is otherwise its share of the whole. */
function rowBytes(batch: Batch, row: number): number {
  const columns = batch.select(Uint32Array.of(row)).columns();
  return Batch.ofColumns(batch.schema, columns, 1).byteSize;
}

/** A reader's messages, asked for only while there is memory for them. */
import { Batch, type Message } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { LaneBudget } from './budget.js';

export class MeteredMessages {
  constructor(
    private readonly messages: AsyncIterator<Message>,
    private readonly budget: LaneBudget,
  ) {}

  /** The next message. Rejects with `SLUICE-CORE-0114` for a row that the whole budget does not hold. */
  async next(): Promise<IteratorResult<Message>> {
    if (!(await this.budget.mayRead())) return { done: true, value: undefined };
    const result = await this.messages.next();
    if (result.done !== true && result.value.kind === 'batch') {
      if (result.value.byteSize > this.budget.bytes) checkRows(result.value, this.budget.bytes);
      this.budget.hold(result.value.byteSize);
    }
    return result;
  }

  /** A message that came from here is done with. */
  done(message: Message): void {
    if (message.kind === 'batch') this.budget.release(message.byteSize);
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

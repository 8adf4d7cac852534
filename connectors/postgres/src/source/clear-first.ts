/** Reads a stream once more: what an earlier copy left is cleared before its first row, in the same epoch. */
import type { Message, OpenRequest, Origins, Reader } from '@sluice/sdk';

export class ClearFirst implements Reader {
  constructor(
    private readonly reader: Reader,
    private readonly request: OpenRequest,
    /** Where the clear comes from, where the copy's rows say that as well. */
    private readonly origins: Origins | undefined,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    const { request, origins } = this;
    yield { kind: 'clear', stream: request.reads[0]!.stream, ...(origins && { origins }) };
    yield* this.reader;
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}

/** Reads a stream once more: what an earlier copy left is cleared before its first row, in the same epoch. */
import type { Message, OpenRequest, Reader } from '@sluice/sdk';

export class ClearFirst implements Reader {
  constructor(
    private readonly reader: Reader,
    private readonly request: OpenRequest,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    yield { kind: 'clear', stream: this.request.reads[0]!.stream };
    yield* this.reader;
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}

/** What is read of a table that is not as it was planned: that it is another one. */
import type { Message, Reader, StreamSchema } from '@sluice/sdk';

export class AnotherShape implements Reader {
  constructor(private readonly schema: StreamSchema) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    yield { kind: 'schema', schema: this.schema };
  }

  async close(): Promise<void> {}
}

/** Writing into Node's transforms. */
import type { Writable } from 'node:stream';

/** Returns when a chunk has been used up, or never will be because the stream was destroyed. */
export function writeInto(stream: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('close', done);
      resolve();
    };
    stream.once('close', done);
    stream.write(chunk, done);
  });
}

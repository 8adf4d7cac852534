/** A varlen column grown from strings; for columns that are not on the hot path. */
import type { Layout } from '@sluice/sdk';

export interface TextBuilder {
  append(text: string): void;
  finish(): Layout;
}

export function textBuilder(rows: number): TextBuilder {
  const offsets = new Int32Array(rows + 1);
  let data = Buffer.allocUnsafe(Math.max(rows * 8, 64));
  let end = 0;
  let row = 0;
  return {
    append(text) {
      const most = text.length * 3;
      if (end + most > data.byteLength) {
        const grown = Buffer.allocUnsafe(Math.max(data.byteLength * 2, end + most));
        data.copy(grown, 0, 0, end);
        data = grown;
      }
      end += data.write(text, end);
      offsets[++row] = end;
    },
    finish() {
      return { layout: 'varlen', offsets, data: new Uint8Array(data.buffer, data.byteOffset, end) };
    },
  };
}

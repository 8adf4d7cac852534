/** Parts as text: CSV and JSON Lines, compressed or not. */
import {
  type ByteSink,
  type Compression,
  type CsvWriteOptions,
  CsvWriter,
  compressTo,
  JsonLinesWriter,
} from '@sluice/formats';
import type { Batch, Column, Field } from '@sluice/sdk';
import type { PartFormat, PartWriter } from './part-format.js';

/** What a compressor holds back: gzip its window, zstd a frame. */
const LEAST_MEMORY: { readonly [C in Compression]: number } = { none: 1 << 16, gzip: 1 << 19, zstd: 8 << 20 };

/** Turns batches into bytes. */
interface RowEncoder {
  write(columns: readonly Column[], rows: number): Uint8Array;
}

export interface CsvPartOptions extends CsvWriteOptions {
  readonly ending: string;
  readonly header: boolean;
}

/**
 * CSV. Where parts are joined into one file they carry no header, which then stands before the first of them:
 * compressed members, too, may stand one after the other.
 */
export function csvParts(options: CsvPartOptions, compression: Compression, joined: boolean): PartFormat {
  const header = (fields: readonly Field[]) => new CsvWriter(fields, options).header();
  return {
    ending: options.ending,
    leastMemory: LEAST_MEMORY[compression],
    open(fields, out) {
      const first = options.header && !joined ? header(fields) : undefined;
      return textWriter(new CsvWriter(fields, options), out, compression, first);
    },
    ...(options.header &&
      joined && { preamble: (fields: readonly Field[]) => compressed(header(fields), compression) }),
  };
}

export function jsonLinesParts(ending: string, compression: Compression): PartFormat {
  return {
    ending,
    leastMemory: LEAST_MEMORY[compression],
    open: (fields, out) => textWriter(new JsonLinesWriter(fields), out, compression, undefined),
  };
}

function textWriter(
  encoder: RowEncoder,
  write: (bytes: Uint8Array) => Promise<void>,
  compression: Compression,
  first: Uint8Array | undefined,
): PartWriter {
  let bytes = 0;
  const file: ByteSink = {
    async write(chunk) {
      bytes += chunk.byteLength;
      await write(chunk);
    },
  };
  const out = compressTo(file, compression);
  let pending = first;
  const begin = async () => {
    if (pending === undefined) return;
    const begun = pending;
    pending = undefined;
    await out.write(begun);
  };
  return {
    get bytes() {
      return bytes;
    },
    async write(batch: Batch) {
      await begin();
      await out.write(encoder.write(batch.columns(), batch.rowCount));
    },
    async finish() {
      await begin();
      await out.finish();
    },
  };
}

async function compressed(bytes: Uint8Array, compression: Compression): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const out = compressTo({ write: async (chunk) => void chunks.push(Uint8Array.from(chunk)) }, compression);
  await out.write(bytes);
  await out.finish();
  return Buffer.concat(chunks);
}

/** Rows of a COPY as a batch: its bytes as they are, its columns decoded when they are touched. */
import { Batch, type Column, type ColumnDecoder, type StreamSchema } from '@sluice/sdk';
import type { CopyChunk } from '../connection/copy-out.js';
import type { Wire } from '../types/wire.js';
import { type FieldDecoder, fieldDecoder } from './decode-column.js';
import { FieldIndex } from './field-index.js';

/** Makes batches of one stream; built once per reader. */
export class FrameBatches {
  private readonly decoders: readonly FieldDecoder[];

  constructor(
    private readonly schema: StreamSchema,
    wires: readonly Wire[],
    /** The encoding that the sink has asked for; without one a sink sees columns only. */
    private readonly format: string | undefined,
  ) {
    this.decoders = schema.fields.map((f, i) => fieldDecoder(wires[i]!, f.type));
  }

  batch({ bytes, rows }: CopyChunk): Batch {
    const encoded = { format: this.format ?? 'postgres-copy-frames', bytes };
    return Batch.ofEncoded(this.schema, rows, encoded, new FrameDecoder(bytes, rows, this.decoders));
  }
}

class FrameDecoder implements ColumnDecoder {
  private index: FieldIndex | undefined;

  constructor(
    private readonly bytes: Buffer,
    private readonly rows: number,
    private readonly decoders: readonly FieldDecoder[],
  ) {}

  column(i: number): Column {
    this.index ??= new FieldIndex(this.bytes, this.rows, this.decoders.length);
    return this.decoders[i]!(this.index.cells(i));
  }
}

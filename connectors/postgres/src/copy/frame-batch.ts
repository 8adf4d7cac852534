/** Rows of a COPY as a batch: its bytes as they are, its columns decoded when they are touched. */
import {
  Batch,
  type Column,
  type ColumnDecoder,
  fieldIndex,
  type Origins,
  type StreamSchema,
  valueReader,
} from '@sluice/sdk';
import type { CopyChunk } from '../connection/copy-out.js';
import { valueText } from '../types/value-text.js';
import { type Wire, wireName } from '../types/wire.js';
import { type FieldDecoder, fieldDecoder } from './decode-column.js';
import { FieldIndex } from './field-index.js';
import { untouchedColumn } from './untouched.js';

/** Makes batches of one stream; built once per reader. */
export class FrameBatches {
  private readonly decoders: readonly FieldDecoder[];
  private readonly names: readonly (string | undefined)[];

  constructor(
    private readonly schema: StreamSchema,
    wires: readonly Wire[],
    /** The encoding that the sink has asked for; without one a sink sees columns only. */
    private readonly format: string | undefined,
    private readonly origins?: Origins,
  ) {
    this.decoders = schema.fields.map((f, i) => fieldDecoder(wires[i]!, f.type));
    this.names = wires.map(wireName);
  }

  batch({ bytes, rows }: CopyChunk): Batch {
    const encoded = { format: this.format ?? 'postgres-copy-frames', bytes };
    const decoder = new FrameDecoder(bytes, rows, this.decoders, this.names);
    const { origins } = this;
    return Batch.ofEncoded(this.schema, rows, encoded, decoder, { ...(origins && { origins }) });
  }

  /** Columns of the last row, which has values there, as text that the server reads back. */
  lastTexts({ bytes, rows }: CopyChunk, names: readonly string[]): string[] {
    let start = 0;
    for (let row = 1; row < rows; row++) start += bytes.readInt32BE(start + 1) + 1;
    const index = new FieldIndex(bytes.subarray(start), 1, this.decoders.length);
    return names.map((name) => {
      const i = fieldIndex(this.schema, name);
      const { type } = this.schema.fields[i]!;
      return valueText(type, valueReader(type, this.decoders[i]!(index.cells(i)))(0));
    });
  }
}

class FrameDecoder implements ColumnDecoder {
  private index: FieldIndex | undefined;

  constructor(
    private readonly bytes: Buffer,
    private readonly rows: number,
    private readonly decoders: readonly FieldDecoder[],
    private readonly names: readonly (string | undefined)[],
  ) {}

  column(i: number): Column {
    this.index ??= new FieldIndex(this.bytes, this.rows, this.decoders.length);
    const { index, rows } = this;
    const decode = () => this.decoders[i]!(index.cells(i));
    const wire = this.names[i];
    if (wire === undefined) return decode();
    return untouchedColumn(rows, decode, { index, column: i, wire, rows: undefined });
  }
}

/** Writes JSON Lines: one object a row, in the order of the columns, nulls included. */
import type { Column, Field } from '@sluice/sdk';
import { TextOut } from '../text/text-out.js';
import { type JsonNumbers, jsonWriter, objectWriter } from './write-value.js';

export interface JsonLinesWriteOptions extends JsonNumbers {}

export class JsonLinesWriter {
  private readonly out = new TextOut();

  constructor(
    private readonly fields: readonly Field[],
    private readonly options: JsonLinesWriteOptions = {},
  ) {}

  /** The lines of a batch. Throws `SLUICE-JSON-0008` when a value was not sent. */
  write(columns: readonly Column[], rows: number): Uint8Array {
    const { out } = this;
    const names = this.fields.map(({ name }) => name);
    const writers = this.fields.map((f, i) => jsonWriter(f.type, columns[i]!, out, this.options));
    const write = objectWriter(names, writers, out);
    for (let row = 0; row < rows; row++) {
      write(row);
      out.byte(0x0a);
    }
    return out.take();
  }
}

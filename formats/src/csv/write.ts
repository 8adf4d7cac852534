/**
 * Writes CSV. Fields are quoted only where they must be; null is an empty field and the empty text `""`, so that
 * both come back; special values are their text; lists, structs, maps and unions are JSON.
 */
import { type Column, type Field, getBit } from '@sluice/sdk';
import { jsonWriter } from '../jsonl/write-value.js';
import type { BytesText } from '../text/cell-decoder.js';
import { TextOut } from '../text/text-out.js';
import { type ValueWriter, valueWriter } from '../text/value-writer.js';
import { csvErrors } from './errors.js';

export interface CsvWriteOptions {
  /** One ASCII character (default `,`). */
  readonly delimiter?: string;
  /** The text of null, unquoted (default: nothing). */
  readonly null?: string;
  /** How bytes stand in text (default base64). */
  readonly bytes?: BytesText;
  /** Default `\n`. */
  readonly lineEnd?: '\n' | '\r\n';
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;
const ORDINARY = 0;
const QUOTES = 1;
const DOUBLES = 2;

export class CsvWriter {
  private readonly out = new TextOut();
  private readonly nested = new TextOut(1 << 10);
  private readonly delimiter: number;
  private readonly nullText: Uint8Array;
  private readonly lineEnd: string;
  /** What each byte asks for: nothing, quotes around the field, or to be doubled too. */
  private readonly demands = new Uint8Array(256);

  constructor(
    private readonly fields: readonly Field[],
    private readonly options: CsvWriteOptions = {},
  ) {
    const { delimiter = ',', lineEnd = '\n' } = options;
    if (delimiter.length !== 1 || delimiter > '~' || /["\r\n]/.test(delimiter)) {
      throw csvErrors.badDialect(
        `the delimiter is ${JSON.stringify(delimiter)}, which is not one ASCII character`,
      );
    }
    this.delimiter = delimiter.charCodeAt(0);
    this.lineEnd = lineEnd;
    this.nullText = Buffer.from(options.null ?? '');
    for (const byte of [this.delimiter, LF, CR]) this.demands[byte] = QUOTES;
    this.demands[QUOTE] = DOUBLES;
    if (this.nullText.some((byte) => this.demands[byte] !== ORDINARY)) {
      throw csvErrors.badDialect(
        `null is written as ${JSON.stringify(options.null)}, which would need quotes`,
      );
    }
  }

  /** The record of the columns' names. */
  header(): Uint8Array {
    for (const [i, { name }] of this.fields.entries()) {
      if (i > 0) this.out.byte(this.delimiter);
      const bytes = Buffer.from(name);
      this.text(bytes, 0, bytes.byteLength);
    }
    this.out.ascii(this.lineEnd);
    return this.out.take();
  }

  /** The records of a batch. Throws `SLUICE-CSV-0010` when a value was not sent. */
  write(columns: readonly Column[], rows: number): Uint8Array {
    const { out, delimiter, lineEnd } = this;
    const writers = this.fields.map((f, i) => this.cellWriter(f, columns[i]!));
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < writers.length; i++) {
        if (i > 0) out.byte(delimiter);
        writers[i]!(row);
      }
      out.ascii(lineEnd);
    }
    return out.take();
  }

  private cellWriter(field: Field, column: Column): ValueWriter {
    if (column.absent?.some((bits) => bits !== 0)) {
      throw csvErrors.notPlaceable(
        `column ${field.name}: a row has a value that the source did not send (UNCHANGED)`,
      );
    }
    const { validity, special } = column;
    const { out, nullText } = this;
    const writeNull = () => out.copy(nullText, 0, nullText.byteLength);
    if (column.data.layout === 'none') return writeNull;
    const present = this.presentWriter(field, column);
    if (validity === undefined) return present;
    return (row) => {
      if (getBit(validity, row)) return present(row);
      const text = special?.get(row);
      if (text === undefined) return writeNull();
      const bytes = Buffer.from(text);
      this.text(bytes, 0, bytes.byteLength);
    };
  }

  private presentWriter(field: Field, column: Column): ValueWriter {
    const { out, nested } = this;
    const { data } = column;
    const plain = valueWriter(field.type, column, out, this.options.bytes ?? 'base64');
    if (plain !== undefined) return this.canClash(field) ? this.checked(plain) : plain;
    if (data.layout === 'varlen') {
      const { offsets } = data;
      return (row) => this.text(data.data, offsets[row]!, offsets[row + 1]!);
    }
    const write = jsonWriter(field.type, column, nested);
    return (row) => {
      nested.at = 0;
      write(row);
      this.text(nested.bytes, 0, nested.at);
    };
  }

  /** Whether values that look like numbers, times and the like can hold the delimiter or be taken for null. */
  private canClash({ type }: Field): boolean {
    return (
      this.nullText.byteLength > 0 ||
      !/[,;|\t]/.test(String.fromCharCode(this.delimiter)) ||
      type.kind === 'bytes'
    );
  }

  private checked(write: ValueWriter): ValueWriter {
    const { out } = this;
    return (row) => {
      const from = out.at;
      write(row);
      const written = out.bytes.slice(from, out.at);
      out.at = from;
      this.text(written, 0, written.byteLength);
    };
  }

  /** A text, in quotes where it is empty, could be taken for null, or holds what means something. */
  private text(data: Uint8Array, from: number, to: number): void {
    const { out, demands } = this;
    out.reserve((to - from) * 2 + 2);
    const { bytes } = out;
    const start = out.at;
    let p = start;
    let seen = ORDINARY;
    for (let i = from; i < to; i++) {
      const byte = data[i]!;
      seen |= demands[byte]!;
      bytes[p++] = byte;
    }
    if (seen === ORDINARY && from < to && !this.mustQuote(data, from, to)) {
      out.at = p;
      return;
    }
    p = start;
    bytes[p++] = QUOTE;
    for (let i = from; i < to; i++) {
      const byte = data[i]!;
      if (byte === QUOTE) bytes[p++] = QUOTE;
      bytes[p++] = byte;
    }
    bytes[p++] = QUOTE;
    out.at = p;
  }

  /** Texts that are the text of null, or begin like a byte order mark and could be a file's first. */
  private mustQuote(data: Uint8Array, from: number, to: number): boolean {
    if (data[from] === 0xef && data[from + 1] === 0xbb && data[from + 2] === 0xbf) return true;
    const { nullText } = this;
    if (to - from !== nullText.byteLength) return false;
    for (let i = 0; i < nullText.byteLength; i++) if (data[from + i] !== nullText[i]) return false;
    return true;
  }
}

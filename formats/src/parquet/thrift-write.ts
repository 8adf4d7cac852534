/**
 * Writes Thrift's compact protocol, as far as Parquet's metadata needs it:
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */

/** Type codes of struct members. List elements use the same, with `TRUE` for any boolean. */
export const Compact = {
  STOP: 0,
  TRUE: 1,
  FALSE: 2,
  I8: 3,
  I16: 4,
  I32: 5,
  I64: 6,
  DOUBLE: 7,
  BINARY: 8,
  LIST: 9,
  SET: 10,
  MAP: 11,
  STRUCT: 12,
} as const;

export class ThriftWriter {
  private buffer = Buffer.allocUnsafe(256);
  private end = 0;
  private lastId = 0;
  private readonly outer: number[] = [];

  /** The bytes written so far. */
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.end);
  }

  bool(id: number, value: boolean): void {
    this.header(id, value ? Compact.TRUE : Compact.FALSE);
  }
  i8(id: number, value: number): void {
    this.header(id, Compact.I8);
    this.byte(value & 0xff);
  }
  i16(id: number, value: number): void {
    this.header(id, Compact.I16);
    this.zigzag(value);
  }
  i32(id: number, value: number): void {
    this.header(id, Compact.I32);
    this.zigzag(value);
  }
  /** A 64-bit integer that a number holds exactly. */
  i64(id: number, value: number): void {
    this.header(id, Compact.I64);
    this.zigzag(value);
  }
  binary(id: number, value: Uint8Array): void {
    this.header(id, Compact.BINARY);
    this.rawBinary(value);
  }
  string(id: number, value: string): void {
    this.binary(id, Buffer.from(value, 'utf8'));
  }
  struct(id: number, write: () => void): void {
    this.header(id, Compact.STRUCT);
    this.rawStruct(write);
  }
  /** A list; `write` writes element i without a member header, by one of the `raw` methods. */
  list(id: number, type: number, length: number, write: (i: number) => void): void {
    this.header(id, Compact.LIST);
    if (length < 15) this.byte((length << 4) | type);
    else {
      this.byte(0xf0 | type);
      this.varint(length);
    }
    for (let i = 0; i < length; i++) write(i);
  }

  rawStruct(write: () => void): void {
    this.outer.push(this.lastId);
    this.lastId = 0;
    write();
    this.byte(Compact.STOP);
    this.lastId = this.outer.pop() ?? 0;
  }
  rawI32(value: number): void {
    this.zigzag(value);
  }
  rawString(value: string): void {
    this.rawBinary(Buffer.from(value, 'utf8'));
  }

  private rawBinary(value: Uint8Array): void {
    this.varint(value.byteLength);
    this.reserve(value.byteLength);
    this.buffer.set(value, this.end);
    this.end += value.byteLength;
  }
  private header(id: number, type: number): void {
    const step = id - this.lastId;
    this.lastId = id;
    if (step > 0 && step < 16) this.byte((step << 4) | type);
    else {
      this.byte(type);
      this.zigzag(id);
    }
  }
  private byte(value: number): void {
    this.reserve(1);
    this.buffer[this.end++] = value;
  }
  private zigzag(value: number): void {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }
  /** Plain arithmetic rather than shifts, since file offsets pass 32 bits. */
  private varint(value: number): void {
    while (value >= 0x80) {
      this.byte((value % 0x80) | 0x80);
      value = Math.floor(value / 0x80);
    }
    this.byte(value);
  }
  private reserve(bytes: number): void {
    if (this.end + bytes <= this.buffer.byteLength) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.byteLength * 2, this.end + bytes));
    this.buffer.copy(grown, 0, 0, this.end);
    this.buffer = grown;
  }
}

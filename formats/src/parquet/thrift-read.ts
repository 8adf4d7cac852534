/**
 * Reads Thrift's compact protocol from bytes that may be damaged: every length is checked against what is left,
 * and structures nest only so deep.
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
import { Damage, sound } from './damage.js';
import { Compact } from './thrift-write.js';

/** More than any Parquet structure nests. */
const MOST_DEPTH = 32;

/** The bytes ended inside a value: a page header may continue in bytes that are not read yet. */
export class ThriftEnd extends Damage {}

export class ThriftReader {
  private depth = 0;

  constructor(
    private readonly bytes: Uint8Array,
    /** The next byte to be read. */
    public at = 0,
  ) {}

  /** Reads a struct; `member` must read or {@link skip} the member of that number and type. */
  struct(member: (id: number, type: number) => void): void {
    sound(++this.depth <= MOST_DEPTH, 'structures nest too deep');
    let id = 0;
    for (;;) {
      const head = this.byte();
      const type = head & 0x0f;
      if (type === Compact.STOP) break;
      id = head >> 4 === 0 ? this.zigzag() : id + (head >> 4);
      member(id, type);
    }
    this.depth--;
  }

  /** A struct that is a member. */
  structMember(type: number, member: (id: number, type: number) => void): void {
    expect(type, Compact.STRUCT);
    this.struct(member);
  }

  /** A list that is a member; `element` reads one element of the given type. */
  list<T>(type: number, element: (type: number) => T): T[] {
    expect(type, Compact.LIST);
    const { count, elementType } = this.listHead();
    const elements: T[] = [];
    for (let i = 0; i < count; i++) elements.push(element(elementType));
    return elements;
  }

  bool(type: number): boolean {
    sound(type === Compact.TRUE || type === Compact.FALSE, 'a boolean was expected');
    return type === Compact.TRUE;
  }
  i8(type: number): number {
    expect(type, Compact.I8);
    return (this.byte() << 24) >> 24;
  }
  /** An integer of up to 64 bits that a number holds exactly. */
  int(type: number): number {
    sound(type === Compact.I16 || type === Compact.I32 || type === Compact.I64, 'an integer was expected');
    return this.zigzag();
  }
  /** An integer that counts or measures something. */
  size(type: number): number {
    const value = this.int(type);
    sound(value >= 0, `a size is negative (${value})`);
    return value;
  }
  binary(type: number): Uint8Array {
    expect(type, Compact.BINARY);
    const length = this.varint();
    this.need(length);
    const value = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return value;
  }
  string(type: number): string {
    const value = this.binary(type);
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
  }

  skip(type: number): void {
    switch (type) {
      case Compact.TRUE:
      case Compact.FALSE:
        return;
      case Compact.I8:
        this.byte();
        return;
      case Compact.I16:
      case Compact.I32:
      case Compact.I64:
        while (this.byte() >= 0x80);
        return;
      case Compact.DOUBLE:
        this.need(8);
        this.at += 8;
        return;
      case Compact.BINARY:
        this.binary(type);
        return;
      case Compact.LIST:
      case Compact.SET:
        this.skipList();
        return;
      case Compact.MAP:
        this.skipMap();
        return;
      case Compact.STRUCT:
        this.struct((_, member) => this.skip(member));
        return;
      default:
        throw new Damage(`there is no type ${type}`);
    }
  }

  private skipList(): void {
    sound(++this.depth <= MOST_DEPTH, 'structures nest too deep');
    const { count, elementType } = this.listHead();
    for (let i = 0; i < count; i++) this.skipElement(elementType);
    this.depth--;
  }
  private skipMap(): void {
    sound(++this.depth <= MOST_DEPTH, 'structures nest too deep');
    const count = this.varint();
    this.need(count);
    const types = count === 0 ? 0 : this.byte();
    for (let i = 0; i < count; i++) {
      this.skipElement(types >> 4);
      this.skipElement(types & 0x0f);
    }
    this.depth--;
  }
  /** Booleans take a byte in collections, while a member's value lies in its type. */
  private skipElement(type: number): void {
    if (type === Compact.TRUE || type === Compact.FALSE) this.byte();
    else this.skip(type);
  }
  private listHead(): { count: number; elementType: number } {
    const head = this.byte();
    const count = head >> 4 === 15 ? this.varint() : head >> 4;
    // An element takes a byte at least.
    this.need(count);
    return { count, elementType: head & 0x0f };
  }
  private zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  /** Plain arithmetic, since 64-bit values pass the range of shifts; beyond 2^53 nothing in a file is sound. */
  private varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      sound(value <= Number.MAX_SAFE_INTEGER, 'a number is too large');
      if (byte < 0x80) return value;
      scale *= 128;
      sound(scale <= 2 ** 63, 'a number is too long');
    }
  }
  private byte(): number {
    this.need(1);
    return this.bytes[this.at++]!;
  }
  private need(bytes: number): void {
    if (this.at + bytes > this.bytes.byteLength) throw new ThriftEnd('the structure is cut short');
  }
}

function expect(type: number, wanted: number): void {
  sound(type === wanted, `a value has the type ${type}, not ${wanted}`);
}

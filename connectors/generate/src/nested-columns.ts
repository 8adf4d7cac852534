/** Columns that hold other columns, and JSON documents made of them. */
import { type Column, type Field, type Layout, Special, type Value, valueReader } from '@sluice/sdk';
import type { ColumnSpec } from './column-spec.js';
import type { MakeLayout } from './fixed-columns.js';
import { type Cells, integerBelow, keyedStates, mix, word } from './random.js';

type Spec<T extends ColumnSpec['type']> = Extract<ColumnSpec, { type: T }>;
/** Makes the whole column of cells: layout, nulls and special values. */
export type MakeColumn = (cells: Cells) => Column;
/** A member: its field and how it is made. */
export interface Member {
  readonly field: Field;
  readonly make: MakeColumn;
}

/** The cells of another column of the same rows, so that members are independent of each other. */
function memberCells(cells: Cells, key: number): Cells {
  return { states: keyedStates(cells, key), first: cells.first };
}

export function structLayout(members: readonly Member[]): MakeLayout {
  return (cells, key) => {
    const inner = memberCells(cells, key);
    return { layout: 'struct', children: members.map((member) => member.make(inner)) };
  };
}

/** A list's cells: as many as the rows have items, each with a state of its own. */
export function listLayout({ min, max }: { min: number; max: number }, item: MakeColumn): MakeLayout {
  return (cells, key) => {
    const states = keyedStates(cells, key);
    const offsets = new Int32Array(states.length + 1);
    for (let i = 0; i < states.length; i++) {
      offsets[i + 1] = offsets[i]! + min + integerBelow(states[i]!, max - min + 1);
    }
    const inner = new Int32Array(offsets[states.length]!);
    for (let i = 0; i < states.length; i++) {
      const from = offsets[i]!;
      for (let at = from; at < offsets[i + 1]!; at++) inner[at] = word(states[i]!, 2 + at - from);
    }
    return { layout: 'list', offsets, child: item({ states: inner, first: 0 }) };
  };
}

export function mapLayout(spec: Spec<'map'>, key: Member, value: Member): MakeLayout {
  const entries = structLayout([key, value]);
  return listLayout(spec, (cells) => ({ length: cells.states.length, data: entries(cells, 0) }));
}

export function unionLayout(variants: readonly Member[]): MakeLayout {
  return (cells, key) => {
    const states = keyedStates(cells, mix(key));
    const typeIds = new Int8Array(states.length);
    for (let i = 0; i < typeIds.length; i++) typeIds[i] = integerBelow(states[i]!, variants.length);
    const inner = memberCells(cells, key);
    return { layout: 'union', typeIds, children: variants.map((variant) => variant.make(inner)) };
  };
}

type WriteCell = (i: number, into: JsonText) => void;

/** Documents `{"a": 1, "b": "x"}`, spaced as PostgreSQL prints jsonb. */
export function jsonLayout(members: readonly Member[]): MakeLayout {
  const prefixes = members.map(({ field }, at) =>
    Buffer.from(`${at === 0 ? '{' : ', '}${JSON.stringify(field.name)}: `),
  );
  return (cells, key): Layout => {
    const inner = memberCells(cells, key);
    const writers = members.map(({ field, make }) => cellWriter(field, make(inner)));
    const offsets = new Int32Array(cells.states.length + 1);
    const text = new JsonText();
    for (let i = 0; i < cells.states.length; i++) {
      if (members.length === 0) text.byte(0x7b);
      for (let m = 0; m < writers.length; m++) {
        text.bytes(prefixes[m]!, 0, prefixes[m]!.length);
        writers[m]!(i, text);
      }
      text.byte(0x7d);
      offsets[i + 1] = text.end;
    }
    return { layout: 'varlen', offsets, data: text.data.subarray(0, text.end) };
  };
}

/** Numbers and plain texts are written as bytes; everything else through its value. */
function cellWriter({ type }: Field, column: Column): WriteCell {
  const { data } = column;
  const complete = column.validity === undefined;
  if (complete && data.layout === 'fixed' && type.kind === 'int' && type.bits < 64) {
    return (i, into) => into.integer(data.values[i] as number);
  }
  if (complete && data.layout === 'varlen' && type.kind === 'string') {
    return (i, into) => into.string(data.data, data.offsets[i]!, data.offsets[i + 1]!);
  }
  const read = valueReader(type, column);
  const isDocument = type.kind === 'json';
  return (i, into) => {
    const value = read(i);
    into.text(isDocument && typeof value === 'string' ? value : jsonOf(value));
  };
}

function jsonOf(value: Value): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Special) return inner.text;
    if (typeof inner === 'bigint') return inner.toString();
    return inner instanceof Uint8Array ? Buffer.from(inner).toString('base64') : inner;
  });
}

class JsonText {
  data = new Uint8Array(65_536);
  end = 0;

  byte(value: number): void {
    this.reserve(1);
    this.data[this.end++] = value;
  }
  bytes(from: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    const { data } = this;
    let at = this.end;
    for (let i = start; i < end; i++) data[at++] = from[i]!;
    this.end = at;
  }
  text(value: string): void {
    this.reserve(value.length * 3);
    this.end += Buffer.from(this.data.buffer).write(value, this.end);
  }
  integer(value: number): void {
    this.reserve(11);
    if (value < 0) {
      this.data[this.end++] = 0x2d;
      value = -value;
    }
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    for (let at = this.end + digits - 1; at >= this.end; at--) {
      this.data[at] = 0x30 + (value % 10);
      value = Math.floor(value / 10);
    }
    this.end += digits;
  }
  string(from: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      const byte = from[i]!;
      if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) continue;
      this.text(JSON.stringify(Buffer.from(from.buffer, from.byteOffset + start, end - start).toString()));
      return;
    }
    this.byte(0x22);
    this.bytes(from, start, end);
    this.byte(0x22);
  }
  private reserve(more: number): void {
    if (this.end + more <= this.data.length) return;
    const grown = new Uint8Array(Math.max(this.data.length * 2, this.end + more));
    grown.set(this.data);
    this.data = grown;
  }
}

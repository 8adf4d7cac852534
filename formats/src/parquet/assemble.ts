/**
 * Leaves back into columns: the reverse of `shred.ts`. A node's rows are those entries of any leaf below it at
 * which something of that node begins; whether it is null there, and how many items it has, the levels say.
 */
import {
  bitmapBytes,
  type Column,
  clearBit,
  type Field,
  type FixedArray,
  filledBitmap,
  type Layout,
  setBit,
  structFields,
} from '@sluice/sdk';
import { convert } from './convert.js';
import { sound } from './damage.js';
import type { LeafBatch } from './leaf-read.js';
import type { ReadLeaf, ReadNode } from './schema-read.js';

/** From which levels on an entry stands for a row of the node: below lists these are their items. */
interface Context {
  readonly def: number;
  readonly rep: number;
}

/** A top-level column of what its leaves have read. */
export function assemble(node: ReadNode, field: Field, batches: ReadonlyMap<ReadLeaf, LeafBatch>): Column {
  return new Assembler(batches).column(node, field, { def: 0, rep: 0 });
}

class Assembler {
  constructor(private readonly batches: ReadonlyMap<ReadLeaf, LeafBatch>) {}

  column(node: ReadNode, field: Field, at: Context): Column {
    const { type } = field;
    switch (node.kind) {
      case 'leaf':
        return this.leaf(node.leaf, field, at);
      case 'list': {
        const item: Field =
          type.kind === 'map'
            ? { name: 'entries', type: { kind: 'struct', fields: [type.key, type.value] }, nullable: false }
            : (type as typeof type & { kind: 'list' }).item;
        return this.list(node, item, at);
      }
      case 'struct':
        return this.struct(node, structFields(type), at);
      case 'interval':
        return intervalOf(this.struct(node, INTERVAL_FIELDS, at));
    }
  }

  private leaf(leaf: ReadLeaf, field: Field, at: Context): Column {
    const batch = this.batches.get(leaf)!;
    const { data, special } = convert(leaf, field.type, batch.values);
    if (data.layout === 'none') return { length: this.rows(leaf, at).length, data };
    if (batch.def === undefined)
      return { length: batch.entries, data, ...without(batch.entries, undefined, special) };
    const { length, validity, places } = placesOf(batch.def, at.def, leaf.maxDef);
    const moved = special && new Map([...special].map(([i, text]) => [places[i]!, text]));
    const gaps = places.length < length ? validity : undefined;
    return { length, data: spread(data, length, places), ...without(length, gaps, moved) };
  }

  private struct(
    node: ReadNode & { members: readonly ReadNode[] },
    fields: readonly Field[],
    at: Context,
  ): Column {
    const children = node.members.map((member, i) => this.column(member, fields[i]!, at));
    const { length, validity } = this.rows(firstLeaf(node), at, node.optional ? node.def : undefined);
    for (const child of children) sound(child.length === length, 'the members of a struct differ in length');
    return { length, data: { layout: 'struct', children }, ...(validity && { validity }) };
  }

  private list(node: ReadNode & { kind: 'list' }, item: Field, at: Context): Column {
    const leaf = firstLeaf(node);
    const { length, validity } = this.rows(leaf, at, node.optional ? node.def : undefined);
    const offsets = this.offsets(leaf, node, at, length);
    const child = this.column(node.item, item, { def: node.itemDef, rep: node.rep });
    sound(child.length === offsets[length], 'the items of a list differ in number');
    return { length, data: { layout: 'list', offsets, child }, ...(validity && { validity }) };
  }

  /** The rows that a leaf's entries stand for; with `present`, which of them have a value of the node. */
  private rows(leaf: ReadLeaf, at: Context, present?: number): { length: number; validity?: Uint8Array } {
    const { entries, def, rep } = this.batches.get(leaf)!;
    if (def === undefined && rep === undefined) return { length: entries };
    const validity = present === undefined ? undefined : new Uint8Array(bitmapBytes(entries));
    let length = 0;
    let nulls = 0;
    for (let i = 0; i < entries; i++) {
      const level = def === undefined ? leaf.maxDef : def[i]!;
      if (level < at.def || (rep !== undefined && rep[i]! > at.rep)) continue;
      if (validity !== undefined) {
        if (level >= present!) setBit(validity, length);
        else nulls++;
      }
      length++;
    }
    return nulls === 0 ? { length } : { length, validity: validity!.subarray(0, bitmapBytes(length)) };
  }

  private offsets(
    leaf: ReadLeaf,
    node: ReadNode & { kind: 'list' },
    at: Context,
    length: number,
  ): Int32Array {
    const { entries, def, rep } = this.batches.get(leaf)!;
    const offsets = new Int32Array(length + 1);
    let row = 0;
    let items = 0;
    for (let i = 0; i < entries; i++) {
      const level = def === undefined ? leaf.maxDef : def[i]!;
      const repeats = rep === undefined ? 0 : rep[i]!;
      if (repeats > node.rep) continue;
      if (repeats === node.rep) {
        // Another item of the list that is open, which therefore has one already.
        sound(level >= node.itemDef && row > 0 && items > offsets[row - 1]!, 'an item has no list');
        items++;
      } else if (level >= at.def) {
        offsets[row++] = items;
        if (level >= node.itemDef) items++;
      }
    }
    offsets[row] = items;
    return offsets;
  }
}

function firstLeaf(node: ReadNode): ReadLeaf {
  while (node.kind !== 'leaf') node = node.kind === 'list' ? node.item : node.members[0]!;
  return node.leaf;
}

/** What a column says of its gaps: special values are null in the bitmap too. */
function without(
  length: number,
  validity: Uint8Array | undefined,
  special: Map<number, string> | undefined,
): Pick<Column, 'validity' | 'special'> {
  if (special === undefined) return validity === undefined ? {} : { validity };
  const bits = validity ?? filledBitmap(length);
  for (const row of special.keys()) clearBit(bits, row);
  return { validity: bits, special };
}

interface Places {
  readonly length: number;
  readonly validity: Uint8Array;
  /** The row of each value that is present. */
  readonly places: Int32Array;
}

function placesOf(def: Uint8Array, from: number, maxDef: number): Places {
  const places = new Int32Array(def.length);
  const validity = new Uint8Array(bitmapBytes(def.length));
  let length = 0;
  let present = 0;
  for (let i = 0; i < def.length; i++) {
    const level = def[i]!;
    if (level < from) continue;
    if (level === maxDef) {
      places[present++] = length;
      validity[length >> 3]! |= 1 << (length & 7);
    }
    length++;
  }
  return { length, validity: validity.subarray(0, bitmapBytes(length)), places: places.subarray(0, present) };
}

/** Values moved to their rows; what lies between is zero or empty. */
function spread(data: Layout, length: number, places: Int32Array): Layout {
  if (places.length === length) return data;
  switch (data.layout) {
    case 'fixed':
      return { layout: 'fixed', values: spreadFixed(data.values, length, places) };
    case 'bits': {
      const values = new Uint8Array(bitmapBytes(length));
      for (let i = 0; i < places.length; i++) {
        const to = places[i]!;
        values[to >> 3]! |= ((data.values[i >> 3]! >> (i & 7)) & 1) << (to & 7);
      }
      return { layout: 'bits', values };
    }
    case 'bytes': {
      const { width } = data;
      const values = new Uint8Array(length * width);
      for (let i = 0; i < places.length; i++) {
        let to = places[i]! * width;
        for (let from = i * width, end = from + width; from < end; ) values[to++] = data.values[from++]!;
      }
      return { layout: 'bytes', width, values };
    }
    case 'varlen': {
      const offsets = new Int32Array(length + 1);
      let row = 0;
      for (let i = 0; i < places.length; i++) {
        const start = data.offsets[i]!;
        for (const to = places[i]!; row <= to; row++) offsets[row] = start;
      }
      offsets.fill(data.offsets[places.length]!, row);
      return { layout: 'varlen', offsets, data: data.data };
    }
    default:
      throw new TypeError(`a leaf has no ${data.layout} column`);
  }
}

function spreadFixed(values: FixedArray, length: number, places: Int32Array): FixedArray {
  const spreadOut = new (values.constructor as { new (length: number): FixedArray })(length);
  if (values.BYTES_PER_ELEMENT === 8) {
    // As words, since 64-bit integers would each become a bigint.
    const from = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
    const to = new Uint32Array(spreadOut.buffer);
    for (let i = 0; i < places.length; i++) {
      const at = places[i]! * 2;
      to[at] = from[2 * i]!;
      to[at + 1] = from[2 * i + 1]!;
    }
  } else {
    for (let i = 0; i < places.length; i++) spreadOut[places[i]!] = values[i]!;
  }
  return spreadOut;
}

const INTERVAL_FIELDS: readonly Field[] = [
  { name: 'months', type: { kind: 'int', bits: 32, signed: true }, nullable: false },
  { name: 'days', type: { kind: 'int', bits: 32, signed: true }, nullable: false },
  { name: 'nanos', type: { kind: 'int', bits: 64, signed: true }, nullable: false },
];

/** Months, days and nanoseconds side by side to the interval's 16 bytes. */
function intervalOf(parts: Column): Column {
  const { length, data, validity } = parts;
  const [months, days, nanos] = (data as Layout & { layout: 'struct' }).children.map(
    (child) => (child.data as Layout & { layout: 'fixed' }).values,
  );
  const values = new Uint8Array(length * 16);
  const view = new DataView(values.buffer);
  for (let i = 0; i < length; i++) {
    view.setInt32(i * 16, months![i] as number, true);
    view.setInt32(i * 16 + 4, days![i] as number, true);
    view.setBigInt64(i * 16 + 8, nanos![i] as bigint, true);
  }
  return { length, data: { layout: 'bytes', width: 16, values }, ...(validity && { validity }) };
}

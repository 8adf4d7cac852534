/** Lists, structs, maps and unions out of vectors. */
import type { Vector } from '@duckdb/node-bindings';
import type { Bitmap, Layout } from '@sluice/sdk';
import type { Bindings } from '../database/driver.js';
import { isSet, type Pick, type Values } from './read-values.js';
import type { ColumnReader } from './vector-read.js';

/** Rows that say where their items lie in the child vector; in a result that was filtered, in any order. */
export class Listed implements Values {
  private offsets = new Int32Array(1);
  constructor(
    private readonly bindings: Bindings,
    private readonly items: ColumnReader,
  ) {}
  bytes(length: number): number {
    return length * 4 + this.items.bytes;
  }

  append(vector: Vector, size: number, pick: Pick, length: number, valid: Bitmap | null): void {
    const count = pick?.length ?? size;
    const entries = this.bindings.vector_get_data(vector, size * 16);
    const words = new Uint32Array(entries.buffer, entries.byteOffset, size * 4);
    this.reserve(length + count + 1);
    const { offsets } = this;
    let end = offsets[length]!;
    let inOrder = true;
    let items = 0;
    for (let i = 0; i < count; i++) {
      const row = pick === undefined ? i : pick[i]!;
      const held = isSet(valid, row) ? words[row * 4 + 2]! : 0;
      if (held > 0 && words[row * 4] !== items) inOrder = false;
      items += held;
      end += held;
      offsets[length + i + 1] = end;
    }
    if (items === 0) return;
    const child = this.bindings.list_vector_get_child(vector);
    const childSize = this.bindings.list_vector_get_size(vector);
    if (inOrder && items === childSize) this.items.append(child, childSize);
    else this.items.append(child, childSize, itemsOf(words, count, items, pick, valid));
  }

  finish(length: number): Layout {
    const offsets = this.offsets.subarray(0, length + 1);
    this.offsets = new Int32Array(1);
    return { layout: 'list', offsets, child: this.items.finish() };
  }

  private reserve(entries: number): void {
    if (entries <= this.offsets.length) return;
    const grown = new Int32Array(Math.max(entries, this.offsets.length * 2));
    grown.set(this.offsets);
    this.offsets = grown;
  }
}

/** The child's rows that the lists mean, in order. */
function itemsOf(
  words: Uint32Array,
  count: number,
  items: number,
  pick: Pick,
  valid: Bitmap | null,
): Uint32Array {
  const rows = new Uint32Array(items);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const row = pick === undefined ? i : pick[i]!;
    if (!isSet(valid, row)) continue;
    for (let item = 0; item < words[row * 4 + 2]!; item++) rows[at++] = words[row * 4]! + item;
  }
  return rows;
}

export class Structs implements Values {
  constructor(
    private readonly bindings: Bindings,
    private readonly members: readonly ColumnReader[],
    /** Where the members begin among the vector's children. */
    private readonly first = 0,
  ) {}
  bytes(): number {
    return this.members.reduce((sum, member) => sum + member.bytes, 0);
  }
  append(vector: Vector, size: number, pick: Pick): void {
    for (let m = 0; m < this.members.length; m++) {
      this.members[m]!.append(this.bindings.struct_vector_get_child(vector, this.first + m), size, pick);
    }
  }
  finish(): Layout {
    return { layout: 'struct', children: this.members.map((member) => member.finish()) };
  }
}

/** A struct whose first member is the tag. */
export class Unions implements Values {
  private tags = new Int8Array(0);
  private readonly members: Structs;
  constructor(
    private readonly bindings: Bindings,
    variants: readonly ColumnReader[],
  ) {
    this.members = new Structs(bindings, variants, 1);
  }
  bytes(length: number): number {
    return length + this.members.bytes();
  }
  append(vector: Vector, size: number, pick: Pick, length: number, valid: Bitmap | null): void {
    const count = pick?.length ?? size;
    if (length + count > this.tags.length) {
      const grown = new Int8Array(Math.max(length + count, this.tags.length * 2));
      grown.set(this.tags);
      this.tags = grown;
    }
    const tags = this.bindings.vector_get_data(this.bindings.struct_vector_get_child(vector, 0), size);
    for (let i = 0; i < count; i++) {
      const row = pick === undefined ? i : pick[i]!;
      this.tags[length + i] = isSet(valid, row) ? tags[row]! : 0;
    }
    this.members.append(vector, size, pick);
  }
  finish(length: number): Layout {
    const { children } = this.members.finish() as Extract<Layout, { layout: 'struct' }>;
    const typeIds = this.tags.subarray(0, length);
    this.tags = new Int8Array(0);
    return { layout: 'union', typeIds, children };
  }
}

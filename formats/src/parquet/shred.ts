/**
 * Takes columns apart into leaves with definition and repetition levels (the record shredding of
 * https://research.google/pubs/pub36632/, section 4), node by node over whole ranges instead of value by value.
 * A flat column without nulls costs nothing here: its levels are one number and its values a view.
 */
import { type Column, getBit, type Layout } from '@sluice/sdk';
import { allSet, type Dense, denseOf } from './dense.js';
import { parquetErrors } from './errors.js';
import type { Levels } from './levels.js';
import type { Leaf, Shape } from './schema-write.js';

/** What one leaf gets of a batch: entries with their levels, and the values of those that have one. */
export interface LeafEntries {
  readonly count: number;
  readonly def: Levels;
  readonly rep: Levels;
  readonly values: Dense;
}

/** Entries on their way down the tree. */
interface Span {
  readonly count: number;
  /** Slot of the first entry where slots follow each other. */
  readonly from: number;
  /** Slot of each entry in the node's column; −1 where a node above ended it (null, or an empty list). */
  readonly slots?: Int32Array;
  readonly def: Levels;
  readonly rep: Levels;
}

/**
 * Rows `from` up to `to` of a column, handed leaf by leaf to `emit`. Throws `SLUICE-PARQUET-0005` for values
 * that are special or absent, and for nulls in a required column; `firstRow` is row 0's number, for messages.
 */
export function shred(
  shape: Shape,
  column: Column,
  from: number,
  to: number,
  firstRow: number,
  emit: (leaf: Leaf, entries: LeafEntries) => void,
): void {
  new Shredder(firstRow + from, emit).node(shape, column, { count: to - from, from, def: 0, rep: 0 });
}

class Shredder {
  constructor(
    private readonly firstRow: number,
    private readonly emit: (leaf: Leaf, entries: LeafEntries) => void,
  ) {}

  node(shape: Shape, column: Column, above: Span): void {
    if (column.special !== undefined || column.absent !== undefined)
      this.refuseUnplaceable(shape, column, above);
    const span = this.withValidity(shape, column, above);
    const { data } = column;
    switch (shape.kind) {
      case 'leaf':
        return this.leaf(shape.leaf, column, span);
      case 'struct':
        if (data.layout !== 'struct') throw mismatch(shape, data);
        for (let i = 0; i < shape.members.length; i++) this.node(shape.members[i]!, data.children[i]!, span);
        return;
      case 'interval':
        if (data.layout !== 'bytes') throw mismatch(shape, data);
        for (let i = 0; i < 3; i++)
          this.node(shape.members[i]!, intervalPart(data.values, column.length, i), span);
        return;
      case 'list':
        if (data.layout !== 'list') throw mismatch(shape, data);
        return this.node(shape.item, data.child, listSpan(span, data.offsets, shape));
    }
  }

  private leaf(leaf: Leaf, column: Column, span: Span): void {
    const { slots, count } = span;
    let values: Dense;
    if (slots === undefined) {
      values = denseOf(column, leaf.form, { from: span.from, count });
    } else {
      const live = new Int32Array(count);
      let lives = 0;
      for (let i = 0; i < count; i++) if (slots[i]! >= 0) live[lives++] = slots[i]!;
      // Slots only rise, so first and last tell whether any lie between.
      const together = lives > 0 && live[lives - 1]! - live[0]! === lives - 1;
      const from = lives > 0 ? live[0]! : 0;
      values = denseOf(
        column,
        leaf.form,
        together ? { from, count: lives } : { from, count: lives, slots: live },
      );
    }
    this.emit(leaf, { count, def: span.def, rep: span.rep, values });
  }

  /** Applies the node's nulls: an entry that has a value here is defined one level deeper if the node may be null. */
  private withValidity(shape: Shape, column: Column, above: Span): Span {
    const { count, from, slots } = above;
    const validity = column.data.layout === 'none' ? NOTHING : column.validity;
    const step = shape.optional ? 1 : 0;
    if (
      validity === undefined ||
      (slots === undefined && validity !== NOTHING && allSet(validity, from, from + count))
    ) {
      if (step === 0) return above;
      if (typeof above.def === 'number' && slots === undefined) return { ...above, def: above.def + 1 };
    }
    const def = new Uint8Array(count);
    const live = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const slot = slots === undefined ? from + i : slots[i]!;
      const level = typeof above.def === 'number' ? above.def : above.def[i]!;
      const ended = slot < 0 || (validity !== undefined && (validity === NOTHING || !getBit(validity, slot)));
      if (ended && slot >= 0 && step === 0)
        throw this.refuse(shape, above, i, 'null, which the column does not allow');
      def[i] = ended ? level : level + step;
      live[i] = ended ? -1 : slot;
    }
    return { ...above, slots: live, def };
  }

  private refuseUnplaceable(shape: Shape, column: Column, span: Span): void {
    const { special, absent } = column;
    for (let i = 0; i < span.count; i++) {
      const slot = span.slots === undefined ? span.from + i : span.slots[i]!;
      if (slot < 0) continue;
      const text = special?.get(slot);
      if (text !== undefined) throw this.refuse(shape, span, i, JSON.stringify(text.slice(0, 80)));
      if (absent !== undefined && getBit(absent, slot))
        throw this.refuse(shape, span, i, 'a value that the source did not send');
    }
  }

  /** The error for entry i of a span, whose row is the number of records that begin up to it. */
  private refuse(shape: Shape, span: Span, i: number, what: string): Error {
    let row = i;
    if (typeof span.rep !== 'number') {
      row = -1;
      for (let e = 0; e <= i; e++) if (span.rep[e] === 0) row++;
    }
    const at = this.firstRow + row;
    return parquetErrors.valueRefused(`column ${shape.name}, row ${at}: Parquet cannot hold ${what}`, {
      details: { column: shape.name, row: at },
    });
  }
}

/** Stands for a bitmap without a bit: every row of a null column. */
const NOTHING = new Uint8Array(0);

/** The entries of a list's items: an item each, or one entry that ends here for a list that is null or empty. */
function listSpan(span: Span, offsets: Int32Array, shape: Shape): Span {
  const { leafRep, count, from, slots } = { ...span, leafRep: repetitionOf(shape) };
  let entries = 0;
  for (let i = 0; i < count; i++) {
    const slot = slots === undefined ? from + i : slots[i]!;
    entries += slot < 0 ? 1 : Math.max(1, offsets[slot + 1]! - offsets[slot]!);
  }
  const def = new Uint8Array(entries);
  const rep = new Uint8Array(entries);
  const items = new Int32Array(entries);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const slot = slots === undefined ? from + i : slots[i]!;
    const level = typeof span.def === 'number' ? span.def : span.def[i]!;
    rep[at] = typeof span.rep === 'number' ? span.rep : span.rep[i]!;
    const first = slot < 0 ? 0 : offsets[slot]!;
    const end = slot < 0 ? 0 : offsets[slot + 1]!;
    if (first === end) {
      items[at] = -1;
      def[at++] = level;
      continue;
    }
    for (let item = first; item < end; item++) {
      if (item > first) rep[at] = leafRep;
      items[at] = item;
      def[at++] = level + 1;
    }
  }
  return { count: entries, from: 0, slots: items, def, rep };
}

/** The repetition level of a list's items. */
function repetitionOf(shape: Shape): number {
  let depth = 0;
  let node = shape;
  while (node.kind !== 'leaf') {
    if (node.kind === 'list') {
      depth++;
      node = node.item;
    } else {
      node = node.members[0]!;
    }
  }
  return node.leaf.maxRep - depth + 1;
}

/** Months, days or nanoseconds of intervals, as a column. */
function intervalPart(values: Uint8Array, length: number, part: number): Column {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  if (part === 2) {
    const nanos = new BigInt64Array(length);
    for (let i = 0; i < length; i++) nanos[i] = view.getBigInt64(i * 16 + 8, true);
    return { length, data: { layout: 'fixed', values: nanos } };
  }
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = view.getInt32(i * 16 + part * 4, true);
  return { length, data: { layout: 'fixed', values: numbers } };
}

function mismatch(shape: Shape, data: Layout): Error {
  return new TypeError(`column ${shape.name} has the layout ${data.layout}, which its type does not have`);
}

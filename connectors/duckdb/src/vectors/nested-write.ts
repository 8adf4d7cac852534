/** Lists, structs, maps and unions into vectors. */
import {
  type Bitmap,
  bitmapBytes,
  type Column,
  filledBitmap,
  getBit,
  type Layout,
  setBit,
} from '@sluice/sdk';
import type { Driver } from '../database/driver.js';
import type { Scratch } from './scratch.js';
import type { ValuesWriter, VectorWriter } from './vector-write.js';

/** A row of a list vector is where its items begin in the child vector and how many there are, as 64-bit integers. */
export function listWriter({ bindings }: Driver, scratch: Scratch, item: VectorWriter): ValuesWriter {
  return (vector, layout, from, count) => {
    const { offsets, child } = layout as Extract<Layout, { layout: 'list' }>;
    const start = offsets[from]!;
    const items = offsets[from + count]! - start;
    bindings.list_vector_reserve(vector, items);
    bindings.list_vector_set_size(vector, items);
    if (items > 0) item(bindings.list_vector_get_child(vector), child, start, items);
    scratch.reserve(count * 16);
    const { words } = scratch;
    for (let i = 0; i < count; i++) {
      const at = offsets[from + i]!;
      words[i * 4] = at - start;
      words[i * 4 + 1] = 0;
      words[i * 4 + 2] = offsets[from + i + 1]! - at;
      words[i * 4 + 3] = 0;
    }
    bindings.copy_data_to_vector(vector, 0, scratch.buffer, 0, count * 16);
  };
}

/** Writes the members; `self` writes the struct's own validity. */
export function structWriter(
  { bindings }: Driver,
  self: VectorWriter,
  members: readonly VectorWriter[],
): VectorWriter {
  return (vector, column, from, count) => {
    const children = column && membersOf(column);
    for (let m = 0; m < members.length; m++) {
      members[m]!(bindings.struct_vector_get_child(vector, m), children?.[m], from, count);
    }
    self(vector, column, from, count);
  };
}

/** A union is a struct whose first member is the tag, and whose members are null where they are not chosen. */
export function unionWriter(
  driver: Driver,
  self: VectorWriter,
  tag: VectorWriter,
  members: readonly VectorWriter[],
): VectorWriter {
  return structWriter(driver, self, [tag, ...members]);
}

const known = new WeakMap<Column, readonly Column[]>();

/**
 * The members of a struct or union as DuckDB wants them: null wherever the whole is null, since reading a member of
 * a null struct yields what the member's vector holds; in a union also wherever another one is chosen.
 */
function membersOf(column: Column): readonly Column[] {
  let members = known.get(column);
  if (members === undefined) {
    members = maskMembers(column);
    known.set(column, members);
  }
  return members;
}

function maskMembers({ length, validity, data }: Column): readonly Column[] {
  if (data.layout === 'struct') {
    return validity === undefined ? data.children : data.children.map((child) => masked(child, validity));
  }
  const { typeIds, children } = data as Extract<Layout, { layout: 'union' }>;
  const tags: Column = { length, data: { layout: 'fixed', values: new Uint8Array(typeIds) } };
  const chosen = children.map((child, m) => {
    const mine = new Uint8Array(bitmapBytes(length));
    for (let i = 0; i < length; i++) {
      if (typeIds[i] === m && (validity === undefined || getBit(validity, i))) setBit(mine, i);
    }
    return masked(child, mine);
  });
  return [validity === undefined ? tags : masked(tags, validity), ...chosen];
}

function masked(column: Column, keep: Bitmap): Column {
  if (column.data.layout === 'none') return column;
  const validity = column.validity ? column.validity.slice() : filledBitmap(column.length);
  for (let i = 0; i < validity.length; i++) validity[i]! &= keep[i]!;
  return { ...column, validity };
}

/**
 * From a Parquet schema to fields, and to the nodes by which leaves are put together into columns again. Knows the
 * two-level lists and nameless repeated groups of older writers:
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#nested-types
 */
import type { Field, LogicalType, TimeUnit } from '@sluice/sdk';
import { sound } from './damage.js';
import { Converted, Repetition, type SchemaElement } from './format.js';
import { type LeafConversion, leafType } from './leaf-type.js';

/** A column chunk's worth of the schema. */
export interface ReadLeaf {
  /** Which of a row group's column chunks it is. */
  readonly index: number;
  readonly path: string;
  readonly physical: number;
  readonly typeLength: number;
  readonly conversion: LeafConversion;
  readonly maxDef: number;
  readonly maxRep: number;
}

/** `def`: the definition level from which on the node has a value. `optional`: below that it is null. */
export type ReadNode =
  | { readonly kind: 'leaf'; readonly optional: boolean; readonly def: number; readonly leaf: ReadLeaf }
  | {
      /** `interval`: a group of months, days and nanoseconds that is one value. */
      readonly kind: 'struct' | 'interval';
      readonly optional: boolean;
      readonly def: number;
      readonly members: readonly ReadNode[];
    }
  | {
      readonly kind: 'list';
      readonly optional: boolean;
      readonly def: number;
      /** Repetition level of an item that is not the first. An item exists from definition level `itemDef` on. */
      readonly rep: number;
      readonly itemDef: number;
      readonly item: ReadNode;
    };

export interface ReadSchema {
  readonly fields: readonly Field[];
  /** A node per field. */
  readonly nodes: readonly ReadNode[];
  readonly leaves: readonly ReadLeaf[];
  readonly notes: readonly string[];
}

/** More levels than any sane schema has, and few enough for a level to fit a byte. */
const MOST_DEPTH = 60;

/** Reads a schema; throws Damage when it is not sound. */
export function readSchema(elements: readonly SchemaElement[], int96: TimeUnit): ReadSchema {
  const tree = new TreeReader(elements).root();
  const builder = new NodeBuilder(int96);
  const above: Place = { path: [], def: 0, rep: 0 };
  const read = tree.children.map((child) => builder.field(child, above));
  return {
    fields: read.map(({ field }) => field),
    nodes: read.map(({ node }) => node),
    leaves: builder.leaves,
    notes: builder.notes,
  };
}

interface Tree {
  readonly element: SchemaElement;
  readonly children: readonly Tree[];
}

/** The elements come depth first, each group with the number of its children. */
class TreeReader {
  private at = 0;
  constructor(private readonly elements: readonly SchemaElement[]) {}

  root(): Tree {
    const root = this.node(0);
    sound(this.at === this.elements.length, 'the schema has more elements than its groups hold');
    sound(root.children.length > 0, 'the schema has no columns');
    return root;
  }

  private node(depth: number): Tree {
    sound(depth <= MOST_DEPTH, 'the schema nests too deep');
    const element = this.elements[this.at++];
    sound(element !== undefined, 'the schema has fewer elements than its groups hold');
    const children: Tree[] = [];
    // A leaf may say that it has no children; a group without children has no place in the format.
    for (let i = 0; i < (element.children ?? 0); i++) children.push(this.node(depth + 1));
    sound(
      children.length > 0 || element.type !== undefined || depth === 0,
      `the group ${element.name} is empty`,
    );
    return { element, children };
  }
}

interface Place {
  readonly path: readonly string[];
  readonly def: number;
  readonly rep: number;
}
interface Read {
  readonly field: Field;
  readonly node: ReadNode;
}

class NodeBuilder {
  readonly leaves: ReadLeaf[] = [];
  readonly notes: string[] = [];
  constructor(private readonly int96: TimeUnit) {}

  /** A field of any repetition: a repeated one outside a list is a list of itself. */
  field(tree: Tree, above: Place): Read {
    const { element } = tree;
    const path = [...above.path, element.name];
    const { repetition = Repetition.REQUIRED } = element;
    if (repetition === Repetition.REPEATED) {
      const inside = { path, def: above.def + 1, rep: above.rep + 1 };
      const item = this.value(tree, inside, false);
      return listOf(element.name, item, { optional: false, def: above.def, place: inside });
    }
    const optional = repetition === Repetition.OPTIONAL;
    return this.value(tree, { path, def: above.def + (optional ? 1 : 0), rep: above.rep }, optional);
  }

  /** The value of a node at its own place, whatever its repetition. */
  private value(tree: Tree, place: Place, optional: boolean): Read {
    const { element, children } = tree;
    if (children.length === 0) return this.leaf(element, place, optional);
    const { logical, converted } = element;
    const isMap =
      logical?.kind === 'map' || converted === Converted.MAP || converted === Converted.MAP_KEY_VALUE;
    const [only] = children;
    if (children.length === 1 && only!.element.repetition === Repetition.REPEATED) {
      if (isMap && only!.children.length === 2) return this.map(element.name, only!, place, optional);
      if (isMap || logical?.kind === 'list' || converted === Converted.LIST) {
        return this.list(element.name, only!, place, optional);
      }
    }
    const members = children.map((child) => this.field(child, place));
    const type: LogicalType = { kind: 'struct', fields: members.map(({ field }) => field) };
    return {
      field: { name: element.name, type, nullable: optional },
      node: { kind: 'struct', optional, def: place.def, members: members.map(({ node }) => node) },
    };
  }

  private leaf(element: SchemaElement, place: Place, optional: boolean): Read {
    const { type, conversion, note } = leafType(element, this.int96);
    const path = place.path.join('.');
    if (note !== undefined) this.notes.push(`${path}: ${note}`);
    const leaf: ReadLeaf = {
      index: this.leaves.length,
      path,
      physical: element.type ?? -1,
      typeLength: element.typeLength ?? 0,
      conversion,
      maxDef: place.def,
      maxRep: place.rep,
    };
    this.leaves.push(leaf);
    return {
      field: { name: element.name, type, nullable: optional },
      node: { kind: 'leaf', optional, def: place.def, leaf },
    };
  }

  /** The repeated node below a LIST is the item itself in files of old, and a wrapper around it since. */
  private list(name: string, repeated: Tree, place: Place, optional: boolean): Read {
    const inside = { path: [...place.path, repeated.element.name], def: place.def + 1, rep: place.rep + 1 };
    const [only] = repeated.children;
    const isItem =
      repeated.children.length !== 1 ||
      only!.element.repetition === Repetition.REPEATED ||
      repeated.element.name === 'array' ||
      repeated.element.name === `${name}_tuple`;
    const item = isItem ? this.value(repeated, inside, false) : this.field(only!, inside);
    return listOf(name, item, { optional, def: place.def, place: inside });
  }

  private map(name: string, entry: Tree, place: Place, optional: boolean): Read {
    const inside = { path: [...place.path, entry.element.name], def: place.def + 1, rep: place.rep + 1 };
    const [key, value] = entry.children.map((child) => this.field(child, inside));
    const type: LogicalType = {
      kind: 'map',
      key: { ...key!.field, name: 'key' },
      value: { ...value!.field, name: 'value' },
    };
    const item: ReadNode = {
      kind: 'struct',
      optional: false,
      def: inside.def,
      members: [key!.node, value!.node],
    };
    return {
      field: { name, type, nullable: optional },
      node: { kind: 'list', optional, def: place.def, rep: inside.rep, itemDef: inside.def, item },
    };
  }
}

function listOf(name: string, item: Read, at: { optional: boolean; def: number; place: Place }): Read {
  const { optional, def, place } = at;
  return {
    field: { name, type: { kind: 'list', item: { ...item.field, name: 'item' } }, nullable: optional },
    node: { kind: 'list', optional, def, rep: place.rep, itemDef: place.def, item: item.node },
  };
}

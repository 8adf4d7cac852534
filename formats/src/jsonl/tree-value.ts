/** From JSON trees to values of a type. */
import {
  type LogicalType,
  parseDate,
  parseOffsetTimestamp,
  parseTime,
  parseTimestamp,
  Special,
  type Value,
} from '@sluice/sdk';
import { isDateSpecial, isNumberSpecial } from '../text/cell-decoder.js';
import { parseDuration, parseInterval } from '../text/durations.js';
import { JsonNumber, type JsonTree, treeText } from './tree.js';

/** What to do with members of objects that a struct does not have. */
export type ExtraMembers = 'fail' | 'ignore';

/** The value, or undefined when the tree is none of the type. Ranges are checked by whoever builds the column. */
export function treeValue(type: LogicalType, tree: JsonTree, extra: ExtraMembers): Value | undefined {
  if (tree === null) return type.kind === 'json' ? 'null' : null;
  switch (type.kind) {
    case 'json':
      return treeText(tree);
    case 'list':
      return Array.isArray(tree) ? allOf(tree.map((item) => member(type.item.type, item, extra))) : undefined;
    case 'struct':
      return tree instanceof Map ? structValue(type.fields, tree, extra) : undefined;
    case 'map':
      return mapValue(type.key.type, type.value.type, tree, extra);
    case 'union':
      return tree instanceof Map ? unionValue(type.variants, tree, extra) : undefined;
    case 'bool':
      return typeof tree === 'boolean' ? tree : undefined;
    default:
      return scalarValue(type, tree);
  }
}

/** As {@link treeValue}, but a JSON null in a json member is null: only a whole cell is a document of its own. */
function member(type: LogicalType, tree: JsonTree, extra: ExtraMembers): Value | undefined {
  return tree === null ? null : treeValue(type, tree, extra);
}

function allOf(values: readonly (Value | undefined)[]): readonly Value[] | undefined {
  return values.includes(undefined) ? undefined : (values as readonly Value[]);
}

function structValue(
  fields: readonly { readonly name: string; readonly type: LogicalType }[],
  tree: ReadonlyMap<string, JsonTree>,
  extra: ExtraMembers,
): Value | undefined {
  if (extra === 'fail' && [...tree.keys()].some((name) => !fields.some((f) => f.name === name)))
    return undefined;
  const value: { [name: string]: Value } = {};
  for (const { name, type } of fields) {
    const found = member(type, tree.get(name) ?? null, extra);
    if (found === undefined) return undefined;
    value[name] = found;
  }
  return value;
}

/** A map is an object, or a list of pairs where keys are no strings. */
function mapValue(
  key: LogicalType,
  value: LogicalType,
  tree: JsonTree,
  extra: ExtraMembers,
): Value | undefined {
  if (!(tree instanceof Map) && !Array.isArray(tree)) return undefined;
  const pairs: (readonly [JsonTree, JsonTree])[] = [];
  for (const pair of tree as Iterable<JsonTree | readonly [string, JsonTree]>) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    pairs.push(pair as [JsonTree, JsonTree]);
  }
  const entries = pairs.map(([k, v]) => {
    const isText = typeof k === 'string' && (key.kind === 'bool' || key.kind === 'json');
    const entry = allOf([isText ? keyText(key, k) : member(key, k, extra), member(value, v, extra)]);
    return entry?.[0] === null ? undefined : entry;
  });
  return allOf(entries);
}

/** Keys are always strings in objects, also of types that are none in JSON. */
function keyText(key: LogicalType, text: string): Value | undefined {
  if (key.kind === 'json') return text;
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

function unionValue(
  variants: readonly { readonly name: string; readonly type: LogicalType }[],
  tree: ReadonlyMap<string, JsonTree>,
  extra: ExtraMembers,
): Value | undefined {
  const [entry, ...others] = tree;
  const variant = variants.find(({ name }) => name === entry?.[0]);
  if (entry === undefined || variant === undefined || others.length > 0) return undefined;
  const value = member(variant.type, entry[1], extra);
  return value === undefined ? undefined : { tag: variant.name, value };
}

function scalarValue(type: LogicalType, tree: JsonTree): Value | undefined {
  if (typeof tree === 'object' && !(tree instanceof JsonNumber)) {
    return type.kind === 'string' || type.kind === 'native' ? treeText(tree) : undefined;
  }
  const text = tree instanceof JsonNumber ? tree.text : String(tree);
  switch (type.kind) {
    case 'string':
    case 'native':
    case 'enum':
    case 'uuid':
      return text;
    case 'int':
      if (!/^[+-]?\d+$/.test(text)) return undefined;
      return type.bits === 64 ? BigInt(text) : Number(text);
    case 'float':
      if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return Number(text);
      return isNumberSpecial(text) ? Number(text.replace(/inf(inity)?$/i, 'Infinity')) : undefined;
    case 'decimal':
      return isNumberSpecial(text) ? new Special(text) : text;
    case 'bytes':
      return /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? new Uint8Array(Buffer.from(text, 'base64')) : undefined;
    case 'interval':
      return parseInterval(text);
    case 'duration':
      return parseDuration(text, type.unit);
    default:
      return timeValue(type, text) ?? (isDateSpecial(text) ? new Special(text) : undefined);
  }
}

function timeValue(type: LogicalType, text: string): Value | undefined {
  if (type.kind === 'date') return parseDate(text);
  if (type.kind === 'time') return parseTime(text, type.unit);
  if (type.kind !== 'timestamp') return undefined;
  if (type.zone !== 'offset') return parseTimestamp(text, type.unit, type.zone);
  const parsed = parseOffsetTimestamp(text, type.unit);
  return parsed?.offset === undefined ? undefined : { at: parsed.at, offset: parsed.offset };
}

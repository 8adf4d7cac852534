/**
 * The fields that a file of this writer was written from, kept in its metadata: enum labels, intervals, durations
 * and kept offsets, for which Parquet has no types. They count only while they describe the schema that the file
 * has, so a file that another program changed is read by its schema alone.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Field, LogicalType } from '@sluice/sdk';
import type { SchemaElement } from './format.js';
import type { ReadNode } from './schema-read.js';
import { writeSchema } from './schema-write.js';

/** The key of the metadata. */
export const FIELDS_KEY = 'sluice.fields';

export function encodeFields(fields: readonly Field[]): string {
  return JSON.stringify(fields);
}

/** The fields that a file declares; undefined when it declares none, or others than it has. */
export function declaredFields(
  text: string | undefined,
  elements: readonly SchemaElement[],
): Field[] | undefined {
  if (text === undefined) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(text);
    if (!Array.isArray(fields) || !fields.every(isField)) return undefined;
    // The same fields lead to the same schema.
    const [, ...wanted] = writeSchema(fields).elements;
    const [, ...found] = elements;
    return isDeepStrictEqual(wanted.map(comparable), found.map(comparable)) ? fields : undefined;
  } catch {
    // No JSON, or a type that has no place in Parquet.
    return undefined;
  }
}

/** Metadata is anybody's text, so it is looked at in full before it counts as fields. */
function isField(value: unknown): value is Field {
  if (!isObject(value)) return false;
  const { name, type, nullable, native } = value;
  const named = typeof name === 'string' && typeof nullable === 'boolean';
  return named && (native === undefined || typeof native === 'string') && isObject(type) && isType(type);
}

const PLAIN_KINDS = new Set(['null', 'bool', 'string', 'bytes', 'uuid', 'date', 'interval']);

function isType(type: { readonly [key: string]: unknown }): boolean {
  const { kind } = type;
  const one = (key: string, ...allowed: unknown[]) => allowed.includes(type[key]);
  switch (kind) {
    case 'int':
      return one('bits', 8, 16, 32, 64) && typeof type['signed'] === 'boolean';
    case 'float':
      return one('bits', 32, 64);
    case 'decimal':
      if (type['precision'] === undefined) return type['scale'] === undefined;
      return Number.isInteger(type['precision']) && Number.isInteger(type['scale']);
    case 'time':
    case 'duration':
      return one('unit', 'us', 'ns');
    case 'timestamp':
      return one('unit', 'us', 'ns') && one('zone', 'utc', 'none', 'offset');
    case 'json':
      return one('text', 'raw', 'normalised');
    case 'native':
      return typeof type['name'] === 'string';
    case 'enum':
      return Array.isArray(type['values']) && type['values'].every((value) => typeof value === 'string');
    case 'list':
      return isField(type['item']);
    case 'map':
      return isField(type['key']) && isField(type['value']);
    case 'struct':
      return Array.isArray(type['fields']) && type['fields'].every(isField);
    default:
      return typeof kind === 'string' && PLAIN_KINDS.has(kind);
  }
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null;
}

function comparable({
  name,
  type,
  typeLength,
  repetition,
  children,
  converted,
  scale,
  precision,
  logical,
}: SchemaElement) {
  return {
    name,
    type,
    typeLength,
    repetition,
    children: children || undefined,
    converted,
    scale,
    precision,
    logical,
  };
}

/** A node as the declared type has it: an interval is one value, not a struct of three. */
export function declaredNode(node: ReadNode, type: LogicalType): ReadNode {
  if (node.kind === 'list' && type.kind === 'list')
    return { ...node, item: declaredNode(node.item, type.item.type) };
  if (node.kind === 'list' && type.kind === 'map') {
    return { ...node, item: declaredNode(node.item, { kind: 'struct', fields: [type.key, type.value] }) };
  }
  if (node.kind !== 'struct') return node;
  if (type.kind === 'interval') return { ...node, kind: 'interval' };
  if (type.kind !== 'struct') return node;
  return { ...node, members: node.members.map((member, i) => declaredNode(member, type.fields[i]!.type)) };
}

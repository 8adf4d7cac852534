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
  let fields: Field[];
  try {
    fields = JSON.parse(text) as Field[];
    // The same fields lead to the same schema; whatever is no fields leads to none at all.
    const [, ...wanted] = writeSchema(fields).elements;
    const [, ...found] = elements;
    if (!isDeepStrictEqual(wanted.map(comparable), found.map(comparable))) return undefined;
  } catch {
    return undefined;
  }
  return fields;
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

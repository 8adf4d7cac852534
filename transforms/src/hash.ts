/** `hash`: one digest of several columns, such as a key for rows that have none. */
import { createHash } from 'node:crypto';
import {
  type Batch,
  type Column,
  columnBuilder,
  defineTransform,
  type Field,
  fieldIndex,
  formatType,
  type LogicalType,
  types,
  UNCHANGED,
  type Unchanged,
  type Value,
  valueReader,
} from '@sluice/sdk';
import { z } from 'zod';
import { textOfValue } from './cast/value-text.js';
import { columnIndex, deriveColumns, type MapColumns, madeField, schemaOf } from './derive.js';
import { expressionErrors, transformErrors } from './errors.js';
import { filledColumn } from './inputs.js';
import { NOT_SENT } from './kernels/from-column.js';
import { hasText } from './mask-text.js';
import { rowError } from './row-error.js';

/**
 * The digest is that of the columns' texts, each behind its length in bytes and a colon, a null as a hyphen: no two
 * different rows are one text. In SQL, for columns a and b of types that it prints as plans do (text, integers, uuid,
 * decimals with a scale, dates):
 * `sha256(convert_to(coalesce(octet_length(a::text) || ':' || a::text, '-') || coalesce(octet_length(b::text) || ':' || b::text, '-'), 'UTF8'))`.
 * It is not keyed: who knows the values can compute it, which `mask` prevents.
 */
export const hashTransform = defineTransform({
  name: 'hash',
  title: 'Adds a digest of several columns, such as a key for rows that have none',
  options: z.strictObject({
    columns: z.array(z.string()).min(1).describe('The columns, in this order.'),
    into: z.string().min(1).describe('The column that gets the digest; a new one, at the end.'),
    method: z.enum(['sha256', 'md5']).default('sha256').describe('How it is computed.'),
    key: z
      .boolean()
      .default(false)
      .describe('Make the digest the key of the stream, in place of the one that it has.'),
  }),
  errors: transformErrors,
  bind(schema, { columns, into, method, key }) {
    const indices = columns.map((name) => columnIndex('hash', schema, name));
    for (const i of indices) {
      const { name, type } = schema.fields[i]!;
      if (hasText(type) && type.kind !== 'bytes') continue;
      const what = `hash: ${schema.stream}.${name} is ${formatType(type)}, which has no one text`;
      throw transformErrors.wrongType(what, { details: { stream: schema.stream, column: name } });
    }
    if (fieldIndex(schema, into) >= 0) {
      throw transformErrors.duplicateColumn(`hash: ${schema.stream} would have two columns "${into}"`, {
        details: { stream: schema.stream, column: into },
      });
    }
    const inputs = indices.map((i) => schema.fields[i]!);
    const digest = madeField({ name: into, type: types.string, nullable: false }, inputs);
    const fields: Field[] = [...schema.fields, digest];
    const out = schemaOf('hash', schema, fields, key ? [into] : schema.key);
    const columnsOf: MapColumns = (batch, image) => [
      ...schema.fields.map((_, i) => i),
      () => digests(batch, indices, method, into, image === 'before' ? image : key ? 'key' : 'value'),
    ];
    const keyAlone = columns.every((name) => schema.key.includes(name));
    const made = key ? (keyAlone ? 'from key' : 'from row') : 'kept';
    return {
      out,
      reads: columns,
      writes: [into],
      needs: { after: key || columns.length > 1 ? columns : [], before: key ? columns : [] },
      rung: 'columns',
      apply: (batch) => [deriveColumns(batch, out, columnsOf, made)],
    };
  },
});

function digests(
  batch: Batch,
  indices: readonly number[],
  method: string,
  into: string,
  role: 'key' | 'value' | 'before',
): Column {
  const readers = indices.map((i) => {
    const { type } = batch.schema.fields[i]!;
    const read = valueReader(type, filledColumn(batch, i));
    return (row: number) => partOf(type, read(row));
  });
  const builder = columnBuilder({ name: into, type: types.string, nullable: true }, batch.rowCount);
  for (let row = 0; row < batch.rowCount; row++) {
    const texts = readers.map((read) => read(row));
    if (!texts.includes(UNCHANGED)) {
      builder.append(createHash(method).update(texts.map(String).join('')).digest('hex'));
    } else if (role === 'before' || (role === 'value' && mayBeAbsent(batch, row, texts))) {
      builder.append(UNCHANGED);
    } else throw rowError(expressionErrors.notSent, batch, into, row, NOT_SENT);
  }
  return builder.finish();
}

/** Of a deleted row only the key matters; and where nothing was sent, nothing has changed. */
function mayBeAbsent(batch: Batch, row: number, texts: readonly (string | Unchanged)[]): boolean {
  return batch.opAt(row) === 'delete' || texts.every((text) => text === UNCHANGED);
}

function partOf(type: LogicalType, value: Value): string | Unchanged {
  if (value === UNCHANGED) return UNCHANGED;
  if (value === null) return '-';
  const text = textOfValue(type, value) ?? '';
  return `${Buffer.byteLength(text)}:${text}`;
}

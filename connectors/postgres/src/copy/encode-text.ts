/** Columns that become text first: types that have no column of their own in the target. */
import { type Column, documentText, isValid, type LogicalType, type Value, valueReader } from '@sluice/sdk';
import { valueText } from '../types/value-text.js';
import type { ColumnEncoder } from './column-encoder.js';
import { encodeText } from './encode-varlen.js';

const NESTED = new Set<LogicalType['kind']>(['list', 'struct', 'map', 'union']);

/**
 * Encodes the text of values by `encoder`, as PostgreSQL writes them; nested types as JSON documents, or lists as
 * arrays where the text is for an array.
 */
export function asText(
  type: LogicalType,
  encoder: ColumnEncoder = encodeText,
  nested: 'json' | 'postgres' = 'json',
): ColumnEncoder {
  const text = nested === 'json' && NESTED.has(type.kind) ? documentText : valueText;
  return {
    ...encoder,
    prepare(column) {
      const texts = textColumn(type, column, text);
      return encoder.prepare?.(texts) ?? texts;
    },
  };
}

function textColumn(
  type: LogicalType,
  column: Column,
  text: (type: LogicalType, value: Value) => string,
): Column {
  const read = valueReader(type, column);
  const offsets = new Int32Array(column.length + 1);
  let data: Buffer = Buffer.allocUnsafe(column.length * 16 + 64);
  let end = 0;
  for (let i = 0; i < column.length; i++) {
    if (isValid(column, i)) {
      const value = text(type, read(i));
      const most = end + value.length * 3;
      if (most > data.length) data = Buffer.concat([data.subarray(0, end)], Math.max(most, data.length * 2));
      end += data.write(value, end);
    }
    offsets[i + 1] = end;
  }
  return { ...column, data: { layout: 'varlen', offsets, data: data.subarray(0, end) } };
}

/** The instants of timestamps that keep an offset. */
export function offsetAsUtc(column: Column): Column {
  if (column.data.layout !== 'struct') throw new TypeError(`a ${column.data.layout} column, not a struct`);
  return { ...column, data: column.data.children[0]!.data };
}

/** From a column's spec to its field. */
import { type Field, field, type LogicalType, types } from '@sluice/sdk';
import type { ColumnSpec } from './column-spec.js';

/** The field that a spec generates. Columns that can be null or special are nullable. */
export function fieldOf(name: string, spec: ColumnSpec): Field {
  return field(name, typeOf(spec), { nullable: mayBeNull(spec) });
}

/** Whether a column can have rows without a value. */
export function mayBeNull(spec: ColumnSpec): boolean {
  return spec.type === 'null' || ('nulls' in spec && spec.nulls !== undefined) || 'special' in spec;
}

function typeOf(spec: ColumnSpec): LogicalType {
  switch (spec.type) {
    case 'sequence':
      return types.int64;
    case 'int':
      return { kind: 'int', bits: spec.bits, signed: spec.signed };
    case 'float':
      return { kind: 'float', bits: spec.bits };
    case 'decimal':
      return types.decimal(spec.precision, spec.scale);
    case 'text':
    case 'words':
      return types.string;
    case 'pick':
      return spec.as === 'enum' ? types.enumOf(...new Set(spec.values)) : types.string;
    case 'time':
    case 'duration':
      return { kind: spec.type, unit: spec.unit };
    case 'timestamp':
      return { kind: 'timestamp', unit: spec.unit, zone: spec.zone };
    case 'json':
      return types.json;
    case 'native':
      return types.native(spec.name);
    case 'list':
      return { kind: 'list', item: fieldOf('item', spec.item) };
    case 'struct':
      return types.struct(fieldsOf(spec.fields));
    case 'map':
      return {
        kind: 'map',
        key: { ...fieldOf('key', spec.key), nullable: false },
        value: fieldOf('value', spec.value),
      };
    case 'union':
      return { kind: 'union', variants: fieldsOf(spec.variants) };
    default:
      return { kind: spec.type };
  }
}

/** Fields of specs by name, in the order in which they are written. */
export function fieldsOf(specs: { readonly [name: string]: ColumnSpec }): Field[] {
  return Object.entries(specs).map(([name, spec]) => fieldOf(name, spec));
}

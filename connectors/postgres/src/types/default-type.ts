/** The type that a logical type gets in a table that we create. */
import { formatType, type LogicalType } from '@sluice/sdk';

/** Digits that a numeric can have declared. */
const MOST_DIGITS = 1000;

export interface DefaultType {
  readonly name: string;
  readonly note?: string;
}

export function defaultType(type: LogicalType): DefaultType {
  switch (type.kind) {
    case 'null':
      return { name: 'text', note: 'no row has a value' };
    case 'bool':
      return { name: 'boolean' };
    case 'int':
      return { name: integerType(type.bits, type.signed) };
    case 'float':
      return { name: type.bits === 32 ? 'real' : 'double precision' };
    case 'decimal':
      return { name: decimalType(type.precision, type.scale ?? 0) };
    case 'string':
    case 'enum':
      return { name: 'text' };
    case 'bytes':
      return { name: 'bytea' };
    case 'uuid':
    case 'date':
    case 'interval':
      return { name: type.kind };
    case 'duration':
      return { name: 'interval' };
    case 'time':
      return { name: 'time without time zone' };
    case 'timestamp':
      return { name: type.zone === 'none' ? 'timestamp without time zone' : 'timestamp with time zone' };
    case 'json':
      return { name: type.text === 'raw' ? 'json' : 'jsonb' };
    case 'list':
      return listType(type.item.type);
    case 'struct':
    case 'map':
    case 'union':
      return { name: 'jsonb' };
    case 'native':
      return { name: 'text', note: `${type.name} is no type of this database` };
  }
}

function integerType(bits: number, signed: boolean): string {
  if (bits === 8 || (bits === 16 && signed)) return 'smallint';
  if (bits === 16 || (bits === 32 && signed)) return 'integer';
  return bits === 32 || signed ? 'bigint' : 'numeric(20,0)';
}

function decimalType(precision: number | undefined, scale: number): string {
  return precision === undefined || precision > MOST_DIGITS ? 'numeric' : `numeric(${precision},${scale})`;
}

/** Arrays of scalars; what cannot be an element becomes a document. */
function listType(item: LogicalType): DefaultType {
  const nested = new Set<LogicalType['kind']>(['list', 'struct', 'map', 'union', 'native', 'null']);
  if (nested.has(item.kind)) return { name: 'jsonb', note: `a list of ${formatType(item)} as a document` };
  return { name: `${defaultType(item).name}[]` };
}

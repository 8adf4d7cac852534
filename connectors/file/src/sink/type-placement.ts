/** What becomes of each logical type in each file format. */
import { formatType, type LogicalType, sdkErrors, type Verdict } from '@sluice/sdk';

export interface Placement {
  /** The format's own word for the type. */
  readonly to: string;
  readonly verdict: Verdict;
  readonly note?: string;
}

/** Throws `SLUICE-SDK-0002` where the format has no place for the type. */
export function placementOf(type: LogicalType, format: 'parquet' | 'csv' | 'jsonl'): Placement {
  if (format === 'parquet') {
    if (holdsUnion(type)) throw sdkErrors.notSupported(`Parquet has no place for ${formatType(type)}`);
    return inParquet(type);
  }
  if (format === 'csv') return { to: 'text', verdict: 'widening' };
  return inJson(type);
}

/** Parquet's logical types: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md */
function inParquet(type: LogicalType): Placement {
  switch (type.kind) {
    case 'decimal':
      return type.precision === undefined || type.precision > 38
        ? { to: 'string', verdict: 'widening' }
        : { to: formatType(type), verdict: 'exact' };
    case 'interval':
      return { to: 'struct<months, days, nanos>', verdict: 'widening' };
    case 'duration':
      return { to: 'int64', verdict: 'widening' };
    case 'timestamp':
      return { to: type.zone === 'offset' ? 'struct<at, offset>' : formatType(type), verdict: 'exact' };
    case 'enum':
    case 'native':
      return { to: 'string', verdict: 'widening' };
    case 'null':
      return { to: 'null', verdict: 'exact' };
    default:
      return { to: formatType(type), verdict: 'exact' };
  }
}

function inJson(type: LogicalType): Placement {
  switch (type.kind) {
    case 'bool':
    case 'string':
    case 'json':
    case 'list':
    case 'struct':
    case 'null':
      return { to: formatType(type), verdict: 'exact' };
    case 'int':
    case 'float':
    case 'decimal':
      return { to: 'number', verdict: 'exact' };
    default:
      return { to: 'string', verdict: 'widening' };
  }
}

function holdsUnion(type: LogicalType): boolean {
  switch (type.kind) {
    case 'union':
      return true;
    case 'list':
      return holdsUnion(type.item.type);
    case 'map':
      return holdsUnion(type.key.type) || holdsUnion(type.value.type);
    case 'struct':
      return type.fields.some((member) => holdsUnion(member.type));
    default:
      return false;
  }
}

/** What becomes of each logical type in each file format. */
import { formatType, type LogicalType, type Verdict } from '@sluice/sdk';

export interface Placement {
  /** The format's own word for the type. */
  readonly to: string;
  readonly verdict: Verdict;
  readonly note?: string;
}

export function placementOf(type: LogicalType, format: 'parquet' | 'csv' | 'jsonl'): Placement {
  if (format === 'parquet') return inParquet(type);
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

/** Logical types in DuckDB's words: the type of a column, and what the mapping does to values. */
import {
  DECIMAL128_DIGITS,
  type Field,
  formatType,
  type LogicalType,
  type TypeVerdict,
  type Verdict,
  worst,
} from '@sluice/sdk';
import { duckdbErrors } from '../errors.js';
import { folded, quote } from './identifiers.js';

export interface ColumnType {
  /** As DuckDB itself would print it, so that it can be compared with the catalog's. */
  readonly sql: string;
  readonly verdict: Verdict;
  readonly note?: string;
}

const exact = (sql: string): ColumnType => ({ sql, verdict: 'exact' });
const widening = (sql: string, note: string): ColumnType => ({ sql, verdict: 'widening', note });

/** The DuckDB type of a field. Throws `SLUICE-DUCKDB-0018` where there is none. */
export function columnType(type: LogicalType): ColumnType {
  switch (type.kind) {
    case 'null':
      return widening('VARCHAR', 'a column without values gets a type that can be widened to');
    case 'bool':
      return exact('BOOLEAN');
    case 'int':
      return exact(
        `${type.signed ? '' : 'U'}${{ 8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT' }[type.bits]}`,
      );
    case 'float':
      return exact(type.bits === 32 ? 'FLOAT' : 'DOUBLE');
    case 'decimal':
      return decimalType(type);
    case 'string':
      return exact('VARCHAR');
    case 'bytes':
      return exact('BLOB');
    case 'uuid':
      return exact('UUID');
    case 'date':
      return exact('DATE');
    case 'time':
      return exact(type.unit === 'us' ? 'TIME' : 'TIME_NS');
    case 'timestamp':
      return timestampType(type);
    case 'interval':
      return { sql: 'INTERVAL', verdict: 'exact', note: 'kept to the microsecond; a finer value is refused' };
    case 'duration':
      if (type.unit === 'us') return widening('INTERVAL', 'an interval of microseconds');
      return widening('BIGINT', 'a number of nanoseconds');
    case 'json':
      return exact('JSON');
    case 'enum':
      // DuckDB's own ENUM cannot take a new label without being made anew; its storage of a VARCHAR of few values
      // is a dictionary all the same.
      return widening('VARCHAR', 'labels as text, so that new ones need no change of the table');
    case 'native':
      return widening('VARCHAR', `the text of ${type.name}`);
    default:
      return nestedType(type);
  }
}

function decimalType(type: LogicalType & { kind: 'decimal' }): ColumnType {
  const { precision, scale = 0 } = type;
  if (precision === undefined) return widening('VARCHAR', 'exact text: DuckDB has no decimal without bounds');
  if (precision > DECIMAL128_DIGITS || scale < 0 || scale > precision) {
    return widening(
      'VARCHAR',
      'exact text: DuckDB’s decimals have at most 38 digits, and scales within them',
    );
  }
  return exact(`DECIMAL(${precision},${scale})`);
}

function timestampType(type: LogicalType & { kind: 'timestamp' }): ColumnType {
  if (type.zone === 'none') return exact(type.unit === 'us' ? 'TIMESTAMP' : 'TIMESTAMP_NS');
  const instant: ColumnType =
    type.unit === 'us'
      ? exact('TIMESTAMP WITH TIME ZONE')
      : {
          sql: 'TIMESTAMP WITH TIME ZONE',
          verdict: 'lossy',
          note: 'instants are kept to the microsecond; nanoseconds are cut off',
        };
  if (type.zone === 'utc') return instant;
  return { ...instant, sql: `STRUCT("at" ${instant.sql}, "offset" SMALLINT)` };
}

function nestedType(type: LogicalType): ColumnType {
  switch (type.kind) {
    case 'list':
      return wrapped([type.item], ([item]) => `${item}[]`);
    case 'map':
      return wrapped([type.key, type.value], ([key, value]) => `MAP(${key}, ${value})`);
    case 'struct':
      return wrapped(type.fields, (members) => `STRUCT(${named(type.fields, members)})`);
    case 'union':
      return wrapped(type.variants, (members) => `UNION(${named(type.variants, members)})`);
    default:
      throw duckdbErrors.noPlace(`${formatType(type)} has no counterpart`);
  }
}

/** A type of members: as good as the worst of them. */
function wrapped(fields: readonly Field[], sql: (members: string[]) => string): ColumnType {
  const inner = fields.map((f) => columnType(f.type));
  const notes = [...new Set(inner.flatMap(({ note }) => note ?? []))];
  return {
    sql: sql(inner.map((member) => member.sql)),
    verdict: inner.reduce<Verdict>((verdict, member) => worst(verdict, member.verdict), 'exact'),
    ...(notes.length > 0 && { note: notes.join('; ') }),
  };
}

function named(fields: readonly Field[], members: readonly string[]): string {
  if (fields.length === 0) throw duckdbErrors.noPlace('a struct or union without members has no counterpart');
  const seen = new Set<string>();
  for (const { name } of fields) {
    if (name === '' || seen.has(folded(name))) {
      throw duckdbErrors.nameRefused(
        `member ${JSON.stringify(name)}: names of members must differ, whatever their case`,
      );
    }
    seen.add(folded(name));
  }
  return fields.map((f, i) => `${quote(f.name)} ${members[i]}`).join(', ');
}

/** The mapping of a column, for plans. */
export function columnVerdict(f: Field): TypeVerdict {
  const { sql, verdict, note } = columnType(f.type);
  return { column: f.name, from: formatType(f.type), to: sql, verdict, ...(note !== undefined && { note }) };
}

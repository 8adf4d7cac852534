/** Names and texts inside SQL. */
import { pgErrors } from './errors.js';

/** An identifier, quoted whatever it holds. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal. Sessions have standard_conforming_strings on, so that a backslash is itself. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** An array of texts, as a parameter of type text[]. */
export function textArray(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** A relation by schema and name. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** A relation as SQL names it. */
export function qualified({ schema, table }: TableName): string {
  return `${ident(schema)}.${ident(table)}`;
}

/**
 * The name of a stream: `schema.table`, each part as it is, case and all; a part that holds a dot or a double quote,
 * or nothing, stands in double quotes with those inside doubled: `public."odd.name"`.
 */
export function streamName({ schema, table }: TableName): string {
  return `${namePart(schema)}.${namePart(table)}`;
}

function namePart(part: string): string {
  return part === '' || /[."]/.test(part) ? ident(part) : part;
}

/** What {@link streamName} wrote; with a default schema, `table` alone is enough. Throws `SLUICE-PG-0022`. */
export function parseStreamName(name: string, defaultSchema?: string): TableName {
  const parts = nameParts(name);
  if (parts?.length === 2) return { schema: parts[0]!, table: parts[1]! };
  if (parts?.length === 1 && defaultSchema !== undefined) return { schema: defaultSchema, table: parts[0]! };
  throw pgErrors.badName(`${JSON.stringify(name)} is no name of a table`);
}

function nameParts(name: string): string[] | undefined {
  const parts: string[] = [];
  const part = /(?:"((?:[^"]|"")*)"|([^".]+))(\.|$)/suy;
  for (;;) {
    const match = part.exec(name);
    if (match === null) return undefined;
    const text = match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"');
    if (text === '') return undefined;
    parts.push(text);
    if (match[3] === '') return parts;
  }
}

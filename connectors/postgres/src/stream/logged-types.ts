/** Types of logged columns, which the log names by number only; looked up when a table first has them. */
import type { Context } from '@sluice/sdk';
import type { Connections } from '../connection/connections.js';
import { pgErrors } from '../errors.js';
import { type NativeType, nativeType } from '../types/native-type.js';
import { TypeCatalog } from '../types/type-catalog.js';
import type { LoggedColumn, LoggedRelation } from './logged-relation.js';

export class LoggedTypes {
  private readonly known = new Map<string, NativeType>();

  constructor(
    private readonly connections: Connections,
    private readonly c: Context,
  ) {}

  /** The types of the columns, in order. Throws `SLUICE-PG-0019` for a type that was dropped since. */
  async of({ columns, schema, table }: LoggedRelation): Promise<readonly NativeType[]> {
    const unknown = columns.filter((column) => !this.known.has(keyOf(column)));
    if (unknown.length > 0) await this.load(unknown, `${schema}.${table}`);
    return columns.map((column) => this.known.get(keyOf(column))!);
  }

  private load(columns: readonly LoggedColumn[], table: string): Promise<void> {
    return this.connections.using(this.c, async (session) => {
      const names = columns.map(
        ({ type, modifier }) =>
          `CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_type WHERE oid = ${type}) THEN pg_catalog.format_type(${type}, ${modifier}) END`,
      );
      const [row] = await session.rows(`SELECT ${names.join(', ')}`);
      const gone = columns.find((_, i) => row![i] === null);
      if (gone !== undefined) {
        throw pgErrors.missing(`the type of column ${gone.name} of ${table} is not there any more`, {
          details: { stream: table },
        });
      }
      const catalog = new TypeCatalog(session);
      await catalog.load(columns.map(({ type }) => type));
      for (const [i, column] of columns.entries()) {
        const { type, modifier } = column;
        this.known.set(keyOf(column), nativeType(row![i]!, type, modifier, catalog, session.version));
      }
    });
  }
}

function keyOf({ type, modifier }: LoggedColumn): string {
  return `${type}/${modifier}`;
}

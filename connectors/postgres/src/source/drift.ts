/** Whether a table still is as it was planned. */
import type { StreamSchema } from '@sluice/sdk';
import { pgErrors } from '../errors.js';
import type { RelationColumn } from './relation.js';

/** The live columns of the planned fields, in the schema's order, and what is not as it was planned. */
export function compareColumns(
  schema: StreamSchema,
  live: readonly RelationColumn[],
): { readonly columns: readonly RelationColumn[]; readonly differences: readonly string[] } {
  const byName = new Map(live.map((column) => [column.name, column]));
  const differences: string[] = [];
  const columns = schema.fields.flatMap((f) => {
    const column = byName.get(f.name);
    byName.delete(f.name);
    if (column === undefined) {
      differences.push(`column ${f.name} is gone`);
      return [];
    }
    if (f.native !== undefined && column.type.name !== f.native) {
      differences.push(`column ${f.name} was ${f.native} and is ${column.type.name}`);
    }
    if (column.nullable && !f.nullable) differences.push(`column ${f.name} may be null now`);
    return [column];
  });
  for (const name of byName.keys()) differences.push(`column ${name} is new`);
  return { columns, differences };
}

/** The live columns of the planned fields, in the schema's order. Throws `SLUICE-PG-0020` when they differ. */
export function plannedColumns(
  schema: StreamSchema,
  live: readonly RelationColumn[],
): readonly RelationColumn[] {
  const { columns, differences } = compareColumns(schema, live);
  if (differences.length > 0) {
    throw pgErrors.schemaDrift(
      `${schema.stream} has changed since it was planned: ${differences.join('; ')}`,
      {
        details: { stream: schema.stream, differences: [...differences] },
      },
    );
  }
  return columns;
}

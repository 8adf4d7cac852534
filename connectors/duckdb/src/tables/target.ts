/** Which tables a plan means, and what they should look like. */
import { createHash } from 'node:crypto';
import {
  type Field,
  type Fill,
  isGenerational,
  type SaveMode,
  type SinkJob,
  type StreamSchema,
  type TablePlan,
} from '@sluice/sdk';
import { duckdbErrors } from '../errors.js';
import { columnType } from './column-type.js';
import { folded, isOwn, OWN_PREFIX, qualified, quote, type TableName } from './identifiers.js';

/** What the sink keeps in a plan for its other verbs. */
export interface TargetDetail extends TableName {
  readonly save: SaveMode;
  /** Columns that the table lacks, and what the rows that are there get in them. */
  readonly fills?: readonly FillText[];
}

export interface FillText extends Pick<Fill, 'column' | 'id'> {
  /** What DuckDB casts to the value. */
  readonly text: string;
}

/** A column as it should be. */
export interface WantedColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

export function targetOf(plan: TablePlan): TargetDetail {
  return plan.detail as unknown as TargetDetail;
}

/** The columns that a schema asks for. Throws `SLUICE-DUCKDB-0017` for names that DuckDB cannot tell apart. */
export function wantedColumns(schema: StreamSchema): WantedColumn[] {
  const seen = new Map<string, string>();
  for (const { name } of schema.fields) {
    const same = seen.get(folded(name));
    if (same !== undefined) {
      throw duckdbErrors.nameRefused(
        `${schema.stream}: columns ${same} and ${name} would be one column in DuckDB`,
      );
    }
    if (name === '' || name.includes('\0') || isOwn(name)) {
      throw duckdbErrors.nameRefused(`${schema.stream}: a column cannot be called ${JSON.stringify(name)}`);
    }
    seen.set(folded(name), name);
  }
  return schema.fields.map((f) => ({
    name: f.name,
    type: columnType(f.type).sql,
    nullable: nullable(f, schema),
  }));
}

function nullable(f: Field, schema: StreamSchema): boolean {
  return f.nullable && !schema.key.includes(f.name);
}

/** What the names of a stream's generation tables begin with, whatever the generation. */
export function stagingPrefix(job: SinkJob, plan: TablePlan): string {
  const hash = createHash('sha256').update(`${job.id}\0${plan.stream}`).digest('hex').slice(0, 8);
  return `${OWN_PREFIX}${hash}_g`;
}

/** The table that a generation is loaded into before it is shown. */
export function stagingTable(job: SinkJob, plan: TablePlan, generation: number): TableName {
  const { schema, table } = targetOf(plan);
  return { schema, table: `${stagingPrefix(job, plan)}${generation}_${table}` };
}

/** The table that rows of a generation are written to. */
export function writtenTable(job: SinkJob, plan: TablePlan, generation: number): TableName {
  return isGenerational(plan.write) ? stagingTable(job, plan, generation) : targetOf(plan);
}

/** The statement that makes a table. */
export function createTableSql(name: TableName, columns: readonly WantedColumn[]): string {
  const lines = columns.map(
    (column) => `${quote(column.name)} ${column.type}${column.nullable ? '' : ' NOT NULL'}`,
  );
  return `CREATE TABLE ${qualified(name)} (${lines.join(', ')})`;
}

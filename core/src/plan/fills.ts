/** Columns that come with one value for the rows that are there: of which streams that is asked, and which sinks are told. */
import { type Context, type Fill, fieldIndex, type Source, type StreamSchema, sameType } from '@sluice/sdk';
import type { KnownSchema } from '../ledger/known-schema.js';
import type { StreamPlan } from './flow-plan.js';
import { schemaDifference } from './schema-policy.js';

/** Those of the columns that are new since `known` and that transforms leave as they are. */
export async function newFills(
  { catalog, read, transforms }: Pick<StreamPlan, 'catalog' | 'read' | 'transforms'>,
  known: KnownSchema | undefined,
  source: Source,
  context: Context,
): Promise<readonly Fill[]> {
  if (read.mode !== 'cdc' || known?.mark === undefined || source.fills === undefined) return [];
  const out = transforms.at(-1)?.out ?? read.schema;
  const { filled = [] } = catalog;
  const touched = new Set(transforms.flatMap(({ reads, writes }) => [...reads, ...writes]));
  const isRouted = transforms.some(({ routes }) => routes !== undefined);
  const columns = schemaDifference(known, out).added.filter(
    (name) => filled.includes(name) && !touched.has(name) && !isRouted && isSame(name, read.schema, out),
  );
  return columns.length === 0 ? [] : source.fills(read.schema, columns, known.mark, context);
}

/** Those that a target can be told: it gets the columns as they are read. */
export function fillsFor(
  fills: readonly Fill[],
  read: StreamSchema,
  arriving: StreamSchema,
): readonly Fill[] {
  return fills.filter(({ column }) => isSame(column, read, arriving));
}

function isSame(column: string, a: StreamSchema, b: StreamSchema): boolean {
  const [one, other] = [a, b].map((schema) => schema.fields[fieldIndex(schema, column)]);
  return one !== undefined && other !== undefined && sameType(one.type, other.type);
}

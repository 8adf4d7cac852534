/**
 * Whether the rows that targets have from before lack what the source has in them since a stream's shape has changed:
 * values that no change tells. Such a stream has to be copied once more.
 */
import type { KnownSchema } from '../ledger/known-schema.js';
import { arrivingSchema, type StreamPlan } from './flow-plan.js';
import { schemaDifference } from './schema-policy.js';

/** `known`: the shape in which rows have arrived so far. `begun`: the sinks that have some. */
export function leavesRowsStale(known: KnownSchema, plan: StreamPlan, begun: ReadonlySet<string>): boolean {
  const { read, catalog } = plan;
  // Without a copy there is none to make anew.
  if (read.mode !== 'cdc' || read.from !== undefined) return false;
  const { added, gone, changed } = schemaDifference(known, arrivingSchema(plan));
  // A column that goes where another comes may be the same under a new name.
  if (changed.length > 0 || (added.length > 0 && gone.length > 0)) return true;
  const { filled = [] } = catalog;
  if (added.some((name) => filled.includes(name) && !isFilled(name, plan))) return true;
  if (hasMissed(known, plan, begun)) return true;
  // Columns that transforms have named otherwise cannot be told apart.
  const own = new Set(catalog.schema.fields.map(({ name }) => name));
  const before = new Set(known.fields.map(({ name }) => name));
  return added.some((name) => !own.has(name)) && filled.some((name) => !before.has(name));
}

/** Whether all targets get the values with the column. A log of changes says nothing of rows that did not change. */
function isFilled(column: string, { fills, targets }: StreamPlan): boolean {
  if (!fills.includes(column)) return false;
  return Object.values(targets).every(
    ({ table }) => table.write === 'append' || table.fills?.includes(column) === true,
  );
}

/** Whether a sink was not there when the others got values that stand in no change. */
function hasMissed(
  { filled = [] }: KnownSchema,
  { targets }: StreamPlan,
  begun: ReadonlySet<string>,
): boolean {
  return Object.entries(targets).some(
    ([sink, { table }]) =>
      begun.has(sink) && table.write !== 'append' && table.lacks?.some((name) => filled.includes(name)),
  );
}

/** A stream whose rows are routed has several tables in a sink, which are one to everything that is done with the stream. */
import type { TablePlan } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { StreamPlan } from './flow-plan.js';

/** The tables of a routed stream as one, in the name of the stream that its rows are read from. */
interface JoinedTable extends TablePlan {
  readonly routed: readonly TablePlan[];
}

/** One of several; throws `SLUICE-CORE-0008` where they would be written in different ways. */
export function joinedTable(stream: string, tables: readonly TablePlan[]): JoinedTable {
  const [first, ...others] = tables as [TablePlan, ...TablePlan[]];
  const other = others.find(({ write, protocol }) => write !== first.write || protocol !== first.protocol);
  if (other !== undefined) {
    throw coreErrors.refused(
      `stream ${stream}: its routes must be written in one way; ${first.target} would have ${first.write}, ${other.target} ${other.write}`,
      { details: { stream } },
    );
  }
  return {
    ...first,
    stream,
    target: tables.map(({ target }) => target).join(', '),
    exists: tables.every(({ exists }) => exists),
    fits: tables.every(({ fits }) => fits === true),
    ddl: tables.flatMap(({ ddl }) => ddl),
    routed: tables,
  };
}

/** The tables that a sink has for a stream: one, unless the stream's rows are routed. */
export function tablesOf(table: TablePlan): readonly TablePlan[] {
  return 'routed' in table ? (table as JoinedTable).routed : [table];
}

/** The streams that a sink has tables for, by the stream that they are read as. */
export function takenStreams(
  streams: readonly StreamPlan[],
  sink: string,
): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    streams.flatMap(({ stream, targets }) => {
      const target = targets[sink];
      if (target === undefined) return [];
      return [[stream, new Set(tablesOf(target.table).map((table) => table.stream))] as const];
    }),
  );
}

/** Writes values of many types, each in a target of its own, and says what became of every single one. */
import { Batch, type Row, streamSchema, type TablePlan, types, type Value, type Verdict } from '@sluice/sdk';
import { outcome } from '../patience.js';
import type { TypeCase } from '../values/type-matrix.js';
import { columnsBatch, type SinkLane, type SinkRun, splitOf } from './sink-run.js';
import type { SinkSession } from './sink-subject.js';

/** What became of the values of one type. */
export interface Fate {
  readonly of: TypeCase;
  /** The error with which the plan or the target refused the type as a whole. */
  readonly refused?: unknown;
  readonly verdict: Verdict;
  readonly values: readonly ValueFate[];
}

/** What kind of batch a value was written in. */
export type BatchKind = 'columns' | 'rows';

export interface ValueFate {
  readonly value: Value;
  readonly from: BatchKind;
  /** The error with which the value was refused. */
  readonly refusal?: unknown;
  /** Whether there is a row of it, and what that holds. */
  readonly isThere: boolean;
  readonly found: Value;
}

/** Writes each value twice, in a batch of columns and in one of rows. */
export async function storeEach(session: SinkSession, cases: readonly TypeCase[]): Promise<Fate[]> {
  const run = await session.run();
  const stored: { of: TypeCase; table?: TablePlan; refused?: unknown; refusals: Map<number, unknown> }[] = [];
  for (const of of cases) {
    const begun = await outcome(begin(run, of));
    if ('error' in begun) {
      stored.push({ of, refused: begun.error, refusals: new Map() });
      continue;
    }
    const refusals = await write(run, begun.value, of);
    if (session.usesGenerations) await run.publish(begun.value, 1, true);
    stored.push({ of, table: begun.value, refusals });
  }
  await session.crash();
  const fates: Fate[] = [];
  for (const { of, table, refused, refusals } of stored) {
    fates.push(
      table === undefined
        ? { of, refused, verdict: 'lossy', values: [] }
        : await fateOf(session, of, table, refusals),
    );
  }
  return fates;
}

function begin(run: SinkRun, { name, type }: TypeCase): Promise<TablePlan> {
  const fields = [
    { name: 'id', type: types.int32, nullable: false },
    { name: 'value', type, nullable: true },
  ];
  return run.begin(streamSchema(`of_${name}`, fields, ['id']));
}

/** The rows that hold a case's values. Those that are written as rows come behind those that are as columns. */
function rowsOf({ values }: TypeCase, from: BatchKind): Row[] {
  return values.map((value, i): Row => ({ id: from === 'columns' ? i : i + values.length, value }));
}

/** Writes the values; says which rows were refused with what. */
async function write(run: SinkRun, table: TablePlan, of: TypeCase): Promise<Map<number, unknown>> {
  const refusals = new Map<number, unknown>();
  const lane = await run.lane(table, { split: splitOf(table.stream) });
  for (const from of ['columns', 'rows'] as const)
    await writeHalving(lane, table, rowsOf(of, from), from, refusals);
  await run.closeLane(lane);
  return refusals;
}

/** Writes rows at once and, when that is refused, in halves, until what is refused is alone: as an engine does. */
async function writeHalving(
  lane: SinkLane,
  { schema }: TablePlan,
  rows: readonly Row[],
  from: BatchKind,
  refusals: Map<number, unknown>,
): Promise<void> {
  if (rows.length === 0) return;
  const batch = from === 'rows' ? Batch.ofRows(schema, rows) : columnsBatch(schema, rows);
  const written = await outcome(lane.send(batch).then(() => lane.commit()));
  if (!('error' in written)) return;
  await lane.writer.abort();
  if (rows.length === 1) {
    refusals.set(rows[0]!['id'] as number, written.error);
    return;
  }
  const middle = Math.ceil(rows.length / 2);
  for (const half of [rows.slice(0, middle), rows.slice(middle)]) {
    await writeHalving(lane, lane.tables[0]!, half, from, refusals);
  }
}

async function fateOf(
  session: SinkSession,
  of: TypeCase,
  table: TablePlan,
  refusals: ReadonlyMap<number, unknown>,
): Promise<Fate> {
  const found = new Map<number, Value>();
  for (const row of await session.readRows(table)) found.set(Number(row['id']), row['value'] ?? null);
  const values = (['columns', 'rows'] as const).flatMap((from) =>
    rowsOf(of, from).map((row): ValueFate => {
      const id = row['id'] as number;
      const fate: ValueFate = {
        value: row['value']!,
        from,
        isThere: found.has(id),
        found: found.get(id) ?? null,
      };
      return refusals.has(id) ? { ...fate, refusal: refusals.get(id) } : fate;
    }),
  );
  return { of, verdict: table.types.find(({ column }) => column === 'value')?.verdict ?? 'exact', values };
}

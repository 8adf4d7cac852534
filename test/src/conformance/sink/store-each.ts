/** Writes values of many types, each in a target of its own, and says what became of every single one. */
import {
  Batch,
  type Row,
  type StreamSchema,
  streamSchema,
  type TablePlan,
  types,
  type Value,
  type Verdict,
} from '@sluice/sdk';
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

export interface ValueFate {
  readonly value: Value;
  /** The error with which the value was refused. */
  readonly refusal?: unknown;
  /** Whether there is a row of it, and what that holds. */
  readonly isThere: boolean;
  readonly found: Value;
}

export async function storeEach(
  session: SinkSession,
  cases: readonly TypeCase[],
  kind: 'columns' | 'rows',
): Promise<Fate[]> {
  const run = await session.run();
  const stored: { of: TypeCase; table?: TablePlan; refused?: unknown; refusals: Map<number, unknown> }[] = [];
  for (const of of cases) {
    const begun = await outcome(begin(run, of, kind));
    if ('error' in begun) {
      stored.push({ of, refused: begun.error, refusals: new Map() });
      continue;
    }
    const refusals = await write(run, begun.value, of.values, kind);
    if (session.usesGenerations) await run.publish(begun.value, 1, true);
    stored.push({ of, table: begun.value, refusals });
  }
  await session.crash();
  const fates: Fate[] = [];
  for (const { of, table, refused, refusals } of stored)
    fates.push(await fateOf(session, of, table, refused, refusals));
  return fates;
}

function schemaOf({ name, type }: TypeCase, kind: string): StreamSchema {
  return streamSchema(
    `${kind}_${name}`,
    [
      { name: 'id', type: types.int32, nullable: false },
      { name: 'value', type, nullable: true },
    ],
    ['id'],
  );
}

function begin(run: SinkRun, of: TypeCase, kind: string): Promise<TablePlan> {
  return run.begin(schemaOf(of, kind));
}

/** Writes all values at once and, when that is refused, one by one; says which were refused with what. */
async function write(
  run: SinkRun,
  table: TablePlan,
  values: readonly Value[],
  kind: 'columns' | 'rows',
): Promise<Map<number, unknown>> {
  const refusals = new Map<number, unknown>();
  const rows = values.map((value, id): Row => ({ id, value }));
  const lane = await run.lane(table, { split: splitOf(table.stream) });
  const whole = await outcome(writeAndCommit(lane, table.schema, rows, kind));
  if ('error' in whole) {
    for (const row of rows) {
      await lane.writer.abort();
      const alone = await outcome(writeAndCommit(lane, table.schema, [row], kind));
      if ('error' in alone) refusals.set(row['id'] as number, alone.error);
    }
    await lane.writer.abort();
  }
  await run.closeLane(lane);
  return refusals;
}

async function writeAndCommit(
  lane: SinkLane,
  schema: StreamSchema,
  rows: readonly Row[],
  kind: 'columns' | 'rows',
): Promise<void> {
  await lane.send(kind === 'rows' ? Batch.ofRows(schema, rows) : columnsBatch(schema, rows));
  await lane.commit();
}

async function fateOf(
  session: SinkSession,
  of: TypeCase,
  table: TablePlan | undefined,
  refused: unknown,
  refusals: ReadonlyMap<number, unknown>,
): Promise<Fate> {
  if (table === undefined) return { of, refused, verdict: 'lossy', values: [] };
  const found = new Map<number, Value>();
  for (const row of await session.readRows(table)) found.set(Number(row['id']), row['value'] ?? null);
  const values = of.values.map((value, id): ValueFate => {
    const fate: ValueFate = { value, isThere: found.has(id), found: found.get(id) ?? null };
    return refusals.has(id) ? { ...fate, refusal: refusals.get(id) } : fate;
  });
  return { of, verdict: table.types.find(({ column }) => column === 'value')?.verdict ?? 'exact', values };
}

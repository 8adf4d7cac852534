/** What the flow's transforms make of a stream's batches, and which rows cannot go through them. */
import {
  Batch,
  type BoundTransform,
  decodedColumn,
  type Json,
  type Rung,
  type SluiceError,
  toSluiceError,
} from '@sluice/sdk';
import { rowToJson } from '../dead-letters/payload.js';
import type { DeadLetter } from '../ledger/ledger.js';
import { positionOf } from '../plan/change-log.js';
import type { StreamPlan } from '../plan/flow-plan.js';
import { splitAround } from './split-batch.js';

/** A row that did not come through. */
export interface RefusedRow {
  /** When it was read, or by the n-th transform. */
  readonly stage: 'read' | number;
  /** Its place among the rows that have come to the stage since the lane began. */
  readonly row: number;
  readonly error: SluiceError;
  readonly payload: Json;
  /** Nothing of a row that could not be read. */
  readonly change: Pick<DeadLetter, 'op' | 'position'>;
}

/** Rows of one stream as the flow's transforms have made them, and what happened to them there. */
export interface Passing {
  readonly stream: string;
  readonly read: { readonly rows: number; readonly bytes: number };
  readonly added: number;
  readonly filtered: number;
  readonly refused: readonly RefusedRow[];
  readonly batches: readonly Batch[];
  /** Rows that have come to be read and to each transform since the lane began, these included. */
  readonly entered: readonly number[];
}

export class TransformRows {
  private readonly entered: number[];
  private readonly revises: boolean;

  constructor(
    private readonly plan: StreamPlan,
    /** Whether rows may be refused; otherwise the first one's error is thrown. */
    private readonly tolerant: boolean,
    /** Batches are taken down to this rung; for tests. */
    private readonly rung: Rung | undefined,
  ) {
    this.entered = new Array(plan.transforms.length + 1).fill(0);
    this.revises = plan.transforms.length > 0 && revises(plan);
  }

  pass(batch: Batch): Passing {
    const { plan, rung, entered } = this;
    const { rejected } = batch;
    if (!this.tolerant && rejected.length > 0) throw rejected[0]!.error;
    const refused: RefusedRow[] = rejected.map(({ before, error, payload }, i) => ({
      stage: 'read',
      row: entered[0]! + before + i,
      error,
      payload,
      change: {},
    }));
    const rows = batch.rowCount + rejected.length;
    entered[0]! += rows;
    let added = 0;
    let filtered = 0;
    let batches: readonly Batch[] = [onRung(this.revises ? asUpserts(batch) : batch, rung)];
    for (const [index, transform] of plan.transforms.entries()) {
      const made: Batch[] = [];
      for (const one of batches) {
        if (one.rowCount === 0) continue;
        const first = entered[index + 1]!;
        entered[index + 1]! += one.rowCount;
        const out = this.tolerant
          ? applySome(transform, one, { index, first }, refused)
          : { batches: transform.apply(one), refused: 0 };
        const before = one.rowCount - out.refused;
        const after = out.batches.reduce((sum, { rowCount }) => sum + rowCount, 0);
        if (after > before) added += after - before;
        else filtered += before - after;
        made.push(...out.batches);
      }
      batches = made;
    }
    return {
      stream: batch.stream,
      read: { rows, bytes: batch.byteSize },
      added,
      filtered,
      refused,
      batches: batches.filter(({ rowCount }) => rowCount > 0).map((out) => onRung(out, rung)),
      entered: [...entered],
    };
  }
}

/** Whether rows may take the place of others that came in earlier runs: those have to leave where they stop matching. */
function revises({ read, targets }: StreamPlan): boolean {
  return read.mode === 'incremental' && Object.values(targets).every(({ table }) => table.write === 'upsert');
}

function asUpserts(batch: Batch): Batch {
  if (batch.op !== 'insert') return batch;
  const columns = batch.schema.fields.map((_, i) => i);
  return batch.derive(batch.schema, columns, undefined, { op: 'upsert' });
}

/** Applies a transform to a batch without the rows that it refuses, which are found by halving. */
function applySome(
  transform: BoundTransform,
  batch: Batch,
  at: { readonly index: number; readonly first: number },
  refused: RefusedRow[],
): { readonly batches: readonly Batch[]; readonly refused: number } {
  try {
    return { batches: touched(transform, transform.apply(batch)), refused: 0 };
  } catch (error) {
    const coded = toSluiceError(error);
    if (coded.class !== 'data') throw error;
    if (batch.rowCount === 1) {
      const [payload, change] = [payloadOf(batch, 0), changeOf(batch, 0)];
      refused.push({ stage: at.index, row: at.first, error: coded, payload, change });
      return { batches: [], refused: 1 };
    }
    const batches: Batch[] = [];
    let count = 0;
    for (const { part, from } of splitAround(batch, coded)) {
      const out = applySome(transform, part, { ...at, first: at.first + from }, refused);
      batches.push(...out.batches);
      count += out.refused;
    }
    return { batches, refused: count };
  }
}

/** Columns that are made when they are looked at are looked at now, while it is known who makes them. */
function touched(transform: BoundTransform, batches: readonly Batch[]): readonly Batch[] {
  for (const batch of batches) {
    for (const [i, { name }] of batch.schema.fields.entries()) {
      if (transform.writes.includes(name)) batch.column(i);
    }
  }
  return batches;
}

/** A row as JSON; null when it cannot even be looked at. */
export function payloadOf(batch: Batch, row: number): Json {
  try {
    return rowToJson(batch.schema, batch.select(Uint32Array.of(row)).rows()[0]!);
  } catch {
    return null;
  }
}

/** What a row means, and where it comes from. */
export function changeOf(batch: Batch, row: number): Pick<DeadLetter, 'op' | 'position'> {
  const position = positionOf(batch.origins?.at(row));
  return { op: batch.opAt(row), ...(position !== null && { position }) };
}

/** The same batch with nothing below the given rung: sinks and transforms then work from columns or from rows. */
function onRung(batch: Batch, rung: Rung | undefined): Batch {
  if (rung === undefined || rung === 'encoded') return batch;
  const { op, before, byteSize, origins } = batch;
  const options = { op, byteSize, ...(before && { before }), ...(origins && { origins }) };
  return rung === 'rows'
    ? Batch.ofRows(batch.schema, batch.rows(), options)
    : Batch.ofColumns(batch.schema, batch.columns().map(decodedColumn), batch.rowCount, options);
}

/** Runs a function of rows over a batch. */
import { Batch, nearestName, OPS, type Op, type Row, type StreamSchema, UNCHANGED } from '@sluice/sdk';
import { transformErrors } from '../errors.js';
import { filledColumn } from '../inputs.js';
import { rowError } from '../row-error.js';
import type { RowFunction } from './load-module.js';

const DELETE = OPS.indexOf('delete');
const MOVE = OPS.indexOf('move');

export interface RowMapping {
  readonly path: string;
  readonly row: RowFunction;
  readonly out: StreamSchema;
  /** Whether the key columns of `out` are columns of the input, so that deletes can be passed on. */
  readonly keepsKey: boolean;
}

/**
 * New rows may become none, one or several. A change becomes one row, or a delete by its key when the function
 * returns none; a delete passes without being shown to the function, as only its key is sure to be known.
 */
export function applyRows(batch: Batch, mapping: RowMapping): Batch {
  const result = new Result(batch, mapping);
  const rows = inputRows(batch);
  for (let i = 0; i < rows.length; i++) result.add(rows[i]!, i);
  return result.finish();
}

/** Fresh objects, as the function may write to them; values that were not sent are filled from the before-image. */
function inputRows(batch: Batch): Row[] {
  const { schema } = batch;
  if (batch.before === undefined) return batch.rows().map((row) => ({ ...row }));
  const columns = schema.fields.map((_, i) => () => filledColumn(batch, i));
  return [...batch.derive(schema, columns).rows()];
}

class Result {
  private readonly rows: Row[] = [];
  private readonly ops: number[] = [];
  private readonly before: Row[] = [];
  private readonly names: ReadonlySet<string>;
  private readonly beforeRows: readonly Row[] | undefined;

  constructor(
    private readonly batch: Batch,
    private readonly mapping: RowMapping,
  ) {
    const fields = [...mapping.out.fields, ...batch.schema.fields];
    this.names = new Set(fields.map((f) => f.name));
    this.beforeRows = batch.before?.rows();
  }

  add(row: Row, at: number): void {
    const op = this.batch.opAt(at);
    if (op === 'delete') return this.remove(this.batch.rows()[at]!, at);
    const made = this.call(row, at);
    if (op === 'insert') {
      for (const one of made) this.push(one, op, at);
    } else if (made.length === 1) {
      this.push(made[0]!, op, at);
    } else if (made.length === 0) {
      this.leave(op, at);
    } else {
      throw this.failure(
        transformErrors.explodedChange,
        at,
        `${made.length} rows were returned for an ${op}`,
      );
    }
  }

  finish(): Batch {
    const { out } = this.mapping;
    const op =
      typeof this.batch.op === 'string' && !this.ops.includes(DELETE)
        ? this.batch.op
        : Uint8Array.from(this.ops);
    const before = this.beforeRows && Batch.ofRows(out, this.before);
    const made = Batch.ofRows(out, this.rows, { op, ...(before && { before }) });
    // Values are checked while columns are made: here, where the module can be named, not in the sink.
    made.columns();
    return made;
  }

  private call(row: Row, at: number): readonly Row[] {
    let returned: unknown;
    try {
      returned = this.mapping.row(row);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw this.failure(transformErrors.moduleFailed, at, `the function threw: ${reason}`, cause);
    }
    if (returned === null || returned === undefined) return [];
    const made: readonly unknown[] = Array.isArray(returned) ? returned : [returned];
    for (const one of made) this.checkRow(one, at);
    return made as readonly Row[];
  }

  private checkRow(row: unknown, at: number): void {
    if (typeof row !== 'object' || row === null || typeof (row as { then?: unknown }).then === 'function') {
      const what =
        typeof row === 'object' && row !== null ? 'a promise; the function must be synchronous' : typeof row;
      throw this.failure(transformErrors.moduleFailed, at, `the function returned ${what}`);
    }
    for (const name in row) {
      if (this.names.has(name)) continue;
      const meant = nearestName(name, this.names);
      const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
      throw this.failure(
        transformErrors.moduleFailed,
        at,
        `the function returned an unknown column "${name}"${hint}`,
      );
    }
  }

  private push(row: Row, op: Op, at: number): void {
    this.rows.push(row);
    this.ops.push(OPS.indexOf(op));
    if (this.beforeRows) this.before.push(this.keyOf(this.beforeRows[at]!, at));
  }

  /** A changed row that is not wanted any more: deleted by the key that it had. */
  private leave(op: Op, at: number): void {
    if (this.mapping.out.key.length === 0) return;
    const old = OPS.indexOf(op) === MOVE ? this.beforeRows?.[at] : this.batch.rows()[at];
    if (old === undefined)
      throw this.failure(transformErrors.keyNotKnown, at, 'a moved row came without its old key');
    this.remove(old, at);
  }

  private remove(row: Row, at: number): void {
    this.push(this.keyOf(row, at), 'delete', at);
  }

  /** The key columns of a row; the others count as not sent. */
  private keyOf(row: Row, at: number): Row {
    const { out, keepsKey } = this.mapping;
    if (!keepsKey)
      throw this.failure(
        transformErrors.keyNotKnown,
        at,
        `the key ${out.key.join(', ')} is made by the module`,
      );
    return Object.fromEntries(
      out.fields.map(({ name }) => [name, out.key.includes(name) ? row[name]! : UNCHANGED]),
    );
  }

  private failure(factory: Parameters<typeof rowError>[0], at: number, reason: string, cause?: unknown) {
    const error = rowError(factory, this.batch, undefined, at, `${this.mapping.path}: ${reason}`);
    return cause === undefined ? error : Object.assign(error, { cause });
  }
}

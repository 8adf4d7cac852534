/** Runs a function of rows over a batch. */
import { isDeepStrictEqual } from 'node:util';
import {
  Batch,
  nearestName,
  OPS,
  type Op,
  type Row,
  type StreamSchema,
  selectOrigins,
  UNCHANGED,
} from '@sluice/sdk';
import { transformErrors } from '../errors.js';
import { filledColumn } from '../inputs.js';
import { rowError } from '../row-error.js';
import type { RowFunction } from './load-module.js';

export interface RowMapping {
  readonly path: string;
  readonly row: RowFunction;
  readonly out: StreamSchema;
  /** Whether the key columns of `out` are columns of the input. */
  readonly keepsKey: boolean;
  /** Whether deletes may come with the key alone: then rows must keep the key that they came with. */
  readonly keyAlone: boolean;
}

/**
 * New rows may become none, one or several. What becomes of a change follows from what the function makes of the row
 * and of the row as it was: rows that it made before and no longer makes are deleted, and one that has another key has
 * moved. Where only the key of the old row is known, the function must keep it.
 */
export function applyRows(batch: Batch, mapping: RowMapping): Batch {
  const result = new Result(batch, mapping);
  for (let i = 0; i < batch.rowCount; i++) result.add(i);
  return result.finish();
}

/** The batch's rows with what was not sent filled in from the before-image. */
function filledRows(batch: Batch): readonly Row[] {
  if (batch.before === undefined) return batch.rows();
  const columns = batch.schema.fields.map((_, i) => () => filledColumn(batch, i));
  return batch.derive(batch.schema, columns).rows();
}

class Result {
  private readonly rows: Row[] = [];
  private readonly ops: number[] = [];
  private readonly before: Row[] = [];
  /** The row of the batch that each comes from. */
  private readonly from: number[] = [];
  private readonly names: ReadonlySet<string>;
  private readonly rowsNow: readonly Row[];
  private readonly rowsBefore: readonly Row[] | undefined;

  constructor(
    private readonly batch: Batch,
    private readonly mapping: RowMapping,
  ) {
    const fields = [...mapping.out.fields, ...batch.schema.fields];
    this.names = new Set(fields.map((f) => f.name));
    this.rowsNow = filledRows(batch);
    this.rowsBefore = batch.before?.rows();
  }

  add(at: number): void {
    this.apply(at);
    while (this.from.length < this.rows.length) this.from.push(at);
  }

  private apply(at: number): void {
    const op = this.batch.opAt(at);
    const row = this.rowsNow[at]!;
    if (op === 'insert') return this.addNew(row, at);
    if (op === 'delete') return this.addDelete(row, at);
    const old = this.rowsBefore?.[at];
    if (old !== undefined && isWhole(old)) this.replace(op, this.madeBefore(old, at), this.call(row, at), at);
    else this.change(op, row, old, at);
  }

  finish(): Batch {
    const { out } = this.mapping;
    const { op: given } = this.batch;
    const origins = this.batch.origins && selectOrigins(this.batch.origins, Uint32Array.from(this.from));
    const op =
      typeof given === 'string' && this.ops.every((code) => OPS[code] === given)
        ? given
        : Uint8Array.from(this.ops);
    const before = this.rowsBefore && Batch.ofRows(out, this.before);
    const made = Batch.ofRows(out, this.rows, { op, ...(before && { before }), ...(origins && { origins }) });
    // Values are checked while columns are made: here, where the module can be named, not in the sink.
    made.columns();
    return made;
  }

  private addNew(row: Row, at: number): void {
    const made = this.call(row, at);
    if (this.mapping.keyAlone) {
      if (made.length > 1) throw this.exploded(made, 'insert', at);
      for (const one of made) this.requireKey(one, row, at);
    }
    for (const one of made) this.push(one, 'insert');
  }

  /** What the function has made of the row; where that is not known, or was nothing, the delete passes by its key. */
  private addDelete(row: Row, at: number): void {
    const made = isWhole(row) ? this.madeBefore(row, at) : [];
    for (const one of made) this.remove(one);
    if (made.length > 0 || (isWhole(row) && !this.mapping.keepsKey)) return;
    this.remove(this.keyOf(row, at));
  }

  /** A change of which all is known: what the function made of the row before, and makes of it now. */
  private replace(op: Op, old: readonly Row[], made: readonly Row[], at: number): void {
    const [was] = old;
    const [is] = made;
    const keyless = this.mapping.out.key.length === 0;
    if (old.length === 1 && made.length === 1) {
      const same = op === 'move' ? 'update' : op;
      this.push(is!, this.sameKey(was!, is!) ? same : 'move', was);
    } else if (keyless) {
      if (made.length > 1) throw this.exploded(made, op, at);
      if (is !== undefined) this.push(is, op, was);
    } else {
      for (const one of old) this.remove(one);
      for (const one of made) this.push(one, 'upsert');
    }
  }

  /** A change of which no more than the old key is known. */
  private change(op: Op, row: Row, old: Row | undefined, at: number): void {
    const made = this.call(row, at);
    const { keepsKey, keyAlone } = this.mapping;
    if (op === 'upsert' && made.length > 0 && !(keepsKey && keyAlone)) {
      for (const one of made) this.push(one, op);
      return;
    }
    if (made.length > 1) throw this.exploded(made, op, at);
    const [one] = made;
    const oldKey = this.keyOf(op === 'move' ? old : row, at);
    if (one !== undefined) {
      this.requireKey(one, row, at);
      this.push(one, op, oldKey);
    } else if (this.mapping.out.key.length > 0) {
      this.remove(oldKey);
    }
  }

  /** What the function made of a row that it cannot have failed for: else the target never had it. */
  private madeBefore(row: Row, at: number): readonly Row[] {
    try {
      return this.call(row, at);
    } catch {
      return [];
    }
  }

  private call(row: Row, at: number): readonly Row[] {
    let returned: unknown;
    try {
      // A fresh object, as the function may write to it.
      returned = this.mapping.row({ ...row });
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

  private push(row: Row, op: Op, before?: Row): void {
    this.rows.push(row);
    this.ops.push(OPS.indexOf(op));
    if (this.rowsBefore) this.before.push(before ?? this.nothing());
  }

  private remove(row: Row): void {
    this.push(row, 'delete', row);
  }

  private sameKey(a: Row, b: Row): boolean {
    return this.mapping.out.key.every((name) => isDeepStrictEqual(a[name] ?? null, b[name] ?? null));
  }

  /** The row is found again by the key that it came with, so that the function must not have changed it. */
  private requireKey(made: Row, row: Row, at: number): void {
    if (this.sameKey(made, this.keyOf(row, at))) return;
    throw this.failure(transformErrors.keyNotKnown, at, 'the function changes the key of the row');
  }

  /** The key columns of a row; the others count as not sent. */
  private keyOf(row: Row | undefined, at: number): Row {
    const { keepsKey } = this.mapping;
    const { key } = this.mapping.out;
    const { keyNotKnown } = transformErrors;
    if (!keepsKey) throw this.failure(keyNotKnown, at, `the key ${key.join(', ')} is made by the module`);
    if (row === undefined || key.some((name) => row[name] === UNCHANGED)) {
      throw this.failure(keyNotKnown, at, 'the row came without its old key');
    }
    return { ...this.nothing(), ...Object.fromEntries(key.map((name) => [name, row[name]!])) };
  }

  private nothing(): Row {
    return Object.fromEntries(this.mapping.out.fields.map(({ name }) => [name, UNCHANGED]));
  }

  private exploded(made: readonly Row[], op: Op, at: number) {
    return this.failure(transformErrors.explodedChange, at, `${made.length} rows were returned for an ${op}`);
  }

  private failure(factory: Parameters<typeof rowError>[0], at: number, reason: string, cause?: unknown) {
    const error = rowError(factory, this.batch, undefined, at, `${this.mapping.path}: ${reason}`);
    return cause === undefined ? error : Object.assign(error, { cause });
  }
}

function isWhole(row: Row): boolean {
  return !Object.values(row).includes(UNCHANGED);
}

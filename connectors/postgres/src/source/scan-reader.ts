/** Reads a relation, or a range of its blocks, in one COPY. */
import { checkpoint, type Message, type OpenRequest, type Reader } from '@sluice/sdk';
import { hasState } from '../connection/server-error.js';
import type { Session } from '../connection/session.js';
import { FrameBatches } from '../copy/frame-batch.js';
import { pgErrors } from '../errors.js';
import { literal, qualified } from '../quote.js';
import { plannedColumns } from './drift.js';
import { columnsOf, findRelation, type Relation, type RelationColumn } from './relation.js';
import { fromClause, selectList } from './select.js';
import { type ScanSpec, specOf } from './split-spec.js';

export class ScanReader implements Reader {
  private constructor(
    private readonly session: Session,
    private readonly request: OpenRequest,
    private readonly sql: string,
    private readonly batches: FrameBatches,
  ) {}

  /** Takes over the session. */
  static async open(session: Session, request: OpenRequest): Promise<ScanReader> {
    const spec = specOf(request.split) as ScanSpec;
    const read = request.reads[0]!;
    await begin(session, spec, request.split.volatile === true);
    const relation = await lock(session, spec);
    const live = (await columnsOf(session, [relation.oid])).get(relation.oid)!;
    const columns = plannedColumns(
      read.schema,
      live.filter((column) => column.readable),
    );
    const wires = columns.map((column) => column.type.wire);
    const batches = new FrameBatches(read.schema, wires, read.encoding);
    return new ScanReader(session, request, copyOf(relation, columns, spec), batches);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    const { split, batchRows, batchBytes } = this.request;
    const copy = await this.session.copyOut(
      this.sql,
      { rows: batchRows, bytes: batchBytes },
      `reading ${split.id}`,
    );
    for (let chunk = await copy.next(); chunk !== undefined; chunk = await copy.next()) {
      yield this.batches.batch(chunk);
    }
    await this.session.query('COMMIT');
    yield checkpoint(null, true);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

const INVALID_SNAPSHOT = ['22023', '55000', '42704'];

/** Enters the shared snapshot. A split that needs none goes on with one of its own when the shared one is gone. */
async function begin(session: Session, { snapshot }: ScanSpec, needed: boolean): Promise<void> {
  const start = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
  if (snapshot === undefined) {
    await session.query(start);
    return;
  }
  try {
    await session.query(`${start}; SET TRANSACTION SNAPSHOT ${literal(snapshot)}`);
  } catch (cause) {
    if (!INVALID_SNAPSHOT.some((state) => hasState(cause, state))) throw cause;
    if (needed) throw pgErrors.snapshotLost(`the snapshot ${snapshot} of this copy is gone`, { cause });
    await session.query(`ROLLBACK; ${start}`);
  }
}

/**
 * Keeps the table from being rewritten or changed (naming it in a query locks it until the transaction ends), and
 * makes sure that it was not since the split was planned.
 */
async function lock(session: Session, spec: ScanSpec): Promise<Relation> {
  const name = qualified(spec);
  if (spec.filenode !== undefined) await session.query(`SELECT FROM ONLY ${name} LIMIT 0`);
  const relation = await findRelation(session, spec);
  if (relation === undefined) throw pgErrors.missing(`${name} is not there any more`);
  if (spec.filenode !== undefined) {
    const [row] = await session.rows('SELECT pg_catalog.pg_relation_filenode($1::oid)', [
      String(relation.oid),
    ]);
    if (row![0] !== spec.filenode)
      throw pgErrors.rewritten(`${name} was rewritten or truncated since the copy began`);
  }
  return relation;
}

function copyOf(relation: Relation, columns: readonly RelationColumn[], { blocks }: ScanSpec): string {
  const where = blocks === undefined ? '' : ` WHERE ${blockRange(blocks)}`;
  return `COPY (SELECT ${selectList(columns)} FROM ${fromClause(relation)}${where}) TO STDOUT (FORMAT binary)`;
}

function blockRange({ from, to }: { readonly from: number; readonly to?: number }): string {
  const start = `ctid >= '(${from},0)'::tid`;
  return to === undefined ? start : `${start} AND ctid < '(${to},0)'::tid`;
}

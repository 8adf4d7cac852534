/** Reads a relation, or a range of its blocks, in one COPY. */
import {
  checkpoint,
  copiedOrigins,
  type Json,
  type Message,
  type OpenRequest,
  type Origins,
  type Reader,
} from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { FrameBatches } from '../copy/frame-batch.js';
import { pgErrors } from '../errors.js';
import { qualified } from '../quote.js';
import { placeCopy, shownNow } from '../stream/copy-instant.js';
import { plannedColumns } from './drift.js';
import { beginReading } from './read-transaction.js';
import { columnsOf, type Relation, type RelationColumn } from './relation.js';
import { fromClause, selectList } from './select.js';
import { type ScanSpec, specOf } from './split-spec.js';

export class ScanReader implements Reader {
  private constructor(
    private readonly session: Session,
    private readonly request: OpenRequest,
    private readonly sql: string,
    private readonly batches: FrameBatches,
    /** The position when everything is read. */
    private readonly end: Json,
    /** Of a clear that goes before the rows. */
    readonly origins: Origins | undefined,
  ) {}

  /** Takes over the session. Throws `SLUICE-PG-0060` where a copy waits in vain for those that write the table. */
  static async open(session: Session, request: OpenRequest): Promise<ScanReader> {
    const spec = specOf(request.split) as ScanSpec;
    const read = request.reads[0]!;
    const place = spec.once && (await placeCopy(session, spec));
    const relation = await beginReading(session, { ...spec, needsSnapshot: request.split.volatile === true });
    await checkFile(session, relation, spec);
    const live = (await columnsOf(session, [relation.oid])).get(relation.oid)!;
    const columns = plannedColumns(
      read.schema,
      live.filter((column) => column.readable),
    );
    const wires = columns.map((column) => column.type.wire);
    const copied = place && copiedOrigins({ ...place, ordinal: 1 });
    const batches = new FrameBatches(read.schema, wires, read.encoding, copied);
    const end = place === undefined ? null : await shownNow(session);
    const cleared = place && copiedOrigins({ ...place, ordinal: 0 });
    return new ScanReader(session, request, copyOf(relation, columns, spec), batches, end, cleared);
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
    yield checkpoint(this.end, true);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/** Makes sure that the table was not rewritten since the split was planned: its blocks would be others. */
async function checkFile(session: Session, relation: Relation, { filenode }: ScanSpec): Promise<void> {
  if (filenode === undefined) return;
  const [row] = await session.rows('SELECT pg_catalog.pg_relation_filenode($1::oid)', [String(relation.oid)]);
  if (row![0] !== filenode) {
    throw pgErrors.rewritten(`${qualified(relation)} was rewritten or truncated since the copy began`);
  }
}

function copyOf(relation: Relation, columns: readonly RelationColumn[], { blocks }: ScanSpec): string {
  const where = blocks === undefined ? '' : ` WHERE ${blockRange(blocks)}`;
  return `COPY (SELECT ${selectList(columns)} FROM ${fromClause(relation)}${where}) TO STDOUT (FORMAT binary)`;
}

function blockRange({ from, to }: { readonly from: number; readonly to?: number }): string {
  const start = `ctid >= '(${from},0)'::tid`;
  return to === undefined ? start : `${start} AND ctid < '(${to},0)'::tid`;
}

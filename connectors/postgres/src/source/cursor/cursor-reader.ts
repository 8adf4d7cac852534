/** Reads what has come behind a stream's cursor, as far as the past is settled. */
import { type Checkpoint, checkpoint, type Message, type OpenRequest, type Reader } from '@sluice/sdk';
import type { Session } from '../../connection/session.js';
import { FrameBatches } from '../../copy/frame-batch.js';
import { pgErrors } from '../../errors.js';
import { AnotherShape } from '../another-shape.js';
import { fieldsOf } from '../discover.js';
import { compareColumns } from '../drift.js';
import { beginReading } from '../read-transaction.js';
import { columnsOf, keysOf, type RelationColumn } from '../relation.js';
import { fromClause, selectList } from '../select.js';
import { type CursorSpec, specOf } from '../split-spec.js';
import { CursorOrder, type CursorPlace, placeOf, positionOf } from './cursor-place.js';
import type { CursorTable } from './cursor-table.js';
import type { Window } from './cursor-window.js';

/** Nothing is new: perhaps there is a number to remember. */
export class NothingNew implements Reader {
  constructor(private readonly place: CursorPlace) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    yield checkpoint(positionOf(this.place));
  }

  async close(): Promise<void> {}
}

/** A part of the window, up to a place where a batch must end. */
interface Stretch {
  readonly sql: string;
  readonly end: Checkpoint;
}

export class CursorReader implements Reader {
  private constructor(
    private readonly session: Session,
    private readonly request: OpenRequest,
    private readonly stretches: readonly Stretch[],
    private readonly batches: FrameBatches,
    /** The columns that make the place behind any row; undefined where rows come in no order. */
    private readonly names: readonly string[] | undefined,
    private readonly pending: CursorPlace['pending'],
  ) {}

  /** Takes over the session. A table that is not as it was planned is told of first, and then read anew. */
  static async open(
    session: Session,
    request: OpenRequest,
    { indexed }: CursorTable,
    window: Window & { readonly end: CursorPlace },
  ): Promise<Reader> {
    const spec = specOf(request.split) as CursorSpec;
    const read = request.reads[0]!;
    const relation = await beginReading(session, spec);
    const live = (await columnsOf(session, [relation.oid])).get(relation.oid)!;
    const readable = live.filter((column) => column.readable);
    const { columns, differences } = compareColumns(read.schema, readable);
    if (differences.length > 0) {
      await session.close();
      return new AnotherShape({ ...read.schema, fields: fieldsOf(readable) });
    }
    const from = placeOf(request.at);
    const key = (await keysOf(session, [relation.oid])).get(relation.oid) ?? [];
    const unique = spec.key.length > 0 && key.join('\n') === spec.key.join('\n');
    if (!unique && (from.after?.length ?? 1) > 1) {
      throw pgErrors.badKeyValue(
        `${read.stream} was read up to a row, and its key (${spec.key.join(', ')}) is no longer one`,
      );
    }
    const order = orderOf(spec, columns);
    const cuts = await cutsOf(session, order, fromClause(relation), request, window.end);
    const end = { ...window.end, ...(window.pending && { pending: window.pending }) };
    const ordered = indexed && unique;
    const select = `SELECT ${selectList(columns)} FROM ${fromClause(relation)} AS t`;
    const ends = [...cuts.map((cut) => checkpoint(cut)), checkpoint(positionOf(end))];
    const stretches = ends.map((each, i): Stretch => {
      const after = order.behind(i === 0 ? from : placeOf(ends[i - 1]!.position));
      const where = [after, order.upTo(placeOf(each.position))].filter(Boolean).join(' AND ');
      const sorting = ordered ? ` ORDER BY ${order.orderBy}` : '';
      return { sql: `COPY (${select} WHERE ${where}${sorting}) TO STDOUT (FORMAT binary)`, end: each };
    });
    const wires = columns.map((column) => column.type.wire);
    const batches = new FrameBatches(read.schema, wires, read.encoding);
    const names = ordered ? order.names : undefined;
    return new CursorReader(session, request, stretches, batches, names, from.pending);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    const { split, batchRows, batchBytes } = this.request;
    for (const { sql, end } of this.stretches) {
      const copy = await this.session.copyOut(
        sql,
        { rows: batchRows, bytes: batchBytes },
        `reading ${split.id}`,
      );
      for (let chunk = await copy.next(); chunk !== undefined; chunk = await copy.next()) {
        yield this.batches.batch(chunk);
        if (this.names === undefined) continue;
        const after = this.batches.lastTexts(chunk, this.names);
        yield checkpoint(positionOf({ after, ...(this.pending && { pending: this.pending }) }));
      }
      yield end;
    }
    await this.session.query('COMMIT');
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/** Throws `SLUICE-PG-0020` where a column of the order is gone. */
export function orderOf(spec: CursorSpec, columns: readonly RelationColumn[]): CursorOrder {
  const typed = [spec.column, ...spec.key].map((name) => {
    const column = columns.find((each) => each.name === name);
    if (column === undefined)
      throw pgErrors.schemaDrift(`the column ${name} is not among the columns that are read`);
    return { name, type: column.type.name };
  });
  return new CursorOrder(typed[0]!, typed.slice(1));
}

/** The positions inside the window at which a batch must end, in order. */
async function cutsOf(
  session: Session,
  order: CursorOrder,
  from: string,
  { at, cuts }: OpenRequest,
  end: CursorPlace,
): Promise<OpenRequest['cuts']> {
  const wanted = cuts.filter((cut) => hasPlace(placeOf(cut)));
  if (wanted.length === 0) return [];
  const begins = hasPlace(placeOf(at));
  const places = [...(begins ? [placeOf(at)] : []), ...wanted.map(placeOf), end];
  const sorted = (await session.rows(order.sorted(places, from))).map(([i]) => Number(i));
  const first = begins ? sorted.indexOf(0) + 1 : 0;
  const inside = sorted.slice(first, sorted.indexOf(places.length - 1));
  return inside.map((i) => wanted[i - (begins ? 1 : 0)]!);
}

function hasPlace({ before, after }: CursorPlace): boolean {
  return before !== undefined || after !== undefined;
}

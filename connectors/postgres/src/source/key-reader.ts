/** Reads a range of the key in its order, so that every row is a place to resume from. */
import { checkpoint, type Message, type OpenRequest, type Reader } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { FrameBatches } from '../copy/frame-batch.js';
import { plannedColumns } from './drift.js';
import { type Key, KeyRange } from './key-range.js';
import { beginReading } from './read-transaction.js';
import { columnsOf } from './relation.js';
import { type KeySpec, specOf } from './split-spec.js';

export class KeyReader implements Reader {
  private constructor(
    private readonly session: Session,
    private readonly request: OpenRequest,
    private readonly range: KeyRange,
    private readonly batches: FrameBatches,
    private readonly cuts: readonly Key[],
  ) {}

  /** Takes over the session. */
  static async open(session: Session, request: OpenRequest): Promise<KeyReader> {
    const spec = specOf(request.split) as KeySpec;
    const read = request.reads[0]!;
    const relation = await beginReading(session, spec);
    const live = (await columnsOf(session, [relation.oid])).get(relation.oid)!;
    const columns = plannedColumns(
      read.schema,
      live.filter((column) => column.readable),
    );
    const range = new KeyRange(relation, columns, spec);
    const wanted = request.cuts.map((cut) => range.key(cut)).filter((key) => key !== undefined);
    const cuts = await range.behind(session, range.key(request.at), wanted);
    const wires = columns.map((column) => column.type.wire);
    return new KeyReader(session, request, range, new FrameBatches(read.schema, wires, read.encoding), cuts);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    const { range } = this;
    let at = range.key(this.request.at);
    for (const cut of [...this.cuts, undefined]) {
      for await (const message of this.segment(at, cut)) {
        if (message.kind === 'checkpoint') at = range.key(message.position);
        yield message;
      }
      // The row that the cut names may have been deleted since; the place is the same.
      if (cut !== undefined && JSON.stringify(cut) !== JSON.stringify(at)) yield checkpoint([...cut]);
      at = cut ?? at;
    }
    await this.session.query('COMMIT');
    yield checkpoint(at === undefined ? null : [...at], true);
  }

  close(): Promise<void> {
    return this.session.close();
  }

  /** Rows behind `after` up to and including `upTo`, with a checkpoint behind each batch. */
  private async *segment(after: Key | undefined, upTo: Key | undefined): AsyncGenerator<Message> {
    const { split, batchRows, batchBytes } = this.request;
    const { key } = specOf(split) as KeySpec;
    const bounds = { rows: batchRows, bytes: batchBytes };
    const copy = await this.session.copyOut(this.range.copy(after, upTo), bounds, `reading ${split.id}`);
    for (let chunk = await copy.next(); chunk !== undefined; chunk = await copy.next()) {
      yield this.batches.batch(chunk);
      yield checkpoint(this.batches.lastTexts(chunk, key));
    }
  }
}

/**
 * Streams that are read by a cursor: one split each, taken up again by every run. Its lower end is where the last run
 * ended, its upper end where the past is settled; see `horizon.ts` for why no row comes late behind it.
 */
import type { Context, OpenRequest, PollPlace, Reader, ReadPlan, Split, StreamRead } from '@sluice/sdk';
import type { Connections } from '../../connection/connections.js';
import type { Session } from '../../connection/session.js';
import { pgErrors } from '../../errors.js';
import { filteredRelations } from '../policies.js';
import { replaced } from '../read-transaction.js';
import { keysOf } from '../relation.js';
import { asJson, type CursorSpec, specOf } from '../split-spec.js';
import { placeOf } from './cursor-place.js';
import { CursorReader, NothingNew, orderOf } from './cursor-reader.js';
import { type CursorTable, cursorTables, readPlanOf } from './cursor-table.js';
import { windowOf } from './cursor-window.js';
import { type Horizon, look } from './horizon.js';
import { idleTables } from './idle-tables.js';

/** Streams that are opened within this time share a look at the open transactions. */
const FRESH_MS = 1000;

export class Increments {
  /** What planning has found; a lane elsewhere looks it up itself. */
  private readonly tables = new Map<string, CursorTable>();
  private seen: { readonly horizon: Promise<Horizon>; readonly at: number } | undefined;

  constructor(private readonly connections: Connections) {}

  plan(reads: readonly StreamRead[], c: Context): Promise<ReadPlan[]> {
    return this.connections.using(c, async (session) => (await this.find(session, reads)).map(readPlanOf));
  }

  splits(reads: readonly StreamRead[], known: readonly Split[], c: Context): Promise<Split[]> {
    return this.connections.using(c, async (session) => {
      const old = new Map(known.map((split) => [split.streams[0]!, specOf(split)]));
      for (const { stream, cursor } of reads) {
        const spec = old.get(stream);
        if (spec !== undefined && (spec.kind !== 'cursor' || spec.column !== cursor?.column)) {
          const was = spec.kind === 'cursor' ? `by ${spec.column}` : 'as a whole';
          throw pgErrors.cursorChanged(`${stream} was read ${was} before, and now by ${cursor?.column}`, {
            details: { stream },
          });
        }
      }
      const fresh = reads.filter(({ stream }) => !old.has(stream));
      if (fresh.length === 0) return [];
      const tables = await this.find(session, fresh);
      const filtered = await filteredRelations(
        session,
        tables.map(({ relation }) => relation),
      );
      const keys = await keysOf(
        session,
        tables.map(({ relation }) => relation.oid),
      );
      return tables.map((table, i) => {
        const { oid } = table.relation;
        return splitOf(fresh[i]!, table, keys.get(oid), filtered.has(oid));
      });
    });
  }

  async open(request: OpenRequest, c: Context): Promise<Reader> {
    const read = request.reads[0]!;
    const spec = specOf(request.split) as CursorSpec;
    const from = placeOf(request.at);
    const { table, window } = await this.connections.using(c, async (session) => {
      const table = this.tables.get(read.stream) ?? (await this.find(session, [read]))[0]!;
      if (spec.oid !== undefined && spec.oid !== table.relation.oid) throw replaced(spec);
      const order = orderOf(spec, table.columns);
      return {
        table,
        window: await windowOf(session, { spec, table, order, from, horizon: () => this.horizon(session) }),
      };
    });
    if (window.unreadable) {
      c.log.warn(`rows of ${read.stream} are not read: their ${spec.column} is null or infinite`, {
        stream: read.stream,
      });
    }
    const { end, mayHaveRows } = window;
    if (end === undefined || !mayHaveRows) return new NothingNew({ ...from, ...pendingOf(window.pending) });
    const session = await this.connections.open(c);
    try {
      return await CursorReader.open(session, request, table, { ...window, end });
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  idle(polls: readonly PollPlace[], c: Context): Promise<boolean[]> {
    return this.connections.using(c, (session) => idleTables(session, polls, this.tables));
  }

  private async find(session: Session, reads: readonly StreamRead[]): Promise<CursorTable[]> {
    const tables = await cursorTables(session, reads);
    for (const [i, table] of tables.entries()) this.tables.set(reads[i]!.stream, table);
    return tables;
  }

  private horizon(session: Session): Promise<Horizon> {
    const now = performance.now();
    if (this.seen === undefined || now - this.seen.at >= FRESH_MS) {
      const seen = { horizon: look(session), at: now };
      this.seen = seen;
      seen.horizon.catch(() => {
        if (this.seen === seen) this.seen = undefined;
      });
    }
    return this.seen.horizon;
  }
}

function pendingOf(pending: { readonly value: string; readonly at: string } | undefined) {
  return pending === undefined ? {} : { pending };
}

/** Only a key of columns that are read can tell rows of one cursor value apart. */
function splitOf(
  read: StreamRead,
  { relation, cursor }: CursorTable,
  key: readonly string[] = [],
  filtered = false,
): Split {
  const names = new Set(read.schema.fields.map(({ name }) => name));
  const { schema, table, oid, kind } = relation;
  const spec: CursorSpec = {
    kind: 'cursor',
    schema,
    table,
    ...((kind === 'r' || kind === 'p') && { oid }),
    ...(filtered && { filtered }),
    column: cursor.column,
    key: key.every((name) => names.has(name)) ? key : [],
  };
  return {
    id: read.stream,
    streams: [read.stream],
    phase: 'poll',
    start: null,
    spec: asJson(spec),
    ...(relation.rows !== undefined && { estimatedRows: relation.rows }),
  };
}

/**
 * Streams whose changes are read: one log for all of them, and before it a copy of what they hold, in ranges of the
 * key that can each be resumed. The log is kept from before the copy begins, so that what changes meanwhile comes
 * again behind it.
 */
import type {
  Context,
  DropLog,
  KeptLog,
  Lag,
  OpenRequest,
  Reader,
  ReadPlan,
  Split,
  StreamRead,
  StreamSchema,
} from '@sluice/sdk';
import type { PostgresConfig } from '../config.js';
import type { Connections } from '../connection/connections.js';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { parseStreamName } from '../quote.js';
import { AnotherShape } from '../source/another-shape.js';
import { fieldsOf } from '../source/discover.js';
import { compareColumns } from '../source/drift.js';
import { columnsOf } from '../source/relation.js';
import { type LogSpec, specOf } from '../source/split-spec.js';
import { dropSteps, keptLogs, takeSteps } from './kept-logs.js';
import { type LogNames, ownName } from './log-names.js';
import { LogEnd, LogReader } from './log-reader.js';
import { logSplit } from './log-spec.js';
import { LogStream } from './log-stream.js';
import { liveColumns, loggedTables, planLogged } from './logged-table.js';
import { LoggedTypes } from './logged-types.js';
import { type Lsn, parseLsn } from './lsn.js';
import { checkPublication, preparePublication } from './publication.js';
import { ServerCasts } from './server-cast.js';
import { advanceSlot, busy, checkPlace, createSlot, dropSlot, freeSlot, logEnd, slotLag } from './slot.js';
import type { StreamNow } from './stream-shape.js';
import { WholeRows } from './whole-rows.js';
import { writersEnded } from './writers.js';

/** What opening a log finds. */
interface Found {
  readonly end: Lsn;
  /** What the slot does not have any more. */
  readonly confirmed: Lsn;
  readonly streams: Map<string, StreamNow>;
  readonly numbers: ReadonlyMap<number, string>;
  /** The shape of the first stream that is not as it was planned. */
  readonly changed?: StreamSchema;
}

export class ChangeLog {
  constructor(
    private readonly config: PostgresConfig,
    private readonly connections: Connections,
  ) {}

  async plan(reads: readonly StreamRead[], c: Context): Promise<ReadPlan[]> {
    for (const { from } of reads) placeOf(from);
    return this.connections.using(c, (session) => planLogged(session, reads));
  }

  /**
   * The log, where it is not known with these streams: from now on their changes are kept. Which of them have to be
   * copied, although they may have been before.
   */
  async join(
    reads: readonly StreamRead[],
    known: readonly Split[],
    c: Context,
  ): Promise<
    { readonly split: Split; readonly isNew: boolean; readonly joining: readonly string[] } | undefined
  > {
    const streams = reads.map(({ stream }) => stream);
    const log = known.find((split) => specOf(split).kind === 'log');
    if (log === undefined) {
      const spec = this.specFor(c);
      const start = await this.connections.using(c, (session) => this.begin(session, spec, reads));
      return { split: logSplit(spec, streams, start), isNew: true, joining: [] };
    }
    const joining = reads.filter(({ stream }) => !log.streams.includes(stream));
    const left = log.streams.filter((stream) => !streams.includes(stream));
    if (joining.length === 0 && left.length === 0) return undefined;
    if (left.length > 0)
      c.log.info(`no longer read, and copied anew when they come back: ${left.join(', ')}`);
    if (joining.length > 0) {
      await this.connections.using(c, (session) => this.publish(session, specOf(log) as LogSpec, joining));
    }
    return { split: { ...log, streams }, isNew: false, joining: joining.map(({ stream }) => stream) };
  }

  /** What was made for a flow under its own name; what the job names is its owner's. */
  clean(flow: string, certain: boolean, c: Context): Promise<string[]> {
    return this.connections.using(c, async (session) => {
      const { steps } = await dropSteps(session, this.ownOf(flow));
      if (certain) await takeSteps(session, steps, flow);
      return steps;
    });
  }

  /** The flow's, or all that have names of ours. */
  kept(flow: string | undefined, c: Context): Promise<KeptLog[]> {
    const names = flow === undefined ? undefined : this.namesOf(flow);
    return this.connections.using(c, (session) => keptLogs(session, names));
  }

  /**
   * What the job names itself stays where it is not forced. Throws `SLUICE-PG-0061` where nothing else is there,
   * `SLUICE-PG-0050` for a slot that is read.
   */
  drop(flow: string, { certain, force }: DropLog, c: Context): Promise<string[]> {
    const { slot, publication } = this.config;
    const names = this.namesOf(flow);
    return this.connections.using(c, async (session) => {
      const all = await dropSteps(session, names);
      const { steps, reader } = force ? all : await dropSteps(session, this.ownOf(flow));
      if (steps.length === 0 && all.steps.length > 0) {
        const named = [slot, publication].filter((name) => name !== undefined);
        throw pgErrors.logGiven(`the job names ${named.join(' and ')} itself`);
      }
      if (!force && reader !== undefined) throw busy(names.slot, reader);
      const wanted = reader === undefined ? steps : [`SELECT pg_terminate_backend(${reader})`, ...steps];
      if (certain) await takeSteps(session, wanted, flow);
      return wanted;
    });
  }

  async open(request: OpenRequest, c: Context): Promise<Reader> {
    const spec = specOf(request.split) as LogSpec;
    const from = parseLsn(request.at);
    const { reads, batchRows, batchBytes } = request;
    const found = await this.connections.using(c, (session) => this.find(session, spec, request));
    if (found.changed !== undefined) return new AnotherShape(found.changed);
    if (found.end <= from && request.unending !== true) return new LogEnd();
    const session = await this.connections.open(c, 'replication');
    try {
      const { slot, publication } = spec;
      const stream = await LogStream.start(session, {
        slot,
        publication,
        from,
        confirmed: found.confirmed,
        bytes: batchBytes,
      });
      const names = new Set(reads.map((read) => read.stream));
      const scene = {
        find: ({ oid, name }: { oid: number; name: string }) =>
          found.numbers.get(oid) ?? (names.has(name) ? name : undefined),
        streams: found.streams,
        seenAt: found.end,
        cuts: new Set(request.cuts.map(parseLsn)),
        until: request.unending === true ? undefined : found.end,
        batchRows,
        types: new LoggedTypes(this.connections, c),
        casts: new ServerCasts(this.connections, c),
        whole: new WholeRows(this.connections, c),
      };
      return new LogReader(stream, scene, from);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  lag(log: Split, c: Context): Promise<Lag> {
    const { slot } = specOf(log) as LogSpec;
    return this.connections.using(c, (session) => slotLag(session, slot, c.log));
  }

  /** Those of a flow that the job does not name itself. */
  private ownOf(flow: string): Partial<LogNames> {
    const { slot, publication } = this.config;
    const own = ownName(flow);
    return {
      ...(slot === undefined && { slot: own }),
      ...(publication === undefined && { publication: own }),
    };
  }

  /** Slot and publication are the flow's own, unless the job names others. */
  private specFor({ flow = '' }: Context): LogSpec {
    return { kind: 'log', ...this.namesOf(flow) };
  }

  private namesOf(flow: string): LogNames {
    const own = ownName(flow);
    return { slot: this.config.slot ?? own, publication: this.config.publication ?? own };
  }

  /**
   * Publication first: a slot can only decode with one that was there before. A slot of ours is made anew, whatever has
   * become of it: to advance one reads all that it has kept.
   */
  private async begin(session: Session, spec: LogSpec, reads: readonly StreamRead[]): Promise<Lsn> {
    await this.preparePublication(session, spec, reads);
    const place = placeOf(reads[0]!.from);
    if (place !== undefined) {
      checkPlace(await freeSlot(session, spec.slot), spec.slot, place);
      return place;
    }
    if (this.config.slot === undefined) {
      await dropSlot(session, spec.slot);
      return createSlot(session, spec.slot);
    }
    return (await freeSlot(session, spec.slot)) === undefined
      ? createSlot(session, spec.slot)
      : advanceSlot(session, spec.slot);
  }

  /**
   * Lets tables join a log that is read already. Transactions that have written them before they were published are
   * not in it, so that a copy may only begin when those have ended. A slot that is made waits for them by itself.
   */
  private async publish(session: Session, spec: LogSpec, reads: readonly StreamRead[]): Promise<void> {
    await this.preparePublication(session, spec, reads);
    await writersEnded(
      session,
      reads.map(({ stream }) => parseStreamName(stream)),
    );
  }

  private async preparePublication(
    session: Session,
    { publication }: LogSpec,
    reads: readonly StreamRead[],
  ): Promise<void> {
    const tables = reads.map(({ stream }) => parseStreamName(stream));
    await preparePublication(session, publication, tables, this.config.publication === undefined);
    await checkPublication(
      session,
      publication,
      reads.map(({ schema }) => schema),
    );
  }

  /** Looks at everything that the log needs, in an order in which no change of a table goes unseen. */
  private async find(session: Session, { slot, publication }: LogSpec, request: OpenRequest): Promise<Found> {
    const { reads } = request;
    const { confirmed } = checkPlace(await freeSlot(session, slot), slot, parseLsn(request.at));
    await checkPublication(
      session,
      publication,
      reads.map(({ schema }) => schema),
    );
    const end = await logEnd(session);
    const streams = new Map<string, StreamNow>();
    const numbers = new Map<number, string>();
    const relations = await loggedTables(
      session,
      reads.map(({ stream }) => stream),
    );
    const columns = await columnsOf(
      session,
      [...relations.values()].map(({ oid }) => oid),
    );
    const live = await liveColumns(session, columns);
    for (const { stream, schema, from } of reads) {
      const { oid } = relations.get(stream)!;
      const readable = columns.get(oid)!.filter((column) => column.readable);
      if (compareColumns(schema, readable).differences.length > 0) {
        return { end, confirmed, streams, numbers, changed: { ...schema, fields: fieldsOf(readable) } };
      }
      streams.set(stream, { schema, columns: live.get(oid)!, copied: from === undefined });
      numbers.set(oid, stream);
    }
    return { end, confirmed, streams, numbers };
  }
}

/** Where reading is to begin, if that is a place of the log. Throws `SLUICE-PG-0062` for what is none. */
function placeOf(from: string | undefined): Lsn | undefined {
  if (from === undefined || from === 'now') return undefined;
  try {
    return parseLsn(from);
  } catch (cause) {
    throw pgErrors.noPlace(`"from": "${from}" is neither "copy" nor "now" nor a place of the log`, { cause });
  }
}

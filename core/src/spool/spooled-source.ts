/**
 * A source that gives everything once (a pipe, a web hook), made one that can be read again: what it gives goes
 * through a spool on disk first, and is acknowledged to it once it is there. Lanes read the spool, again after a sink
 * has failed, and from its own place each; what all of them have committed is removed.
 *
 * A split that lives no longer than its source (a pipe) has nothing to go on from in a later run: its spool serves this
 * run alone.
 */
import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  Catalog,
  Context,
  Json,
  Message,
  OpenRequest,
  Reader,
  ReadPlan,
  Source,
  SourceCapabilities,
  Split,
  StreamRead,
} from '@sluice/sdk';
import { Spool, type SpoolPlace } from './spool.js';

export class SpooledSource implements Source {
  readonly capabilities: SourceCapabilities;
  private readonly intakes = new Map<string, Promise<SpoolIntake>>();

  constructor(
    private readonly source: Source,
    /** Of the flow alone. */
    private readonly folder: string,
    /** Reading the source lasts as long as the run, and longer than any lane. */
    private readonly run: Context,
  ) {
    this.capabilities = { ...source.capabilities, replay: true };
  }

  check(c: Context): Promise<void> {
    return this.source.check(c);
  }

  identity(c: Context): Promise<string> {
    return this.source.identity(c);
  }

  discover(patterns: readonly string[] | undefined, c: Context): Promise<Catalog> {
    return this.source.discover(patterns, c);
  }

  async planReads(reads: readonly StreamRead[], c: Context): Promise<ReadPlan[]> {
    return (await this.source.planReads?.(reads, c)) ?? [];
  }

  splits(reads: readonly StreamRead[], known: readonly Split[], c: Context): AsyncIterable<Split> {
    return this.source.splits(reads, known, c);
  }

  async open(request: OpenRequest, c: Context): Promise<Reader> {
    const { id } = request.split;
    const before = this.intakes.get(id);
    if (before !== undefined && (await canGoOn(before)))
      return new SpoolReader(await before, request.at, c.signal);
    const intake = SpoolIntake.open(this.source, request, join(this.folder, nameOf(id)), this.run);
    this.intakes.set(id, intake);
    return new SpoolReader(await intake, request.at, c.signal);
  }

  /** Ends reading the source. What is spooled and not committed stays for the next run, where it can go on from there. */
  async endRun(): Promise<void> {
    const open = [...this.intakes.values()];
    this.intakes.clear();
    for (const intake of open) await (await intake.catch(() => undefined))?.end();
  }
}

/** One whose source has failed is over, and its place taken by another, unless its source cannot be opened again. */
async function canGoOn(opening: Promise<SpoolIntake>): Promise<boolean> {
  const intake = await opening.catch(() => undefined);
  if (intake === undefined) return false;
  if (!intake.failed || intake.volatile) return true;
  await intake.end();
  return false;
}

/** A short name for a folder, that no other split has. */
function nameOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 16);
}

/** Fills a split's spool, as its readers ask for more. */
class SpoolIntake {
  private readonly messages: AsyncIterator<Message>;
  /** The last checkpoint that is spooled. */
  private reached: Json;
  private pulling: Promise<boolean> | undefined;
  private ended: boolean;
  private failure: { readonly error: unknown } | undefined;

  private constructor(
    readonly spool: Spool,
    private readonly folder: string,
    private readonly reader: Reader | undefined,
    readonly volatile: boolean,
    at: Json,
  ) {
    this.reached = at;
    this.ended = reader === undefined;
    this.messages = (reader ?? { async *[Symbol.asyncIterator]() {} })[Symbol.asyncIterator]();
  }

  /** `home` is the split's; what is in it of other generations, and of earlier runs' pipes, is of no use any more. */
  static async open(source: Source, request: OpenRequest, home: string, run: Context): Promise<SpoolIntake> {
    const volatile = request.split.volatile === true;
    const generation = String(request.reads[0]?.generation ?? 0);
    for (const name of await readdir(home).catch(() => [])) {
      if (volatile || name !== generation) await rm(join(home, name), { recursive: true, force: true });
    }
    const folder = join(home, generation);
    const spool = await Spool.open(folder);
    const { position = request.at, sealed = false } = spool.end ?? {};
    // A spool that was sealed has everything, and its source nothing more.
    const reader = sealed ? undefined : await source.open({ ...request, at: position, cuts: [] }, run);
    await reader?.ack?.(position);
    return new SpoolIntake(spool, folder, reader, volatile, position);
  }

  /** Where a reader begins. */
  placeOf(at: Json): SpoolPlace | undefined {
    return this.spool.end === undefined ? undefined : this.spool.placeOf(at);
  }

  get failed(): boolean {
    return this.failure !== undefined;
  }

  /** Lets go of what is before a place that all readers are behind. */
  async forget(position: Json): Promise<void> {
    const { spool } = this;
    if (spool.end === undefined) return;
    if (spool.end.sealed && JSON.stringify(position) === JSON.stringify(spool.end.position))
      await spool.clear();
    else await spool.forget(position);
  }

  /** Takes one message more from the source; false at its end. Readers that ask at once share it. */
  more(): Promise<boolean> {
    this.pulling ??= this.pull().finally(() => {
      this.pulling = undefined;
    });
    return this.pulling;
  }

  async end(): Promise<void> {
    await this.reader?.close();
    await this.pulling?.catch(() => {});
    await this.spool.close();
    if (this.volatile) await rm(this.folder, { recursive: true, force: true });
  }

  private async pull(): Promise<boolean> {
    if (this.failure !== undefined) throw this.failure.error;
    if (this.ended) return false;
    try {
      const next = await this.messages.next();
      if (next.done === true) {
        this.ended = true;
        return false;
      }
      await this.add(next.value);
      return true;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }

  private async add(message: Message): Promise<void> {
    await this.spool.add(message, this.reached);
    if (message.kind !== 'checkpoint') return;
    this.reached = message.position;
    this.ended = message.sealed === true;
    await this.reader?.ack?.(message.position);
  }
}

class SpoolReader implements Reader {
  private readonly closing = new AbortController();

  constructor(
    private readonly intake: SpoolIntake,
    private readonly at: Json,
    private readonly signal: AbortSignal,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    let place: SpoolPlace | undefined;
    for (;;) {
      place ??= this.intake.placeOf(this.at);
      const next = place && (await this.intake.spool.next(place));
      if (next !== undefined) {
        place = next.behind;
        yield next.message;
        if (next.message.kind === 'checkpoint' && next.message.sealed) return;
      } else if (!(await this.wait(this.intake.more()))) return;
    }
  }

  /** The rest stays for others: closing a reader ends its waiting, and not what it waits for. */
  private wait(more: Promise<boolean>): Promise<boolean> {
    const closed = this.closing.signal;
    const ended = AbortSignal.any([closed, this.signal]);
    return new Promise((resolve, reject) => {
      const leave = () => (closed.aborted ? resolve(false) : reject(this.signal.reason));
      if (ended.aborted) leave();
      ended.addEventListener('abort', leave, { once: true });
      more.then(resolve, reject).finally(() => ended.removeEventListener('abort', leave));
    });
  }

  ack(position: Json): Promise<void> {
    return this.intake.forget(position);
  }

  async close(): Promise<void> {
    this.closing.abort();
  }
}

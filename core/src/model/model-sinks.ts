/** The model's sinks: what each protocol's target durably holds, and sinks over it as the contract wants them. */
import type {
  Batch,
  Clear,
  Epoch,
  LaneRequest,
  Protocol,
  RecoveredState,
  Sink,
  SinkCapabilities,
  SinkJob,
  SinkRecord,
  SluiceError,
  SplitRecord,
  StreamRecord,
  TablePlan,
  Token,
  WriteMode,
  Writer,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { modelSchema } from './model-source.js';
import type { Process, World } from './world.js';

interface StagedEpoch {
  readonly epoch: Epoch;
  readonly ids: readonly number[];
  readonly stream: string;
}

/** What survives every crash of the processes that write to it. */
export class ModelTarget {
  fence = 0n;
  seen = false;
  streams: { [stream: string]: StreamRecord } = {};
  splits: { [split: string]: SplitRecord } = {};
  /** Ids that readers see, per stream. */
  readonly visible = new Map<string, number[]>();
  /** Ids of generations that are not published, per stream and generation. */
  readonly staging = new Map<string, number[]>();
  /** Two-phase: epochs that are staged, by name. */
  readonly staged = new Map<string, StagedEpoch>();
  /** What was ever visible at once, per stream: publishing must not show halves. */
  readonly shown: { readonly stream: string; readonly ids: readonly number[] }[] = [];
  /** The error of every write, while there is one. */
  broken: SluiceError | undefined;

  constructor(
    readonly protocol: Protocol,
    readonly write: WriteMode,
  ) {}

  /** The ids that readers see, in order. */
  ids(stream: string): number[] {
    return [...(this.visible.get(stream) ?? [])].sort((a, b) => a - b);
  }

  get usesStaging(): boolean {
    return this.write === 'replace';
  }

  land(stream: string, generation: number, ids: readonly number[]): void {
    const [place, key] = this.usesStaging
      ? [this.staging, `${stream}@${generation}`]
      : ([this.visible, stream] as const);
    const there = place.get(key) ?? [];
    const merged =
      this.protocol === 'keyed' || this.write === 'upsert'
        ? [...new Set([...there, ...ids])]
        : [...there, ...ids];
    place.set(key, merged);
    if (!this.usesStaging) this.shown.push({ stream, ids: merged });
  }

  record(source: string, fence: bigint): SinkRecord {
    return { source, fence, streams: { ...this.streams }, splits: { ...this.splits } };
  }
}

const fenced = () => coreErrors.fenced('another run has raised the fence');

export class ModelSink implements Sink {
  readonly capabilities: SinkCapabilities;

  constructor(
    private readonly world: World,
    private readonly process: Process,
    private readonly target: ModelTarget,
  ) {
    this.capabilities = {
      modes: { [target.write]: target.protocol },
      transactions: 'partial',
      partialUpdates: false,
      move: false,
      guard: false,
      writers: 4,
    };
  }

  private get keepsRecord(): boolean {
    return this.target.protocol === 'atomic' || this.target.protocol === 'two-phase';
  }

  async check(): Promise<void> {}
  async identity(): Promise<string> {
    return 'model-sink';
  }
  async plan(): Promise<TablePlan[]> {
    return [];
  }

  async attach(job: SinkJob): Promise<SinkRecord | undefined> {
    await this.world.land();
    return this.process.step('sink.attach', () => {
      if (!this.keepsRecord) return undefined;
      const found = this.target.seen ? this.target.record(job.source, this.target.fence) : undefined;
      if (!this.target.seen || this.target.fence < job.fence) this.target.fence = job.fence;
      this.target.seen = true;
      return found;
    });
  }

  async adopt(job: SinkJob, record: Pick<SinkRecord, 'streams' | 'splits'>): Promise<void> {
    if (!this.keepsRecord) return;
    await this.process.step('sink.adopt', () => {
      this.checkFence(job.fence);
      for (const [stream, theirs] of Object.entries(record.streams)) {
        const published = this.target.streams[stream];
        const same = published?.generation === theirs.generation;
        this.target.streams[stream] = same
          ? { ...theirs, published: published.published || theirs.published }
          : theirs;
        for (const [id, split] of Object.entries(this.target.splits)) {
          if (split.split.streams.includes(stream) && split.generation !== theirs.generation)
            delete this.target.splits[id];
        }
      }
      for (const [id, split] of Object.entries(record.splits)) {
        const ours = this.target.splits[id];
        if (!ours || ours.generation !== split.generation || ours.epoch < split.epoch)
          this.target.splits[id] = split;
      }
    });
  }

  async applySchema(job: SinkJob, table: TablePlan, generation: number): Promise<void> {
    await this.process.step('sink.applySchema', () => {
      if (this.keepsRecord) this.checkFence(job.fence);
      for (const key of this.target.staging.keys()) {
        if (key.startsWith(`${table.stream}@`) && key !== `${table.stream}@${generation}`)
          this.target.staging.delete(key);
      }
    });
  }

  async recover(_job: SinkJob, tokens: readonly Token[]): Promise<RecoveredState[]> {
    return this.process.step('sink.recover', () =>
      tokens.map((token) => {
        const { split, number, generation } = token as { split: string; number: number; generation: number };
        const record = this.target.splits[split];
        if (record && record.generation === generation && record.epoch >= number) return 'committed';
        return this.target.staged.has(nameOf(token)) ? 'committable' : 'lost';
      }),
    );
  }

  async commitPrepared(job: SinkJob, tokens: readonly Token[]): Promise<void> {
    for (const token of tokens) {
      await this.process.step('sink.commitPrepared', () => {
        this.checkFence(job.fence);
        this.publishStaged(token);
      });
    }
  }

  async publish(job: SinkJob, table: TablePlan, generation: number): Promise<void> {
    await this.process.step(
      'sink.publish',
      () => {
        if (this.keepsRecord) this.checkFence(job.fence);
        const { stream } = table;
        if (this.target.streams[stream]?.published && this.target.streams[stream].generation === generation)
          return;
        if (this.target.usesStaging) {
          const ids = this.target.staging.get(`${stream}@${generation}`) ?? [];
          this.target.visible.set(stream, ids);
          this.target.shown.push({ stream, ids });
          this.target.staging.delete(`${stream}@${generation}`);
        }
        this.target.streams[stream] = { generation, published: true };
      },
      true,
    );
  }

  async open(lane: LaneRequest): Promise<Writer> {
    await this.process.step('sink.open', () => {});
    let accepted: number[] = [];
    const stream = lane.tables[0]!.stream;
    const { target, process } = this;
    const verbs = {
      async write(message: Batch | Clear) {
        if (message.kind === 'clear') throw new TypeError('the model clears nothing');
        if (target.broken !== undefined) throw target.broken;
        accepted.push(...message.rows().map((row) => row['id'] as number));
      },
      async abort() {
        accepted = [];
      },
      async close() {},
    };
    if (target.protocol === 'atomic') {
      return {
        ...verbs,
        protocol: 'atomic',
        commit: async (epoch) => {
          const ids = accepted;
          accepted = [];
          await process.step('writer.commit', () => this.commitAtomic(stream, epoch, ids), true);
        },
      };
    }
    if (target.protocol === 'two-phase') {
      return {
        ...verbs,
        protocol: 'two-phase',
        prepare: async (epoch) => {
          const ids = accepted;
          accepted = [];
          const token = tokenOf(epoch);
          await process.step(
            'writer.prepare',
            () => void target.staged.set(nameOf(token), { epoch, ids, stream }),
          );
          return token;
        },
        commit: (token) =>
          process.step(
            'writer.commit',
            () => {
              this.checkFence(lane.job.fence);
              this.publishStaged(token);
            },
            true,
          ),
      };
    }
    const protocol = target.protocol;
    return {
      ...verbs,
      protocol,
      flush: async (epoch) => {
        const ids = accepted;
        accepted = [];
        await process.step('writer.flush', () => target.land(stream, epoch.generation, ids));
      },
    };
  }

  private checkFence(fence: bigint): void {
    if (fence !== this.target.fence) throw fenced();
  }

  private commitAtomic(stream: string, epoch: Epoch, ids: readonly number[]): void {
    this.checkFence(epoch.fence);
    const record = this.target.splits[epoch.split.id];
    if (record && record.generation === epoch.generation && record.epoch >= epoch.number) return;
    this.target.land(stream, epoch.generation, ids);
    this.target.splits[epoch.split.id] = recordOf(epoch);
  }

  private publishStaged(token: Token): void {
    const staged = this.target.staged.get(nameOf(token));
    if (staged === undefined) return;
    const { epoch, ids, stream } = staged;
    this.target.staged.delete(nameOf(token));
    const record = this.target.splits[epoch.split.id];
    if (record && record.generation === epoch.generation && record.epoch >= epoch.number) return;
    this.target.land(stream, epoch.generation, ids);
    this.target.splits[epoch.split.id] = recordOf(epoch);
  }
}

function recordOf(epoch: Epoch): SplitRecord {
  const { split, generation, number, position, sealed } = epoch;
  return { split, generation, epoch: number, position, sealed };
}

function tokenOf({ split, number, generation, fence }: Epoch): Token {
  return { split: split.id, number, generation, fence: fence.toString() };
}

function nameOf(token: Token): string {
  return `${token['split']}@${token['generation']}.${token['number']}.${token['fence']}`;
}

/** A table plan over a target. */
export function modelTable(stream: string, { protocol, write }: ModelTarget): TablePlan {
  const schema = modelSchema(stream);
  const shape = {
    stream,
    target: stream,
    schema,
    write,
    protocol,
    exists: true,
    ddl: [],
    types: [],
    detail: null,
  };
  return { ...shape, publish: write === 'replace' ? 'swap' : 'none' };
}

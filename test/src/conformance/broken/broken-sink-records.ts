/** Sinks that forget who may write, or what is committed. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Context, Epoch, Json, SinkJob, SinkRecord, Token } from '@sluice/sdk';
import { type BrokenSink, brokenSink } from './broken-sink.js';
import type { MemoryJob } from './memory-database.js';
import { type Lane, MemorySink } from './memory-sink.js';

type Adopted = Pick<SinkRecord, 'streams' | 'splits'>;

export const brokenRecords: readonly BrokenSink[] = [
  brokenSink(
    'SNK-12',
    'answers with the fence that it has raised',
    class extends MemorySink {
      override async attach(job: SinkJob, c: Context) {
        const found = await super.attach(job, c);
        return found && { ...found, fence: job.fence };
      }
    },
  ),
  brokenSink(
    'SNK-12',
    'has a record before it has seen the job',
    class extends MemorySink {
      override async attach(job: SinkJob, c: Context) {
        return (await super.attach(job, c)) ?? { source: job.source, fence: 0n, streams: {}, splits: {} };
      }
    },
  ),
  brokenSink(
    'SNK-13',
    'lets an older run lower the fence',
    class extends MemorySink {
      override async attach(job: SinkJob, c: Context) {
        const found = await super.attach(job, c);
        this.database.jobs.get(job.id)!.fence = job.fence;
        return found;
      }
    },
  ),
  brokenSink(
    'SNK-14',
    'says that it remembers and does not',
    class extends MemorySink {
      override async attach(job: SinkJob): Promise<SinkRecord> {
        return { source: job.source, fence: job.fence - 1n, streams: {}, splits: {} };
      }
    },
    { protocol: 'append' },
  ),
  brokenSink(
    'SNK-15',
    'does not look at the fence',
    class extends MemorySink {
      protected override recordOf(job: SinkJob): MemoryJob {
        return this.database.jobs.get(job.id)!;
      }
    },
  ),
  brokenSink('SNK-16', 'looks at the fence in commits only', FencelessVerbs()),
  brokenSink(
    'SNK-17',
    'takes the position null for none',
    class extends MemorySink {
      override adopt(job: SinkJob, { streams, splits }: Adopted, c: Context) {
        const kept = Object.entries(splits).map(
          ([id, split]) => [id, { ...split, position: split.position ?? 0 }] as const,
        );
        return super.adopt(job, { streams, splits: Object.fromEntries(kept) }, c);
      }
    },
  ),
  brokenSink(
    'SNK-18',
    'sets positions back',
    class extends MemorySink {
      override async adopt(job: SinkJob, adopted: Adopted, c: Context) {
        await super.adopt(job, adopted, c);
        Object.assign(this.recordOf(job).splits, adopted.splits);
      }
    },
  ),
  brokenSink(
    'SNK-18',
    'forgets that a generation is published',
    class extends MemorySink {
      override async adopt(job: SinkJob, adopted: Adopted, c: Context) {
        await super.adopt(job, adopted, c);
        Object.assign(this.recordOf(job).streams, adopted.streams);
      }
    },
  ),
  brokenSink(
    'SNK-19',
    'keeps the splits of older generations',
    class extends MemorySink {
      override async adopt(job: SinkJob, adopted: Adopted, c: Context) {
        const before = { ...this.recordOf(job).splits };
        await super.adopt(job, adopted, c);
        const { splits } = this.recordOf(job);
        for (const [id, split] of Object.entries(before)) splits[id] ??= split;
      }
    },
  ),
  brokenSink(
    'SNK-19',
    'forgets the other streams',
    class extends MemorySink {
      override async adopt(job: SinkJob, adopted: Adopted, c: Context) {
        this.recordOf(job).splits = {};
        await super.adopt(job, adopted, c);
      }
    },
  ),
  brokenSink('SNK-20', 'has one record for all jobs', OneRecord()),
  brokenSink(
    'SNK-21',
    'looks at the fence, and commits later',
    class extends MemorySink {
      protected override async commit(lane: Lane, epoch: Epoch): Promise<void> {
        const record = this.recordOf(lane.request.job);
        for (let i = 0; i < 5; i++) await turn();
        this.apply(lane.request, lane.pending, epoch);
        lane.pending = [];
        record.splits[epoch.split.id] = this.standAfter(epoch);
      }
    },
  ),
  brokenSink(
    'SNK-26',
    'commits positions without rows',
    class extends MemorySink {
      protected override apply(): void {}
    },
  ),
  brokenSink(
    'SNK-26',
    'commits rows without positions',
    class extends MemorySink {
      protected override async commit(lane: Lane, epoch: Epoch): Promise<void> {
        this.apply(lane.request, lane.pending, epoch);
        lane.pending = [];
      }
    },
  ),
  brokenSink(
    'SNK-27',
    'commits an epoch as often as it is told to',
    class extends MemorySink {
      protected override isCommitted(): boolean {
        return false;
      }
    },
  ),
  brokenSink(
    'SNK-28',
    'normalises the text of positions',
    class extends MemorySink {
      protected override stored(position: Json): Json {
        return JSON.parse(JSON.stringify(position).normalize('NFC')) as Json;
      }
    },
  ),
  brokenSink(
    'SNK-29',
    'does not commit an epoch without rows',
    class extends MemorySink {
      protected override async commit(lane: Lane, epoch: Epoch): Promise<void> {
        if (lane.pending.length > 0) await super.commit(lane, epoch);
      }
    },
  ),
];

/** A sink that lets verbs of older runs through, all but commits. */
function FencelessVerbs() {
  return class extends MemorySink {
    private current(job: SinkJob): SinkJob {
      return { ...job, fence: this.database.jobs.get(job.id)!.fence };
    }
    override adopt(job: SinkJob, adopted: Adopted, c: Context) {
      return super.adopt(this.current(job), adopted, c);
    }
    override publish(
      job: SinkJob,
      ...rest: [Parameters<MemorySink['publish']>[1], number, { allowEmpty: boolean }, Context]
    ) {
      return super.publish(this.current(job), ...rest);
    }
  };
}

/** A sink that does not tell jobs apart. */
function OneRecord() {
  const anonymous = (job: SinkJob): SinkJob => ({ ...job, id: 'the job' });
  return class extends MemorySink {
    override attach(job: SinkJob, c: Context) {
      return super.attach(anonymous(job), c);
    }
    protected override recordOf(job: SinkJob): MemoryJob {
      return super.recordOf(anonymous(job));
    }
  };
}

/** Epochs that are staged by this object, and gone with it. */
class ForgetfulSink extends MemorySink {
  private readonly own = new Set<string>();
  protected override async prepare(lane: Lane, epoch: Epoch): Promise<Token> {
    const token = await super.prepare(lane, epoch);
    this.own.add(JSON.stringify(token));
    return token;
  }
  override async recover(job: SinkJob, tokens: readonly Token[], c: Context) {
    const states = await super.recover(job, tokens, c);
    return states.map((state, i) =>
      state === 'committable' && !this.own.has(JSON.stringify(tokens[i])) ? 'lost' : state,
    );
  }
}

export const brokenTwoPhase: readonly BrokenSink[] = [
  brokenSink('SNK-39', 'loses what it has prepared when it ends', ForgetfulSink, { protocol: 'two-phase' }),
  brokenSink(
    'SNK-40',
    'calls everything committable',
    class extends MemorySink {
      override async recover(_job: SinkJob, tokens: readonly Token[]) {
        return tokens.map(() => 'committable' as const);
      }
    },
    { protocol: 'two-phase' },
  ),
  brokenSink(
    'SNK-41',
    'publishes a token as often as it is told to',
    class extends MemorySink {
      protected override publishPrepared(job: SinkJob, token: Token): void {
        const { prepared } = this.database;
        const staged = new Map(prepared);
        super.publishPrepared(job, token);
        for (const [name, epoch] of staged) prepared.set(name, epoch);
      }
      protected override isCommitted(): boolean {
        return false;
      }
    },
    { protocol: 'two-phase' },
  ),
  brokenSink(
    'SNK-42',
    'does not overwrite what an earlier run has staged',
    class extends MemorySink {
      protected override async prepare(lane: Lane, epoch: Epoch): Promise<Token> {
        const staged = new Map(this.database.prepared);
        const token = await super.prepare(lane, { ...epoch, fence: 0n });
        for (const [name, earlier] of staged) this.database.prepared.set(name, earlier);
        return token;
      }
    },
    { protocol: 'two-phase' },
  ),
  brokenSink(
    'SNK-43',
    'looks at the fence when it prepares only',
    class extends MemorySink {
      protected override async commitToken(lane: Lane, token: Token): Promise<void> {
        const { job } = lane.request;
        this.publishPrepared({ ...job, fence: this.database.jobs.get(job.id)!.fence }, token);
      }
    },
    { protocol: 'two-phase' },
  ),
];

/** Sinks that lose, repeat or bend rows. */
import type { Batch, Clear, Epoch, LaneRequest, PublishOptions, Row, SinkJob, TablePlan } from '@sluice/sdk';
import { type BrokenSink, brokenSink, changedRows, type Where } from './broken-sink.js';
import { leak } from './broken-source.js';
import type { MemoryTable } from './memory-database.js';
import { memoryErrors } from './memory-errors.js';
import { type Lane, MemorySink } from './memory-sink.js';

export const brokenCommits: readonly BrokenSink[] = [
  brokenSink(
    'SNK-24',
    'makes rows visible when they are written',
    class extends MemorySink {
      protected override async write(lane: Lane, message: Batch | Clear): Promise<void> {
        this.apply(lane.request, [message], { generation: lane.request.generation } as Epoch);
      }
    },
  ),
  brokenSink(
    'SNK-25',
    'does not forget what was aborted',
    class extends MemorySink {
      protected override async abort(): Promise<void> {}
    },
  ),
  changedRows('SNK-30', 'takes the first thousand rows of a batch', (rows) => rows.slice(0, 1000)),
  brokenSink(
    'SNK-31',
    'sorts the rows of its batches',
    class extends MemorySink {
      protected override tryOut(lane: Lane, batch: Batch): void {
        (batch.rows() as Row[]).reverse();
        super.tryOut(lane, batch);
      }
    },
  ),
  brokenSink(
    'SNK-32',
    'writes every stream of a lane to its first target',
    class extends MemorySink {
      protected override apply(
        request: LaneRequest,
        messages: readonly (Batch | Clear)[],
        epoch: Epoch,
      ): void {
        const first = request.tables[0]!;
        const tables = request.tables.map((table) => ({ ...first, stream: table.stream }));
        super.apply({ ...request, tables }, messages, epoch);
      }
    },
  ),
  brokenSink(
    'SNK-33',
    'has one writer and declares four',
    class extends MemorySink {
      private opened = 0;
      override async open(...request: Parameters<MemorySink['open']>) {
        if (++this.opened > 1) throw new Error('the connection is in use');
        return super.open(...request);
      }
    },
  ),
  brokenSink(
    'SNK-34',
    'keeps a batch back when it flushes',
    class extends MemorySink {
      protected override async flush(lane: Lane, epoch: Epoch): Promise<void> {
        const kept = lane.pending.pop();
        await super.flush(lane, epoch);
        if (kept !== undefined) lane.pending = [kept];
      }
    },
    { protocol: 'append' },
  ),
  brokenSink(
    'SNK-35',
    'adds rows whose key is there',
    class extends MemorySink {
      protected override upsert(rows: Row[], table: TablePlan, batch: Batch): void {
        this.append(rows, table, batch);
      }
    },
    { protocol: 'keyed' },
  ),
  brokenSink(
    'SNK-36',
    'does not see a Clear',
    class extends MemorySink {
      protected override async write(lane: Lane, message: Batch | Clear): Promise<void> {
        if (message.kind === 'batch') await super.write(lane, message);
      }
    },
  ),
  brokenSink(
    'SNK-37',
    'publishes once',
    class extends MemorySink {
      override async publish(...request: Parameters<MemorySink['publish']>): Promise<void> {
        const [, table] = request;
        if (this.database.tables.get(table.target)?.published !== undefined)
          throw new Error('published already');
        await super.publish(...request);
      }
    },
    { write: 'replace' },
  ),
  brokenSink(
    'SNK-38',
    'forgets the last batch only when it is aborted',
    class extends MemorySink {
      protected override async abort(lane: Lane): Promise<void> {
        lane.pending.pop();
      }
    },
  ),
  brokenSink(
    'SNK-61',
    'takes nothing more once it has refused',
    class extends MemorySink {
      private failed = false;
      protected override tryOut(lane: Lane, batch: Batch): void {
        if (this.failed) throw memoryErrors.fenced('the transaction has failed');
        this.failed = true;
        super.tryOut(lane, batch);
        this.failed = false;
      }
    },
  ),
  brokenSink(
    'SNK-62',
    'leaves a timer behind each writer',
    class extends MemorySink {
      override async open(...request: Parameters<MemorySink['open']>) {
        leak();
        return super.open(...request);
      }
    },
  ),
];

const replacing: Where = { write: 'replace' };

export const brokenGenerations: readonly BrokenSink[] = [
  brokenSink(
    'SNK-44',
    'fills the target while it copies',
    class extends MemorySink {
      protected override placeOf(table: TablePlan): Row[] {
        return this.database.tables.get(table.target)!.rows;
      }
      protected override swap(): void {}
    },
    replacing,
  ),
  brokenSink(
    'SNK-44',
    'publishes half',
    class extends MemorySink {
      protected override swap(target: MemoryTable, staged: Row[], options: PublishOptions): void {
        super.swap(target, staged.slice(0, Math.ceil(staged.length / 2)), options);
      }
    },
    replacing,
  ),
  brokenSink(
    'SNK-45',
    'publishes nothing when it publishes again',
    class extends MemorySink {
      override async publish(...request: Parameters<MemorySink['publish']>): Promise<void> {
        const [job, table, generation, , c] = request;
        delete this.database.tables.get(table.target)!.published;
        await super.publish(job, table, generation, { allowEmpty: true }, c);
      }
    },
    replacing,
  ),
  brokenSink(
    'SNK-46',
    'keeps the staging of generations that were given up',
    class extends MemorySink {
      protected override dropStaging(): void {}
      protected override placeOf(table: TablePlan, name: string): Row[] {
        return super.placeOf(table, name.replace(/@.*/, ''));
      }
      override async publish(...request: Parameters<MemorySink['publish']>): Promise<void> {
        const [job, table, generation] = request;
        const { staging } = this.database;
        const common = `${job.id}/${table.stream}`;
        staging.set(`${common}@${generation}`, staging.get(common) ?? []);
        await super.publish(...request);
      }
    },
    replacing,
  ),
  brokenSink(
    'SNK-47',
    'empties a target without being allowed to',
    class extends MemorySink {
      protected override swap(target: MemoryTable, staged: Row[]): void {
        super.swap(target, staged, { allowEmpty: true });
      }
    },
    replacing,
  ),
  brokenSink(
    'SNK-48',
    'adds the next generation to the last',
    class extends MemorySink {
      protected override swap(target: MemoryTable, staged: Row[], options: PublishOptions): void {
        super.swap(target, [...target.rows, ...staged], options);
      }
    },
    replacing,
  ),
  brokenSink(
    'SNK-49',
    'begins a generation anew in each run',
    class extends MemorySink {
      protected override dropStaging(job: SinkJob, table: TablePlan): void {
        super.dropStaging(job, table, -1);
      }
    },
    replacing,
  ),
  brokenSink(
    'SNK-50',
    'refuses to publish what has no rows, though nothing is replaced',
    class extends MemorySink {
      override async publish(...request: Parameters<MemorySink['publish']>): Promise<void> {
        if (request[2] > 1) throw memoryErrors.wouldEmpty('no rows were staged');
        await super.publish(...request);
      }
    },
    { write: 'append' },
  ),
  brokenSink(
    'SNK-51',
    'keeps what is missing',
    class extends MemorySink {
      protected override deleteMissing(): void {}
    },
    { write: 'mirror' },
  ),
];

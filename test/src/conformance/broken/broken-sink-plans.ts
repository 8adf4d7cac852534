/** Sinks that plan wrongly, or shape their targets wrongly. */
import type {
  Batch,
  Context,
  Finding,
  Json,
  Row,
  SinkCapabilities,
  SinkJob,
  SinkStream,
  TablePlan,
} from '@sluice/sdk';
import { type BrokenSink, brokenSink } from './broken-sink.js';
import type { MemoryTable } from './memory-database.js';
import { MemorySink } from './memory-sink.js';
import { memoryModes } from './memory-sink-config.js';

let counter = 0;

/** A sink whose plans are changed. */
function changedPlan(
  rule: string,
  what: string,
  change: (table: TablePlan, sink: MemorySink) => TablePlan,
): BrokenSink {
  return brokenSink(
    rule,
    what,
    class extends MemorySink {
      protected override planOne(stream: SinkStream): TablePlan {
        return change(super.planOne(stream), this);
      }
    },
  );
}

export const brokenPlans: readonly BrokenSink[] = [
  brokenSink(
    'SNK-01',
    'declares another protocol than it has',
    class extends MemorySink {
      override get capabilities(): SinkCapabilities {
        return { ...super.capabilities, modes: memoryModes.keyed };
      }
    },
  ),
  brokenSink(
    'SNK-02',
    'leaves a table behind when it is checked',
    class extends MemorySink {
      override async check(): Promise<void> {
        this.database.tables.set('orders', { fields: [], rows: [{ id: 0n }], owner: 'check' });
      }
    },
  ),
  brokenSink(
    'SNK-03',
    'finds everything well without looking',
    class extends MemorySink {
      override async check(): Promise<void> {}
    },
  ),
  brokenSink(
    'SNK-04',
    'has an id only once something is stored',
    class extends MemorySink {
      override async identity(): Promise<string> {
        return `memory:${this.database.tables.size}`;
      }
    },
  ),
  changedPlan('SNK-05', 'has a date in its plan', (table) => ({
    ...table,
    detail: { made: new Date(0) as unknown as Json },
  })),
  changedPlan('SNK-05', 'plans something else each time', (table) => ({
    ...table,
    notes: [`plan ${++counter}`],
  })),
  changedPlan('SNK-06', 'says nothing of its first column', (table) => ({
    ...table,
    types: table.types.slice(1),
  })),
  brokenSink(
    'SNK-07',
    'creates the table when it plans',
    class extends MemorySink {
      protected override planOne(stream: SinkStream): TablePlan {
        const table = super.planOne(stream);
        this.createTarget({ id: 'plan', source: '', fence: 0n }, table);
        return table;
      }
    },
  ),
  brokenSink(
    'SNK-08',
    'takes any write mode',
    class extends MemorySink {
      protected override planOne(stream: SinkStream): TablePlan {
        return super.planOne({ ...stream, write: 'append' });
      }
    },
    { protocol: 'two-phase' },
  ),
  brokenSink(
    'SNK-09',
    'does not look at the save mode',
    class extends MemorySink {
      protected override planOne(stream: SinkStream): TablePlan {
        return super.planOne({ ...stream, save: 'keep' });
      }
    },
  ),
  brokenSink(
    'SNK-10',
    'takes the odd characters out of names',
    class extends MemorySink {
      protected override planOne(stream: SinkStream): TablePlan {
        return super.planOne({ ...stream, target: stream.target.replace(/\W/g, '_') });
      }
    },
  ),
  changedPlan('SNK-11', 'has its token in its plans', (table, { config }) => ({
    ...table,
    ddl: [`connect to ${config.place} with ${config.token}`],
  })),
];

export const brokenSchemas: readonly BrokenSink[] = [
  brokenSink(
    'SNK-22',
    'creates the table anew each time',
    class extends MemorySink {
      protected override createTarget(job: SinkJob, table: TablePlan): void {
        this.database.tables.delete(table.target);
        super.createTarget(job, table);
      }
    },
  ),
  brokenSink(
    'SNK-23',
    'never adds a column',
    class extends MemorySink {
      protected override reshape(_there: MemoryTable, _table: TablePlan): void {}
      protected override rowsOf(table: TablePlan, batch: Batch): Row[] {
        const { fields } = this.database.tables.get(table.target)!;
        const known = (row: Row) =>
          Object.fromEntries(fields.map(({ name }) => [name, row[name] ?? null])) as Row;
        return super.rowsOf(table, batch).map(known);
      }
    },
  ),
];

export const brokenLives: readonly BrokenSink[] = [
  brokenSink(
    'SNK-63',
    'waits on when it is aborted',
    class extends MemorySink {
      override attach(job: SinkJob, c: Context) {
        return c.signal.aborted ? new Promise<never>(() => {}) : super.attach(job, c);
      }
    },
  ),
  brokenSink(
    'SNK-64',
    'has its token in a finding',
    class extends MemorySink {
      async diagnose(): Promise<Finding[]> {
        return [{ level: 'ok', what: `connected with ${this.config.token}` }];
      }
    },
  ),
  brokenSink(
    'SNK-64',
    'says what is wrong and not what mends it',
    class extends MemorySink {
      async diagnose(): Promise<Finding[]> {
        return [{ level: 'warn', what: 'the disk is full', fix: '' }];
      }
    },
  ),
  brokenSink(
    'SNK-65',
    'cleans before it is certain',
    class extends MemorySink {
      override clean(job: string, _certain: boolean, c: Context) {
        return super.clean(job, true, c);
      }
    },
  ),
  brokenSink(
    'SNK-65',
    'takes the record of every job away',
    class extends MemorySink {
      override async clean(job: string, certain: boolean, c: Context) {
        const steps = await super.clean(job, certain, c);
        if (certain) this.database.jobs.clear();
        return steps;
      }
    },
  ),
  brokenSink(
    'SNK-65',
    'takes the job’s rows away too',
    class extends MemorySink {
      override async clean(job: string, certain: boolean, c: Context) {
        const steps = await super.clean(job, certain, c);
        for (const table of this.database.tables.values())
          if (certain && table.owner === job) table.rows = [];
        return steps;
      }
    },
  ),
];

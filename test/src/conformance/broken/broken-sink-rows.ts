/** Sinks that lose, repeat or bend rows. */
import type {
  Batch,
  Clear,
  Epoch,
  LaneRequest,
  PublishOptions,
  Row,
  SinkJob,
  TablePlan,
  Value,
} from '@sluice/sdk';
import { Special, UNCHANGED } from '@sluice/sdk';
import { type BrokenSink, brokenSink, type Where } from './broken-sink.js';
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

const upserting: Where = { write: 'upsert' };

export const brokenKeys: readonly BrokenSink[] = [
  brokenSink(
    'SNK-52',
    'keeps the first row of a key',
    class extends MemorySink {
      protected override upsert(rows: Row[], table: TablePlan, batch: Batch, written: Set<string>): void {
        const reversed = Uint32Array.from({ length: batch.rowCount }, (_, i) => batch.rowCount - 1 - i);
        super.upsert(rows, table, batch.select(reversed), written);
      }
    },
    upserting,
  ),
  brokenSink(
    'SNK-53',
    'deletes after it has written',
    class extends MemorySink {
      protected override upsert(rows: Row[], table: TablePlan, batch: Batch, written: Set<string>): void {
        const order = Array.from({ length: batch.rowCount }, (_, i) => i);
        order.sort((a, b) => Number(batch.opAt(a) === 'delete') - Number(batch.opAt(b) === 'delete'));
        super.upsert(rows, table, batch.select(Uint32Array.from(order)), written);
      }
    },
    upserting,
  ),
  brokenSink(
    'SNK-54',
    'takes a move for an upsert',
    class extends MemorySink {
      protected override upsert(rows: Row[], table: TablePlan, batch: Batch, written: Set<string>): void {
        const moves = batch.opAt(0) === 'move';
        super.upsert(
          rows,
          table,
          moves
            ? batch.derive(
                batch.schema,
                batch.schema.fields.map((_, i) => i),
              )
            : batch,
          written,
        );
      }
      protected override keyOf(table: TablePlan, row: Row): string {
        return row['name'] === UNCHANGED ? 'nobody' : super.keyOf(table, row);
      }
    },
    upserting,
  ),
  changedRows(
    'SNK-55',
    'takes UNCHANGED for null',
    (rows) => eachValue(rows, (value) => (value === UNCHANGED ? null : value)),
    upserting,
  ),
  brokenSink(
    'SNK-56',
    'compares keys without case',
    class extends MemorySink {
      protected override keyOf(table: TablePlan, row: Row): string {
        return super.keyOf(table, row).toLowerCase();
      }
    },
    upserting,
  ),
  brokenSink(
    'SNK-57',
    'joins key columns into one text',
    class extends MemorySink {
      protected override keyOf(table: TablePlan, row: Row): string {
        return table.schema.key.map((name) => String(row[name])).join('');
      }
    },
    upserting,
  ),
];

/** A sink that stores other rows than it gets. */
function changedRows(
  rule: string,
  what: string,
  change: (rows: Row[], batch: Batch) => Row[],
  where?: Where,
): BrokenSink {
  return brokenSink(
    rule,
    what,
    class extends MemorySink {
      protected override rowsOf(table: TablePlan, batch: Batch): Row[] {
        return change(super.rowsOf(table, batch), batch);
      }
    },
    where,
  );
}

function eachValue(rows: readonly Row[], change: (value: Value) => Value): Row[] {
  return rows.map((row): Row => {
    const changed: Row = {};
    for (const [name, value] of Object.entries(row)) changed[name] = change(value as Value);
    return changed;
  });
}

/** As a careless driver does it: through a float. */
const asFloat = (value: Value): Value =>
  typeof value === 'bigint' ? BigInt.asIntN(64, BigInt(Number(value))) : value;

export const brokenValues: readonly BrokenSink[] = [
  changedRows('SNK-58', 'stores integers as floats', (rows) => eachValue(rows, asFloat)),
  changedRows('SNK-58', 'cuts long texts', (rows) =>
    eachValue(rows, (value) => (typeof value === 'string' ? value.slice(0, 65_535) : value)),
  ),
  changedRows('SNK-58', 'bends the values of batches of rows', (rows, batch) => {
    const { makeRows } = batch as unknown as { makeRows?: unknown };
    return makeRows === undefined ? rows : eachValue(rows, asFloat);
  }),
  changedRows('SNK-59', 'takes a special value for null', (rows) =>
    eachValue(rows, (value) => (value instanceof Special ? null : value)),
  ),
  changedRows('SNK-60', 'appends null for UNCHANGED', (rows) =>
    eachValue(rows, (value) => (value === UNCHANGED ? null : value)),
  ),
];

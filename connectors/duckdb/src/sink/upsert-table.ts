/** One table that a lane writes by key: its staged rows, and how they are applied in the commit's transaction. */
import type { Batch, Clear, StreamSchema, TablePlan } from '@sluice/sdk';
import type { Database } from '../database/database.js';
import type { Session } from '../database/session.js';
import { folded, OWN_PREFIX, plainName, qualified, quote, type TableName } from '../tables/identifiers.js';
import { loadIndexes, readShape } from '../tables/table-shape.js';
import { feedColumns } from '../vectors/feed-columns.js';
import type { FeedColumn } from '../vectors/row-feeds.js';
import { vectorType } from '../vectors/vector-write.js';
import { clearSql, markSql } from './clear.js';
import { applyVersions } from './history-sql.js';
import type { Loader, LoadTarget } from './loader.js';
import { upsertParts } from './upsert-rows.js';
import {
  ABSENT,
  applyBeside,
  applyMerged,
  applyMoves,
  applyWhole,
  createMoves,
  createStage,
  DELETES,
  mergePartial,
  mergeWhole,
  OLD,
  SEQUENCE,
} from './upsert-sql.js';

/** What an epoch does to the table, in order. */
type Step =
  | {
      readonly kind: 'rows';
      readonly stage: string;
      readonly schema: StreamSchema;
      partial: boolean;
      readonly load: LoadTarget;
    }
  | { readonly kind: 'moves'; readonly stage: string; readonly schema: StreamSchema }
  | { readonly kind: 'clear'; readonly sql: readonly string[] };

export class UpsertTable {
  private steps: Step[] = [];
  private next = 0;
  private made = 0;
  private indexed = false;

  constructor(
    private readonly database: Database,
    private readonly session: Session,
    private readonly loader: Loader,
    private readonly name: TableName,
    private readonly plan: TablePlan,
    /** Makes the names of temporary tables unique within the connection. */
    private readonly number: number,
  ) {}

  async write(batch: Batch): Promise<void> {
    const { parts, next } = upsertParts(batch, this.next);
    this.next = next;
    for (const part of parts) {
      if (part.kind === 'rows') {
        const step = await this.rowsStep(batch.schema);
        step.partial ||= part.partial;
        await this.loader.add(
          step.load,
          part.rows,
          (batch.byteSize * part.rows.rowCount) / Math.max(1, batch.rowCount),
        );
      } else {
        const load = await this.movesStep(batch.schema);
        await this.loader.add(load, part.rows, 1024);
      }
    }
  }

  clear(message: Clear, schema: StreamSchema): void {
    const table = qualified(this.name);
    const { marks } = message;
    const sql = marks === undefined ? [clearSql(table, message, schema)] : markSql(table, marks);
    this.steps.push({ kind: 'clear', sql });
  }

  /** The step that takes further rows of a shape: the last one, unless something else came in between. */
  private async rowsStep(schema: StreamSchema): Promise<Step & { kind: 'rows' }> {
    const last = this.steps.at(-1);
    if (last?.kind === 'rows' && last.schema.version === schema.version) return last;
    const stage = this.stageName();
    await this.loader.settle();
    await this.session.run(createStage(stage, schema), `stage ${plainName(this.name)}`);
    const { api } = this.database.driver;
    const own: FeedColumn[] = [
      { name: SEQUENCE, ...vectorType({ kind: 'int', bits: 64, signed: true }, this.database.driver) },
      { name: DELETES, ...vectorType({ kind: 'int', bits: 8, signed: false }, this.database.driver) },
      { name: ABSENT, ...vectorType({ kind: 'string' }, this.database.driver), type: api.VARCHAR },
    ];
    const columns = [...feedColumns(schema, this.database.driver), ...own];
    const load = this.loadInto(stage, columns);
    const step: Step = { kind: 'rows', stage, schema, partial: false, load };
    this.steps.push(step);
    return step;
  }

  private async movesStep(schema: StreamSchema): Promise<LoadTarget> {
    const stage = this.stageName();
    await this.loader.settle();
    await this.session.run(createMoves(stage, schema), `stage moves of ${plainName(this.name)}`);
    const columns = feedColumns(schema, this.database.driver)
      .filter((column) => schema.key.includes(column.name))
      .flatMap((column) => [column, { ...column, name: OLD + column.name }]);
    const ordered = schema.key.flatMap((name) =>
      columns.filter((c) => c.name === name || c.name === OLD + name),
    );
    this.steps.push({ kind: 'moves', stage, schema });
    return this.loadInto(stage, ordered);
  }

  private loadInto(stage: string, columns: readonly FeedColumn[]): LoadTarget {
    const names = columns.map((column) => quote(column.name)).join(', ');
    const insert = (rows: string) => `INSERT INTO ${stage} (${names}) SELECT ${names} FROM ${rows}`;
    return { columns, insert, name: plainName(this.name), stream: this.plan.stream };
  }

  private stageName(): string {
    return `${OWN_PREFIX}stage_${this.number}_${++this.made}`;
  }

  /** Applies what was staged; in the commit's transaction, with everything loaded. */
  async apply(): Promise<void> {
    const keys = this.plan.schema.key.map(quote).join(', ');
    if (!this.indexed) await loadIndexes(this.session, qualified(this.name), keys);
    this.indexed = true;
    for (const step of this.steps) {
      if (step.kind === 'clear') await this.runAll(step.sql);
      else if (step.kind === 'moves')
        await this.runAll(applyMoves(qualified(this.name), step.stage, step.schema));
      else await this.applyRows(step);
    }
  }

  private async applyRows({ stage, schema, partial }: Step & { kind: 'rows' }): Promise<void> {
    const target = qualified(this.name);
    if (this.plan.write === 'history') {
      await this.runAll(applyVersions(target, stage, schema, partial));
      return;
    }
    const beside = await this.hasOwnColumns(schema);
    if (!partial) {
      await this.runAll(
        beside
          ? [...mergeWhole(stage, schema), ...applyBeside(target, schema)]
          : applyWhole(target, stage, schema),
      );
      return;
    }
    await this.runAll(mergePartial(target, stage, schema));
    await this.runAll(beside ? applyBeside(target, schema) : applyMerged(target, schema));
  }

  /** Whether the target has columns that the rows do not have, whose values must outlive a delete and insert. */
  private async hasOwnColumns(schema: StreamSchema): Promise<boolean> {
    const names = new Set(schema.fields.map((f) => folded(f.name)));
    const shape = await readShape(this.session, this.name);
    return shape?.columns.some((column) => !names.has(folded(column.name))) ?? false;
  }

  private async runAll(statements: readonly string[]): Promise<void> {
    for (const sql of statements) await this.session.run(sql, `upsert into ${plainName(this.name)}`);
  }

  /** Forgets the epoch: after its commit, or because it was given up. */
  async forget(): Promise<void> {
    const stages = this.steps.flatMap((step) => (step.kind === 'clear' ? [] : [step.stage]));
    this.steps = [];
    this.next = 0;
    for (const stage of stages)
      await this.session.run(`DROP TABLE IF EXISTS temp.main.${stage}`, 'drop a stage');
  }
}

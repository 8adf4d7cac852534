/** One table that a lane appends to: straight into it, or through a temporary table where the lane stages. */
import type { Batch, StreamSchema } from '@sluice/sdk';
import type { Database } from '../database/database.js';
import type { Session } from '../database/session.js';
import { OWN_PREFIX, plainName, qualified, quote, type TableName } from '../tables/identifiers.js';
import { wantedColumns } from '../tables/target.js';
import { feedColumns, placedColumns, refuseAbsent } from '../vectors/feed-columns.js';
import type { Loader, LoadTarget } from './loader.js';

export class AppendTable {
  private schema: StreamSchema | undefined;
  private load: LoadTarget | undefined;
  /** What an epoch does to the table, in order, where the lane stages. */
  private steps: { readonly stage?: string; readonly sql: string }[] = [];
  private made = 0;

  constructor(
    private readonly database: Database,
    private readonly session: Session,
    private readonly loader: Loader,
    private readonly name: TableName,
    private readonly stream: string,
    /** Where rows are staged, what makes the stages' names unique within the connection. */
    private readonly stageNumber: number | undefined,
  ) {}

  async write(batch: Batch): Promise<void> {
    const columns = placedColumns(batch);
    refuseAbsent(batch, columns);
    const load = await this.loadFor(batch.schema);
    await this.loader.add(load, { columns, rowCount: batch.rowCount }, batch.byteSize);
  }

  /** Takes rows back: at once in the open transaction, with everything before loaded, or in its turn at the commit. */
  async clear(sql: string): Promise<void> {
    if (this.stageNumber === undefined) return this.session.run(sql, `clear ${plainName(this.name)}`);
    this.steps.push({ sql });
    this.load = undefined;
  }

  private async loadFor(schema: StreamSchema): Promise<LoadTarget> {
    if (this.load !== undefined && this.schema?.version === schema.version) return this.load;
    const names = schema.fields.map((f) => quote(f.name)).join(', ');
    const into = this.stageNumber === undefined ? qualified(this.name) : await this.makeStage(schema, names);
    this.schema = schema;
    this.load = {
      columns: feedColumns(schema, this.database.driver),
      insert: (rows) => `INSERT INTO ${into} (${names}) SELECT ${names} FROM ${rows}`,
      name: plainName(this.name),
      stream: this.stream,
    };
    return this.load;
  }

  private async makeStage(schema: StreamSchema, columns: string): Promise<string> {
    const stage = `${OWN_PREFIX}stage_${this.stageNumber}_${++this.made}`;
    const definitions = wantedColumns(schema).map((column) => `${quote(column.name)} ${column.type}`);
    await this.loader.settle();
    await this.session.run(
      `CREATE TEMP TABLE ${stage} (${definitions.join(', ')})`,
      `stage ${plainName(this.name)}`,
    );
    this.steps.push({
      stage,
      sql: `INSERT INTO ${qualified(this.name)} (${columns}) SELECT ${columns} FROM ${stage}`,
    });
    return stage;
  }

  /** Applies what was staged; in the commit's transaction, with everything loaded. */
  async apply(): Promise<void> {
    for (const { sql } of this.steps) await this.session.run(sql, `append to ${plainName(this.name)}`);
  }

  /** Forgets the epoch: after its commit, or because it was given up. */
  async forget(): Promise<void> {
    const { steps } = this;
    if (steps.length === 0) return;
    this.steps = [];
    this.load = undefined;
    for (const { stage } of steps) {
      if (stage !== undefined)
        await this.session.run(`DROP TABLE IF EXISTS temp.main.${stage}`, 'drop a stage');
    }
  }
}

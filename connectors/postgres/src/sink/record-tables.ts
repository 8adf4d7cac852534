/** The tables in which the sink remembers jobs; see docs/design/postgres-commit.md. */
import type { Session } from '../connection/session.js';
import { ident, literal, qualified, type TableName } from '../quote.js';

export class RecordTables {
  readonly jobs: string;
  readonly streams: string;
  readonly commits: string;

  constructor(private readonly schema: string) {
    const [jobs, streams, commits] = this.names.map(qualified);
    this.jobs = jobs!;
    this.streams = streams!;
    this.commits = commits!;
  }

  get names(): readonly TableName[] {
    const { schema } = this;
    return ['_sluice_jobs', '_sluice_streams', '_sluice_commits'].map((table) => ({ schema, table }));
  }

  async exist(session: Session): Promise<boolean> {
    const names = [this.jobs, this.streams, this.commits].map((name) => `to_regclass(${literal(name)})`);
    const [row] = await session.rows(`SELECT num_nulls(${names.join(', ')}) = 0`);
    return row![0] === 't';
  }

  /** Whether they are there as this version makes them. */
  private async areCurrent(session: Session): Promise<boolean> {
    if (!(await this.exist(session))) return false;
    const [row] = await session.rows(
      `SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(${literal(this.streams)})
         AND attname = 'filled' AND NOT attisdropped)`,
    );
    return row![0] === 't';
  }

  /** Creates what is missing. Runs that do so at once wait for each other. */
  async create(session: Session): Promise<void> {
    if (await this.areCurrent(session)) return;
    const [schema] = await session.rows('SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1', [
      this.schema,
    ]);
    const lock = `SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(${literal(`sluice ${this.schema}`)}, 0))`;
    const statements = [
      'BEGIN',
      lock,
      ...(schema === undefined ? [`CREATE SCHEMA IF NOT EXISTS ${ident(this.schema)}`] : []),
      `CREATE TABLE IF NOT EXISTS ${this.jobs} (
         job text PRIMARY KEY, source text NOT NULL, fence bigint NOT NULL)`,
      `CREATE TABLE IF NOT EXISTS ${this.streams} (
         job text NOT NULL, stream text NOT NULL, generation bigint NOT NULL, published boolean NOT NULL,
         target oid, target_columns json, made bigint, filled jsonb,
         PRIMARY KEY (job, stream))`,
      `ALTER TABLE ${this.streams} ADD COLUMN IF NOT EXISTS filled jsonb`,
      `CREATE TABLE IF NOT EXISTS ${this.commits} (
         job text NOT NULL, split text NOT NULL, generation bigint NOT NULL, epoch bigint NOT NULL,
         position json NOT NULL, sealed boolean NOT NULL, split_spec json NOT NULL,
         PRIMARY KEY (job, split))`,
    ];
    try {
      await session.commit(statements.join('; '), 'creating the tables of the sink');
    } catch (error) {
      await session.rollback();
      throw error;
    }
  }
}

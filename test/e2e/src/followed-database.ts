/** A database that is followed: the job, its targets in Postgres and DuckDB, and readers of both that are not ours. */
import type { RunResult } from '@sluice/core';
import type { EngineSpec, FlowSpec, JobSpec, JsonObject, SinkSpec } from '@sluice/sdk';
import {
  type Dump,
  dumpDuckdb,
  dumpPostgres,
  type PostgresServer,
  type Program,
  UnexpectedExit,
} from '@sluice/test';
import { resultOf, SLUICE, Workspace } from './cli-workspace.js';
import { dropSlots } from './drop-slots.js';

/** How a job reaches a database. */
type Way = (url: string) => string;
const straight: Way = (url) => url;

export interface FollowedOptions {
  /** The server of the target; by default that of the source. */
  readonly sinks?: PostgresServer;
  readonly ways?: { readonly from: Way; readonly to: Way };
}

/** What a job does with changes in each sink: `copy` is in Postgres, `lake` in DuckDB, `files` in Parquet. */
export interface FollowedSinks {
  readonly copy?: Omit<SinkSpec, 'to'>;
  readonly lake?: Omit<SinkSpec, 'to'>;
  readonly files?: Omit<SinkSpec, 'to'>;
}

/** What a job says beside its connections and sinks. */
export interface FollowedJob
  extends Partial<Omit<EngineSpec, 'name'>>,
    Pick<FlowSpec, 'streams' | 'changes'> {
  /** More settings of the source's connection. */
  readonly app?: JsonObject;
}

export class FollowedDatabase {
  readonly place = new Workspace();

  private constructor(
    private readonly server: PostgresServer,
    private readonly sinks: PostgresServer,
    readonly source: string,
    readonly target: string,
    private readonly ways: { readonly from: Way; readonly to: Way },
  ) {}

  /** New databases, after `sql` was run in the source. */
  static async create(
    server: PostgresServer,
    sql = '',
    options: FollowedOptions = {},
  ): Promise<FollowedDatabase> {
    const { sinks = server, ways = { from: straight, to: straight } } = options;
    const source = await server.createDatabase();
    const followed = new FollowedDatabase(server, sinks, source, await sinks.createDatabase(), ways);
    await followed.atSource(sql);
    return followed;
  }

  readonly atSource = (sql: string): Promise<string> => this.server.psql(sql, this.source);
  readonly inTarget = (sql: string): Promise<string> => this.sinks.psql(sql, this.target);

  get lake(): string {
    return this.place.path('lake.duckdb');
  }

  /** What a query finds in the source. */
  readonly dumpSource = (sql: string): Promise<Dump> => dumpPostgres(this.source, sql);

  /** What a query finds in each target. */
  async dumpTargets(postgres: string, duckdb = postgres): Promise<{ copy: Dump; lake: Dump }> {
    return { copy: await dumpPostgres(this.target, postgres), lake: await dumpDuckdb(this.lake, duckdb) };
  }

  /** Writes a job that reads changes, and answers with its file. */
  job(name: string, sinks: FollowedSinks, { app, streams, changes, ...engine }: FollowedJob = {}): string {
    return this.place.job('job.json', {
      name,
      connections: {
        app: { connector: 'postgres', url: this.ways.from(this.source), ...app },
        copy: { connector: 'postgres', url: this.ways.to(this.target) },
        lake: { connector: 'duckdb', path: 'lake.duckdb' },
        files: { connector: 'file', path: 'files', format: 'parquet' },
      },
      flows: {
        main: {
          source: 'app',
          mode: 'cdc',
          ...(streams !== undefined && { streams }),
          ...(changes !== undefined && { changes }),
          sinks: Object.fromEntries(Object.entries(sinks).map(([to, sink]) => [to, { to, ...sink }])),
        },
      },
      ...engine,
    } as JobSpec);
  }

  program(file: string, ...more: string[]): Program {
    const args = [SLUICE, 'run', file, '--quiet', ...more];
    return { command: process.execPath, args, cwd: this.place.folder };
  }

  /** Runs the job to its end, which has to be a good one. */
  run(file: string, ...more: string[]): Promise<RunResult> {
    return this.ends(0, file, ...more);
  }

  /** Runs the job to its end, which has to be with this code. */
  async ends(code: number, file: string, ...more: string[]): Promise<RunResult> {
    const exit = await this.place.sluice(['run', file, '--quiet', ...more]);
    if (exit.code !== code)
      throw new UnexpectedExit(this.program(file, ...more), `it must exit with ${code}`, exit);
    return resultOf(exit.stdout);
  }

  /** Leaves nothing on the servers that other tests use too, and no files. */
  async remove(): Promise<void> {
    this.place.remove();
    await dropSlots(this.atSource);
  }
}

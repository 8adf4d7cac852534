/** The source: tables and views of a database file, read through typed arrays. */
import type {
  Catalog,
  Context,
  DiagnosedStream,
  Finding,
  Json,
  OpenRequest,
  Reader,
  ReadPlan,
  Source,
  Split,
  StreamRead,
} from '@sluice/sdk';
import { failure, formatType } from '@sluice/sdk';
import { type Database, type DatabaseLease, openDatabase } from '../database/database.js';
import { databasePath } from '../database/database-path.js';
import { identityOf } from '../database/identity.js';
import type { Session } from '../database/session.js';
import type { DuckdbConfig } from '../duckdb-config.js';
import { duckdbErrors } from '../errors.js';
import { plainName } from '../tables/identifiers.js';
import {
  listTables,
  primaryKey,
  readCatalog,
  readColumns,
  type SourceColumn,
  type SourceTable,
} from './catalog.js';
import { cursorStretches, planCursor } from './cursor-window.js';
import { orderCuts, stretches } from './queries.js';
import { cursorSplit, planSplits, type SplitSpec } from './splits.js';
import { TableReader } from './table-reader.js';

export class DuckdbSource implements Source {
  readonly capabilities = {
    replay: true,
    modes: ['full', 'incremental'],
    incremental: 'exact',
    before: false,
  } as const;
  /** Held from planning a copy to the end, so that nobody writes between its parts. */
  private lease: Promise<DatabaseLease> | undefined;

  constructor(private readonly config: DuckdbConfig) {}

  async check(c: Context): Promise<void> {
    await this.look(c, (database) => database.control.run('SELECT 1', 'check the database'));
  }

  async diagnose(streams: readonly DiagnosedStream[], c: Context): Promise<Finding[]> {
    const path = await databasePath(this.config, c);
    const { streams: found } = await this.discover(undefined, c);
    const names = new Set(found.map(({ schema }) => schema.stream));
    const asked = found.filter(({ schema }) => streams.some(({ stream }) => stream === schema.stream));
    const problems = asked.flatMap(({ problem }) => (problem === undefined ? [] : [failure(problem)]));
    const missing = streams.filter(({ stream }) => !names.has(stream));
    return [
      { level: 'ok', what: `${path} can be read; tables and views: ${names.size}` },
      ...problems,
      ...missing.map(({ stream }) => failure(duckdbErrors.drifted(`there is no table or view ${stream}`))),
    ];
  }

  identity(c: Context): Promise<string> {
    return this.look(c, identityOf);
  }

  discover(patterns: readonly string[] | undefined, c: Context): Promise<Catalog> {
    return this.look(c, (database) => database.lock.run(() => readCatalog(database, patterns)));
  }

  async planReads(reads: readonly StreamRead[], c: Context): Promise<ReadPlan[]> {
    const byCursor = reads.filter(({ mode }) => mode === 'incremental');
    if (byCursor.length === 0) return [];
    return this.look(c, ({ control, lock, readOnly }) =>
      lock.run(async () => {
        const plans: ReadPlan[] = [];
        for (const read of byCursor) plans.push(await planCursor(control, read, readOnly));
        return plans;
      }),
    );
  }

  async *splits(reads: readonly StreamRead[], known: readonly Split[], c: Context): AsyncIterable<Split> {
    const ids = new Set(known.map((split) => split.id));
    const plan = (database: Database) => database.lock.run(() => this.planned(database, reads));
    const copies = reads.some(({ mode }) => mode === 'full');
    const splits = copies ? await plan((await this.hold(c)).database) : await this.look(c, plan);
    yield* splits.filter(({ id }) => !ids.has(id));
  }

  private async planned({ control }: Database, reads: readonly StreamRead[]): Promise<Split[]> {
    const tables = await listTables(control, undefined);
    const splits: Split[] = [];
    for (const read of reads) {
      const table = tableOf(read.stream, tables);
      if (read.mode === 'full') splits.push(...planSplits(read, table));
      else splits.push(cursorSplit(read, await primaryKey(control, table)));
    }
    return splits;
  }

  private hold(c: Context): Promise<DatabaseLease> {
    this.lease ??= this.openShared(c).catch((error) => {
      this.lease = undefined;
      throw error;
    });
    return this.lease;
  }

  async open(request: OpenRequest, c: Context): Promise<Reader> {
    const lease = await this.openShared(c);
    let session: Session | undefined;
    try {
      session = await lease.database.connect();
      const read = request.reads[0]!;
      const table = tableOf(read.stream, await listTables(session, undefined));
      const columns = await readColumns(lease.database, session, table);
      requireShape(read, columns);
      const spec = request.split.spec as unknown as SplitSpec;
      if (spec.by === 'cursor') {
        const warn = (message: string) => c.log.warn(message, { stream: read.stream });
        const of = { read, name: table, columns, quiet: lease.database.readOnly };
        const windows = await cursorStretches(session, of, spec, request.at, request.cuts, warn);
        return new TableReader(request, windows, lease, session, c);
      }
      const cuts = await orderCuts(session, spec, columns, request.at, request.cuts as readonly Json[]);
      const parts = stretches(table, columns, read.schema, spec, request.at, cuts);
      return new TableReader(request, parts, lease, session, c);
    } catch (error) {
      session?.close();
      await lease.release();
      throw error;
    }
  }

  async close(): Promise<void> {
    const held = await this.lease?.catch(() => undefined);
    this.lease = undefined;
    await held?.release();
  }

  private openShared(c: Context): Promise<DatabaseLease> {
    return openDatabase(this.config, this.config.readOnly === false, c);
  }

  private async look<T>(c: Context, task: (database: Database) => Promise<T>): Promise<T> {
    const lease = await this.openShared(c);
    try {
      return await task(lease.database);
    } finally {
      await lease.release();
    }
  }
}

function tableOf(stream: string, tables: readonly SourceTable[]): SourceTable {
  const table = tables.find((name) => plainName(name) === stream);
  if (table === undefined)
    throw duckdbErrors.drifted(`there is no table or view ${stream}`, { details: { stream } });
  return table;
}

/** The planned columns must still be there with their types; further ones are left alone. */
function requireShape({ stream, schema }: StreamRead, columns: readonly SourceColumn[]): void {
  for (const f of schema.fields) {
    const now = columns.find((column) => column.name === f.name);
    const was = formatType(f.type);
    const is = now && formatType(now.read.type);
    if (is === was) continue;
    const what = is === undefined ? 'is gone' : `is ${is}, was ${was}`;
    throw duckdbErrors.drifted(`${stream}: column ${f.name} ${what}`, {
      details: { stream, column: f.name },
    });
  }
}

/** From the rows of the SQLite ledger to the values of the contract. */
import type { Json, Split } from '@sluice/sdk';
import type { KnownSchema } from './known-schema.js';
import type {
  EpochRow,
  FlowKey,
  FlowState,
  LedgerSplit,
  PositionState,
  PreparedEpoch,
  Publication,
  Quarantine,
  RunRow,
  RunStatus,
  SinkState,
} from './ledger.js';
import type { LeaseRow } from './refusals.js';
import type { SqliteFile, SqlRow } from './sqlite-file.js';

function text(row: SqlRow, column: string): string {
  return row[column] as string;
}
function number(row: SqlRow, column: string): number {
  return row[column] as number;
}
function json<T extends Json>(row: SqlRow, column: string): T {
  return JSON.parse(text(row, column)) as T;
}

export function leaseRow(row: SqlRow): LeaseRow {
  const fence = BigInt(text(row, 'fence'));
  if (row['run'] === null) return { fence };
  const holder = {
    run: text(row, 'run'),
    host: text(row, 'host'),
    pid: number(row, 'pid'),
    processStart: text(row, 'process_start'),
  };
  return { fence, held: { holder, expiresAt: number(row, 'expires_at') } };
}

export function runRow(row: SqlRow): RunRow {
  return {
    run: text(row, 'run'),
    job: text(row, 'job'),
    status: text(row, 'status') as RunStatus,
    startedAt: number(row, 'started_at'),
    ...(row['ended_at'] === null ? {} : { endedAt: number(row, 'ended_at') }),
    fence: BigInt(text(row, 'fence')),
    ...(row['result'] === null ? {} : { result: json(row, 'result') }),
  };
}

export function epochRow(row: SqlRow): EpochRow {
  return {
    sink: text(row, 'sink'),
    split: text(row, 'split'),
    generation: number(row, 'generation'),
    epoch: number(row, 'epoch'),
    position: json(row, 'position'),
    sealed: row['sealed'] === 1,
    fence: BigInt(text(row, 'fence')),
    rows: number(row, 'rows'),
    bytes: number(row, 'bytes'),
    at: number(row, 'at'),
  };
}

/** Everything of a flow; to be called in one transaction. */
export function flowState(file: SqliteFile, key: FlowKey): FlowState {
  const select = (columns: string, table: string) =>
    file.all(`SELECT ${columns} FROM ${table} WHERE job = ? AND flow = ?`, key.job, key.flow);

  const streams = select('stream, generation, planned, schema, quarantined', 'streams').map((row) => [
    text(row, 'stream'),
    {
      generation: number(row, 'generation'),
      planned: row['planned'] === 1,
      ...(row['schema'] !== null && { schema: JSON.parse(text(row, 'schema')) as KnownSchema }),
      ...(row['quarantined'] !== null && {
        quarantined: JSON.parse(text(row, 'quarantined')) as Quarantine,
      }),
    },
  ]);
  const splits = new Map<string, LedgerSplit>();
  for (const row of select('generation, body', 'splits')) {
    const split = JSON.parse(text(row, 'body')) as Split;
    splits.set(split.id, { split, generation: number(row, 'generation') });
  }
  const sinks = new Map<
    string,
    SinkState & { published: Named<Publication>; positions: Named<PositionState> }
  >();
  for (const row of select('sink, source, target', 'sinks')) {
    sinks.set(text(row, 'sink'), {
      source: text(row, 'source'),
      target: text(row, 'target'),
      published: {},
      positions: {},
    });
  }
  for (const row of select('sink, stream, generation, run', 'published')) {
    put(sinks.get(text(row, 'sink'))!.published, text(row, 'stream'), {
      generation: number(row, 'generation'),
      run: text(row, 'run'),
    });
  }
  for (const row of select('sink, split, generation, epoch, position, sealed', 'positions')) {
    put(sinks.get(text(row, 'sink'))!.positions, text(row, 'split'), {
      generation: number(row, 'generation'),
      epoch: number(row, 'epoch'),
      position: json(row, 'position'),
      sealed: row['sealed'] === 1,
    });
  }
  for (const row of select('sink, split, body', 'prepared')) {
    const { positions } = sinks.get(text(row, 'sink'))!;
    const { split, generation } = splits.get(text(row, 'split'))!;
    const start = { generation, epoch: 0, position: split.start, sealed: false };
    const committed = Object.hasOwn(positions, split.id) ? positions[split.id]! : start;
    put(positions, split.id, { ...committed, prepared: JSON.parse(text(row, 'body')) as PreparedEpoch });
  }
  return {
    streams: Object.fromEntries(streams),
    splits: Object.fromEntries(splits),
    sinks: Object.fromEntries(sinks),
  };
}

type Named<T> = { [name: string]: T };

/** Sets a key whatever its name is: a stream may be called `__proto__`. */
function put<T>(object: Named<T>, name: string, value: T): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Splits of a full read by place: ranges of a table's blocks, or the whole of what has none. Nothing is scanned. */
import type { Split, StreamRead } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { qualified, streamName, type TableName } from '../quote.js';
import type { Relation } from './relation.js';
import { asJson, type ScanSpec } from './split-spec.js';

/** TID range scans exist from this version on; before, a range would scan the whole table. */
const TID_RANGES = 140000;

interface Heap extends TableName {
  readonly blocks: number;
  readonly filenode: string;
}

export interface ScanPlan {
  readonly read: StreamRead;
  /** Whether policies hide rows. */
  readonly filtered: boolean;
  readonly relation: Relation;
  /** Bytes of a range of blocks. */
  readonly splitBytes: number;
  /** Gives the snapshot that ranges of blocks are read from. */
  snapshot(): Promise<string>;
}

/** The splits of one stream: by blocks where the table is large enough for several, else one. */
export async function scanSplits(
  session: Session,
  plan: ScanPlan,
  wanted: 'auto' | 'ctid' | 'none',
): Promise<Split[]> {
  const heaps = wanted === 'none' ? undefined : await heapsOf(session, plan.relation);
  if (heaps === undefined && wanted === 'ctid') throw noBlocks(session, plan.relation);
  const blockSize = Number((await session.rows("SELECT pg_catalog.current_setting('block_size')"))[0]![0]);
  const perSplit = Math.max(1, Math.floor(plan.splitBytes / blockSize));
  if (heaps === undefined || heaps.reduce((sum, heap) => sum + heap.blocks, 0) <= perSplit)
    return [whole(plan)];
  const snapshot = await plan.snapshot();
  return heaps.flatMap((heap) => blockSplits(plan, heap, perSplit, snapshot, blockSize));
}

function noBlocks(session: Session, relation: Relation) {
  const name = qualified(relation);
  if (session.version < TID_RANGES) {
    return pgErrors.unsupported(
      `${name}: "chunk": "ctid" needs PostgreSQL 14, this is ${session.version / 10_000}`,
    );
  }
  return pgErrors.unsupported(`${name}: "chunk": "ctid" needs a table whose blocks this user may read`);
}

/** A split that can be read again from its start: nothing of it is committed before all of it is. */
function whole({ read, relation, filtered }: ScanPlan): Split {
  const { schema, table } = relation;
  return {
    id: read.stream,
    streams: [read.stream],
    phase: 'bulk',
    start: null,
    spec: asJson({ kind: 'scan', schema, table, ...(filtered && { filtered }) }),
    ...(relation.rows !== undefined && { estimatedRows: relation.rows }),
    ...(relation.bytes > 0 && { estimatedBytes: relation.bytes }),
  };
}

function blockSplits(
  { read, relation, filtered }: ScanPlan,
  heap: Heap,
  perSplit: number,
  snapshot: string,
  blockSize: number,
): Split[] {
  const { schema, table, filenode, blocks } = heap;
  const splits: Split[] = [];
  const rowsPerByte =
    relation.rows === undefined || relation.bytes === 0 ? undefined : relation.rows / relation.bytes;
  const leaf = table === relation.table && schema === relation.schema ? '' : `/${streamName(heap)}`;
  for (let from = 0; from === 0 || from < blocks; from += perSplit) {
    const last = from + perSplit >= blocks;
    const range = last ? { from } : { from, to: from + perSplit };
    const spec: ScanSpec = {
      kind: 'scan',
      schema,
      table,
      snapshot,
      blocks: range,
      filenode,
      ...(filtered && { filtered }),
    };
    const bytes = Math.max(0, Math.min(perSplit, blocks - from)) * blockSize;
    splits.push({
      id: `${read.stream}${leaf}/blocks/${from}`,
      streams: [read.stream],
      phase: 'bulk',
      start: null,
      spec: asJson(spec),
      volatile: true,
      estimatedBytes: bytes,
      ...(rowsPerByte !== undefined && { estimatedRows: Math.round(bytes * rowsPerByte) }),
    });
  }
  return splits;
}

/** Tables that hold a relation's rows; undefined where its rows have no blocks that this user may read. */
async function heapsOf(session: Session, relation: Relation): Promise<Heap[] | undefined> {
  if (session.version < TID_RANGES) return undefined;
  if (relation.kind === 'r' || relation.kind === 'm')
    return heapRows(session, 'SELECT $1::oid', relation.oid);
  if (relation.kind !== 'p' || relation.rowSecurity) return undefined;
  return heapRows(
    session,
    'SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass) WHERE isleaf',
    relation.oid,
  );
}

async function heapRows(session: Session, oids: string, oid: number): Promise<Heap[] | undefined> {
  const rows = (await session.rows(
    `SELECT n.nspname, c.relname, c.relkind, pg_catalog.pg_relation_filenode(c.oid),
            pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int,
            pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
            am.amname
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
     WHERE c.oid IN (${oids}) ORDER BY c.oid`,
    [String(oid)],
  )) as string[][];
  const usable = rows.every(
    ([, , kind, , , readable, method]) =>
      (kind === 'r' || kind === 'm') && readable === 't' && method === 'heap',
  );
  if (!usable || rows.length === 0) return undefined;
  return rows.map(([schema, table, , filenode, blocks]) => ({
    schema: schema!,
    table: table!,
    filenode: filenode!,
    blocks: Number(blocks),
  }));
}

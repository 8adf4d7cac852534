/** Rows that are deleted at the source stay in the target, with the time at which that was. */
import {
  Batch,
  type BoundTransform,
  type Column,
  columnOf,
  field,
  OPS,
  type StreamSchema,
  types,
  UNCHANGED,
} from '@sluice/sdk';
import {
  type ChangeEntry,
  changeEntries,
  committedAt,
  entryColumn,
  isPlain,
  marking,
  requireFree,
} from './change-entries.js';

const DELETED = field('_deleted_at', types.timestamp);
const [UPDATE, UPSERT] = [OPS.indexOf('update'), OPS.indexOf('upsert')];

/**
 * Deletes become updates that leave all columns but the key as they are; a row that comes back counts again. Throws
 * `SLUICE-CORE-0018`.
 */
export function softDeletes(schema: StreamSchema): BoundTransform {
  requireFree(schema, [DELETED.name]);
  const out: StreamSchema = { ...schema, fields: [...schema.fields, DELETED] };
  return {
    out,
    reads: [],
    writes: [DELETED.name],
    rung: 'columns',
    apply: (batch) => [kept(batch, { ...out, stream: batch.stream })],
    clear: marking(DELETED.name),
  };
}

function kept(batch: Batch, out: StreamSchema): Batch {
  const entries = changeEntries(batch);
  const plain = isPlain(batch, entries);
  const column = (i: number): Column => {
    const own = out.fields[i]!;
    if (own === DELETED) {
      const at = ({ op, row }: ChangeEntry) => (op === 'delete' ? committedAt(batch.origins, row) : null);
      return columnOf(DELETED, entries.map(at));
    }
    if (plain) return batch.column(i);
    const isKey = out.key.includes(own.name);
    return entryColumn(own, batch, i, entries, (value, { op }) =>
      op === 'delete' && !isKey ? UNCHANGED : value,
    );
  };
  const op = plain ? batch.op : Uint8Array.from(entries, ({ op }) => (op === 'delete' ? UPDATE : UPSERT));
  return Batch.ofDecoder(out, entries.length, { column }, { op, byteSize: batch.byteSize });
}

/** Changes as versions of their rows, for sinks that keep a history: each says from when on it was so. */
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
  VALID_FROM,
  VALID_TO,
} from '@sluice/sdk';
import { changeEntries, committedAt, entryColumn, isPlain, marking, requireFree } from './change-entries.js';

const FROM = field(VALID_FROM, types.timestamp, { nullable: false });
const TO = field(VALID_TO, types.timestamp);

/**
 * Rows get the time of their change, and those that are deleted as well; a key that changes is deleted, and inserted
 * under its new value. Throws `SLUICE-CORE-0018`.
 */
export function historyRows(schema: StreamSchema): BoundTransform {
  requireFree(schema, [FROM.name, TO.name]);
  const out: StreamSchema = { ...schema, fields: [...schema.fields, FROM, TO] };
  return {
    out,
    reads: [],
    writes: [FROM.name, TO.name],
    rung: 'columns',
    apply: (batch) => [versions(batch, { ...out, stream: batch.stream })],
    clear: marking(TO.name, FROM.name),
  };
}

function versions(batch: Batch, out: StreamSchema): Batch {
  const entries = changeEntries(batch);
  const plain = isPlain(batch, entries);
  const column = (i: number): Column => {
    const own = out.fields[i]!;
    if (own === FROM) {
      return columnOf(
        FROM,
        entries.map(({ row }) => committedAt(batch.origins, row)),
      );
    }
    if (own === TO) {
      return columnOf(
        TO,
        entries.map(() => null),
      );
    }
    if (plain) return batch.column(i);
    return entryColumn(own, batch, i, entries, (value, { op }) =>
      op === 'delete' && value === UNCHANGED ? null : value,
    );
  };
  const op = plain ? batch.op : Uint8Array.from(entries, ({ op }) => OPS.indexOf(op));
  return Batch.ofDecoder(out, entries.length, { column }, { op, byteSize: batch.byteSize });
}

/** Changes as rows of their own, for targets that keep them: a key that changes is two, the old one and the new one. */
import {
  type Batch,
  type Clear,
  type Column,
  columnOf,
  type Field,
  type Origins,
  type StreamSchema,
  UNCHANGED,
  type Value,
  valueReader,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';

/** What happened to a row of a batch, under the key that it had or has. */
export interface ChangeEntry {
  readonly op: 'insert' | 'update' | 'delete';
  readonly row: number;
  /** The row is from a copy. */
  readonly copied: boolean;
  /** The second of the two that a key which changes makes. */
  readonly second: boolean;
}

export function changeEntries(batch: Batch): ChangeEntry[] {
  const entries: ChangeEntry[] = [];
  for (let row = 0; row < batch.rowCount; row++) {
    const op = batch.opAt(row);
    const copied = batch.origins?.at(row).copied === true;
    if (op !== 'move') {
      entries.push({ op: op === 'upsert' ? 'update' : op, row, copied, second: false });
      continue;
    }
    entries.push({ op: 'delete', row, copied, second: false });
    entries.push({ op: 'insert', row, copied, second: true });
  }
  return entries;
}

/** Whether a batch is one entry a row, each of a row that is there. */
export function isPlain(batch: Batch, entries: readonly ChangeEntry[]): boolean {
  return entries.length === batch.rowCount && !entries.some(({ op }) => op === 'delete');
}

/**
 * A column of the batch with a value for each entry: of one that leaves what is known of it. What is not known is
 * UNCHANGED, which `shown` may replace.
 */
export function entryColumn(
  own: Field,
  batch: Batch,
  index: number,
  entries: readonly ChangeEntry[],
  shown: (value: Value, entry: ChangeEntry) => Value,
): Column {
  const now = valueReader(own.type, batch.column(index));
  const before = batch.before && valueReader(own.type, batch.before.column(index));
  const known = ({ op, row }: ChangeEntry): Value => {
    if (op !== 'delete') return now(row);
    const old = before === undefined ? UNCHANGED : before(row);
    // Without an image of what it was, a deleted row has its key, and the others null where they are not known.
    const isWhole = before === undefined && batch.opAt(row) === 'delete';
    return old === UNCHANGED && (isWhole || batch.schema.key.includes(own.name)) ? now(row) : old;
  };
  return columnOf(
    own,
    entries.map((entry) => shown(known(entry), entry)),
  );
}

/**
 * What a target that marks rows does where the stream is cleared: those that are there get the time of that, unless they
 * are there `since` then.
 */
export function marking(column: string, since?: string): (message: Clear) => Clear {
  return ({ origins, ...message }) => ({
    ...message,
    marks: { column, at: committedAt(origins, 0), ...(since !== undefined && { since }) },
  });
}

/** Microseconds since 1970, at which a change was committed, or by our clock where the source does not tell. */
export function committedAt(origins: Origins | undefined, row: number): bigint {
  return origins?.at(row).committedAt ?? BigInt(Date.now()) * 1000n;
}

/** Throws `SLUICE-CORE-0018` where the stream has a column of a name that is needed. */
export function requireFree({ stream, fields }: StreamSchema, names: readonly string[]): void {
  const taken = fields.find(({ name }) => names.includes(name));
  if (taken === undefined) return;
  throw coreErrors.columnTaken(
    `stream ${stream}: its column "${taken.name}" is in the way of the one that says something of changes`,
    { details: { stream, column: taken.name } },
  );
}

/**
 * Changes as rows that are appended: what write mode `append` makes of a log, for sinks that know nothing of changes.
 * Every change is a row, the copy's rows among them, and a key that changes is two: the old one leaves, the new one
 * comes.
 */
import {
  Batch,
  type BoundTransform,
  type Column,
  columnOf,
  type Field,
  field,
  getBit,
  type Origin,
  type StreamSchema,
  types,
  UNCHANGED,
} from '@sluice/sdk';
import { type ChangeEntry, changeEntries, entryColumn, isPlain, requireFree } from './change-entries.js';

/** What stands before the stream's own columns. */
const ABOUT: readonly Field[] = [
  field('_op', types.string, { nullable: false }),
  field('_committed_at', types.timestamp),
  field('_position', types.string),
  field('_unchanged', types.json),
];

/** Throws `SLUICE-CORE-0018` where the stream has a column of a name that is needed. */
export function changeLog(schema: StreamSchema): BoundTransform {
  requireFree(
    schema,
    ABOUT.map(({ name }) => name),
  );
  const own = schema.fields.map(({ unsent: _, ...rest }): Field => ({ ...rest, nullable: true }));
  const out: StreamSchema = { ...schema, fields: [...ABOUT, ...own], key: [] };
  return {
    out,
    reads: [],
    writes: ABOUT.map(({ name }) => name),
    rung: 'columns',
    apply: (batch) => [appended(batch, { ...out, stream: batch.stream })],
    clear: ({ stream, origins }) => {
      const cleared = origins?.at(0);
      const row = {
        _op: 'truncate',
        _committed_at: cleared?.committedAt ?? null,
        _position: positionOf(cleared),
      };
      return Batch.ofRows({ ...out, stream }, [row]);
    },
  };
}

function appended(batch: Batch, out: StreamSchema): Batch {
  const entries = changeEntries(batch);
  const column = (i: number) =>
    i < ABOUT.length
      ? aboutColumn(ABOUT[i]!, batch, entries)
      : ownColumn(out.fields[i]!, batch, i - ABOUT.length, entries);
  return Batch.ofDecoder(out, entries.length, { column }, { byteSize: batch.byteSize });
}

function aboutColumn(about: Field, batch: Batch, entries: readonly ChangeEntry[]): Column {
  const { origins } = batch;
  switch (about.name) {
    case '_op':
      return columnOf(
        about,
        entries.map(({ op, copied }) => (copied ? 'copy' : op)),
      );
    case '_committed_at':
      return columnOf(
        about,
        entries.map(({ row }) => origins?.at(row).committedAt ?? null),
      );
    case '_position':
      return columnOf(
        about,
        entries.map(({ row, second }) => positionOf(origins?.at(row), second)),
      );
    default:
      return unchangedColumn(about, batch, entries);
  }
}

/** A row's place as text that sorts by bytes in the order of the log. */
export function positionOf(origin: Origin | undefined, second = false): string | null {
  if (origin === undefined) return null;
  const ordinal = (origin.ordinal + (second ? 1 : 0)).toString(16).padStart(8, '0').toUpperCase();
  return `${origin.transaction}/${ordinal}`;
}

/** The names of the columns that the log does not have of a row which is there, as a list; null where it has all. */
function unchangedColumn(about: Field, batch: Batch, entries: readonly ChangeEntry[]): Column {
  const columns = batch.schema.fields.flatMap(({ name }, i) => {
    const { absent } = batch.column(i);
    return absent === undefined ? [] : [{ name, absent }];
  });
  const listOf = ({ op, row }: ChangeEntry): string | null => {
    if (op === 'delete') return null;
    const names = columns.filter(({ absent }) => getBit(absent, row)).map(({ name }) => name);
    return names.length === 0 ? null : JSON.stringify(names);
  };
  return columnOf(about, columns.length === 0 ? entries.map(() => null) : entries.map(listOf));
}

/** What is not known is null. */
function ownColumn(own: Field, batch: Batch, index: number, entries: readonly ChangeEntry[]): Column {
  if (isPlain(batch, entries)) {
    const column = batch.column(index);
    const { absent, ...known } = column;
    return absent === undefined ? column : known;
  }
  return entryColumn(own, batch, index, entries, (value) => (value === UNCHANGED ? null : value));
}
